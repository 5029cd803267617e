/** How many rules a packet is compared with: what the counters of a save tell, and without them the most that there can be. */

import type { Chain } from '../../ir/ruleset.ts'
import type { DraftRule, DraftTable } from './draft.ts'

/** Rules of a table that a packet is compared with. */
export interface Cost {
  /** On average, by the counters; undefined where there are none. */
  readonly average: number | undefined
  /** At most, whatever packet it is. */
  readonly most: number
}

/** Returns what a table costs where so many packets enter its built-in chains. */
export function costOf(draft: DraftTable, entering: ReadonlyMap<Chain, number>): Cost {
  return { average: hasCounters(draft) ? averageOf(draft, entering) : undefined, most: mostOf(draft) }
}

/** Tells whether any rule of a table counted a packet. */
export function hasCounters({ rules }: DraftTable): boolean {
  return [...rules.values()].some(list => list.some(({ packets }) => packets > 0))
}

/** Returns the packets that enter each built-in chain with rules: those that rules take, and those of its policy. No step changes them. */
export function enteringOf(draft: DraftTable): ReadonlyMap<Chain, number> {
  const flows = flowsOf(draft)
  return new Map([...draft.rules].flatMap(([chain, list]) => (chain.hook && list.length > 0 ? [[chain, list.reduce((sum, one) => sum + endedBy(one, flows), Number(chain.counters?.packets ?? 0n))] as const] : [])))
}

/** The share of a chain's packets that comes back from it. Where a chain has several callers, it is taken to be the same for each. */
export type Flows = ReadonlyMap<string, { readonly returning: number }>

/** Returns the flows of a table's chains by name. */
export function flowsOf({ rules }: DraftTable): Flows {
  const entering = broughtByJumps(rules)
  const flows = new Map<string, { readonly returning: number }>()
  for (const chain of calleesFirst(rules)) {
    const all = entering.get(chain.name) ?? 0
    const ended = (rules.get(chain) ?? []).reduce((sum, draft) => sum + endedBy(draft, flows), 0)
    flows.set(chain.name, { returning: all === 0 ? 1 : Math.max(0, 1 - ended / all) })
  }
  return flows
}

/** Returns the packets that a rule takes away from the rules after it. */
export function takenBy(draft: DraftRule, flows: Flows): number {
  const { kind } = draft.act.end
  return kind === 'back' || kind === 'goto' ? draft.packets : endedBy(draft, flows)
}

/** Packets whose way through the table ends with a rule, or in the chain that it jumps to. */
function endedBy({ act: { end }, packets }: DraftRule, flows: Flows): number {
  if (end.kind === 'decide') return packets
  return 'to' in end ? packets * (1 - (flows.get(end.to)?.returning ?? 1)) : 0
}

function broughtByJumps(rules: DraftTable['rules']): ReadonlyMap<string, number> {
  const brought = new Map<string, number>()
  for (const list of rules.values()) for (const { act: { end }, packets } of list) if ('to' in end) brought.set(end.to, (brought.get(end.to) ?? 0) + packets)
  return brought
}

function averageOf(draft: DraftTable, entering: ReadonlyMap<Chain, number>): number | undefined {
  const flows = flowsOf(draft)
  const brought = broughtByJumps(draft.rules)
  let [compared, packets] = [0, 0]
  for (const [chain, list] of draft.rules) {
    let left = (chain.hook ? entering.get(chain) : brought.get(chain.name)) ?? 0
    if (chain.hook) packets += left
    for (const one of list) {
      compared += left
      left = Math.max(0, left - takenBy(one, flows))
    }
  }
  return packets === 0 ? undefined : compared / packets
}

/** Whatever a packet is like, it is compared with at most so many rules in one hook. */
function mostOf({ rules }: DraftTable): number {
  const most = new Map<string, number>()
  for (const chain of calleesFirst(rules)) {
    const longest = (rules.get(chain) ?? []).reduceRight((rest, { act: { end } }) => {
      const inner = 'to' in end ? (most.get(end.to) ?? 0) : 0
      return 1 + (end.kind === 'jump' ? inner + rest : Math.max(inner, rest))
    }, 0)
    most.set(chain.name, longest)
  }
  return Math.max(0, ...[...rules.keys()].flatMap(chain => (chain.hook ? [most.get(chain.name) ?? 0] : [])))
}

/** Walked with an explicit stack: generated rulesets nest deep. */
function calleesFirst(rules: ReadonlyMap<Chain, readonly DraftRule[]>): readonly Chain[] {
  const byName = new Map([...rules.keys()].map(chain => [chain.name, chain]))
  const seen = new Set<Chain>()
  const done: Chain[] = []
  for (const root of rules.keys()) {
    const stack = seen.has(root) ? [] : [{ chain: root, next: calledBy(rules, byName, root) }]
    seen.add(root)
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const to = top.next.pop()
      if (to === undefined) {
        done.push(top.chain)
        stack.pop()
      } else if (!seen.has(to)) {
        seen.add(to)
        stack.push({ chain: to, next: calledBy(rules, byName, to) })
      }
    }
  }
  return done
}

function calledBy(rules: ReadonlyMap<Chain, readonly DraftRule[]>, byName: ReadonlyMap<string, Chain>, chain: Chain): Chain[] {
  return (rules.get(chain) ?? []).flatMap(({ act: { end } }) => ('to' in end ? (byName.get(end.to) ?? []) : []))
}
