/** The rules that take every packet of a dead rule: of its own chain, and of the chains that jump to it. */

import type { Chain } from '../ir/ruleset.ts'
import type { PacketSet } from '../packetset/packet-sets.ts'
import type { ChainRun, TableRun } from '../symbolic/run-chain.ts'
import { rulesMatching } from './rule-index.ts'
import { matchedPackets } from './rule-reach.ts'
import type { RuleReach, RuleRef } from './rule-reach.ts'
import { fewestTakers } from './shadowing.ts'
import type { Taker } from './shadowing.ts'

/** The rules to blame, in the order in which packets come to them; `isFewest` where fewer would not do. */
export interface RuleBlame {
  readonly rules: readonly RuleRef[]
  readonly isFewest: boolean
}

/** Rules before an index of a chain on the way to a rule. */
interface Stretch {
  readonly here: ChainRun
  readonly before: number
}

/** More ways to a chain than this are not told apart. */
const MOST_WAYS = 8

/** Returns who decides every packet that the rule would match; undefined where the ways to it are too many or packets change on the way. */
export function blameFor({ sets }: RuleReach, run: TableRun, at: RuleRef): RuleBlame | undefined {
  const here = run.runs.get(at.chain)
  const match = here?.matches[at.number - 1]
  if (!here || !match) return undefined
  const own = { here, before: at.number - 1 }
  const local = cover(run, [own], sets.intersect(here.start, match.set()))
  if (local) return local
  const ways = waysTo(run, at.chain)
  if (!ways) return undefined
  const blames = ways.map(({ stretches, brought }) => cover(run, [...stretches, own], sets.intersect(brought, here.start, match.set())))
  const rules = new Map(blames.flatMap(blame => (blame ? blame.rules.map(ref => [ref.rule.id, ref] as const) : [])))
  return blames.includes(undefined) || rules.size === 0 ? undefined : { rules: [...rules.values()], isFewest: blames.length === 1 && blames[0]?.isFewest === true }
}

/** Covers what a rule would match with rules that stand before it. */
function cover(run: TableRun, stretches: readonly Stretch[], wanted: PacketSet): RuleBlame | undefined {
  const { sets } = run.ruleSets
  const order = new Map(stretches.map(({ here }, index) => [here.chain, index]))
  const blame = fewestTakers(sets, wanted, rest => takersOf(run, stretches, rest))
  if (!blame) return undefined
  const rules = [...blame.who].sort((one, other) => (order.get(one.chain) ?? 0) - (order.get(other.chain) ?? 0) || one.number - other.number)
  return { rules, isFewest: blame.isFewest }
}

/** Gives the rules that take one packet of a set, in order. */
function* takersOf(run: TableRun, stretches: readonly Stretch[], rest: PacketSet): Generator<Taker<RuleRef>> {
  const { sets } = run.ruleSets
  const point = sets.pointOf(rest)
  if (!point) return
  for (const { here, before } of stretches) {
    for (const index of rulesMatching(sets, here, point)) {
      if (index >= before) break
      for (const taker of takerOf(run, here, index)) if (sets.includesPoint(taker.takes, point)) yield taker
    }
  }
}

/** Returns what a rule takes away from the rules after it, of packets as they enter its chain. */
function takerOf(run: TableRun, here: ChainRun, index: number): readonly Taker<RuleRef>[] {
  const { sets } = run.ruleSets
  const end = here.ends[index]
  const match = here.matches[index]
  const rule = here.chain.rules[index]
  if (!end || !match || !rule || end.kind === 'continue') return []
  const isPlain = (here.before[index] ?? []).every(flow => flow.rewriting === sets.unchanged)
  const matching = isPlain ? match.set() : sets.union(...(here.before[index] ?? []).map(flow => matchedPackets(sets, flow, match)))
  const back = end.kind === 'jump' ? sets.union(...(run.runs.get(end.to)?.returned ?? []).map(flow => flow.packets)) : sets.none
  const takes = sets.subtract(matching, back)
  return takes === sets.none ? [] : [{ who: { rule, number: index + 1, chain: here.chain }, takes }]
}

interface Way {
  readonly stretches: readonly Stretch[]
  readonly brought: PacketSet
}

/** Returns the ways from built-in chains to a chain, with what their jumps match; undefined where they are too many. */
function waysTo(run: TableRun, to: Chain): readonly Way[] | undefined {
  const { sets } = run.ruleSets
  const whole: Way[] = []
  const open: { chain: Chain; stretches: readonly Stretch[]; brought: PacketSet }[] = [{ chain: to, stretches: [], brought: sets.every }]
  for (let way = open.pop(); way; way = open.pop()) {
    const here = run.runs.get(way.chain)
    if (way.chain.hook) {
      whole.push({ stretches: way.stretches, brought: sets.intersect(way.brought, here?.start ?? sets.every) })
      continue
    }
    for (const { from, index } of run.calls.get(way.chain) ?? []) {
      const caller = run.runs.get(from)
      if (!caller) continue
      open.push({ chain: from, stretches: [{ here: caller, before: index }, ...way.stretches], brought: sets.intersect(way.brought, caller.matches[index]?.set() ?? sets.every) })
      if (open.length + whole.length > MOST_WAYS) return undefined
    }
  }
  return whole
}
