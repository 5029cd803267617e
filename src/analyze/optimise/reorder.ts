/** Rules that take many packets, moved up where that changes nothing: by their counters, as far as every rule they pass lets them. */

import type { Rule } from '../../ir/ruleset.ts'
import { commute } from './behaviour.ts'
import type { PairBudget, ProofSpace } from './behaviour.ts'
import type { DraftRule } from './draft.ts'
import type { Workshop } from './merge.ts'

/** A rule that was moved up: the rule that it stands before now. */
export interface Move {
  readonly draft: DraftRule
  readonly before: Rule
  /** How many rules its packets are spared. */
  readonly passed: number
}

/** Rules that stay together, in their order. */
interface Block {
  readonly members: readonly number[]
  readonly taken: number
}

/**
 * Returns a chain's rules in an order in which packets are compared with fewer of them; `taken` says for each rule how many packets it takes
 * from the rules after it. Every two rules that change places were proved to commute, so both orders do the same. A rule that cannot
 * pass the one above it takes it along, where both together are worth it. Undefined where nothing moves.
 */
export function reorderRules(space: ProofSpace, rules: readonly DraftRule[], taken: readonly number[], { budget }: Workshop): readonly DraftRule[] | undefined {
  const blocks: Block[] = []
  for (const index of rules.keys()) {
    let block: Block = { members: [index], taken: taken[index] ?? 0 }
    let place = blocks.length
    for (let above = blocks[place - 1]; above && density(block) > density(above) && budget.pairs > 0; above = blocks[place - 1]) {
      place--
      if (mayPass(space, rules, above, block, budget)) continue
      block = { members: [...above.members, ...block.members], taken: above.taken + block.taken }
      blocks.splice(place, 1)
    }
    blocks.splice(place, 0, block)
  }
  const order = blocks.flatMap(({ members }) => members)
  return order.some((index, place) => index !== place) ? order.flatMap(index => rules[index] ?? []) : undefined
}

/** Packets taken for each rule that they are compared with. */
function density({ taken, members }: Block): number {
  return taken / members.length
}

function mayPass(space: ProofSpace, rules: readonly DraftRule[], above: Block, block: Block, budget: PairBudget): boolean {
  return above.members.every(upper =>
    block.members.every(lower => {
      const [one, other] = [rules[upper], rules[lower]]
      return one !== undefined && other !== undefined && commute(space, one.act, other.act, budget)
    }),
  )
}

/** Returns the rules that passed others on their way up, with what stands behind them now. */
export function movesBetween(before: readonly DraftRule[], after: readonly DraftRule[], isWorth: (draft: DraftRule) => boolean): readonly Move[] {
  const placeBefore = new Map(before.map((draft, place) => [draft, place]))
  return after.flatMap((draft, place) => {
    const was = placeBefore.get(draft) ?? place
    const passed = after.slice(place + 1).filter(other => (placeBefore.get(other) ?? 0) < was)
    const next = passed[0]
    return next && isWorth(draft) ? [{ draft, before: next.rule, passed: passed.length }] : []
  })
}
