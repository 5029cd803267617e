/** The rules that take every packet of a dead rule: of its own chain, and of the chains that jump to it. */

import type { Chain } from '../ir/ruleset.ts'
import type { PacketSet, PacketSets } from '../packetset/packet-sets.ts'
import { matchesAny } from '../symbolic/flows.ts'
import type { RuleMatch } from '../symbolic/rule-sets.ts'
import type { ChainRun, TableRun } from '../symbolic/run-chain.ts'
import { matchedPackets } from './rule-reach.ts'
import type { RuleRef } from './rule-reach.ts'
import { fewestTakers } from './shadowing.ts'
import type { Taker } from './shadowing.ts'
import { takersIn } from './takers.ts'
import type { TakersAt } from './takers.ts'

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

/** One way from a built-in chain to a chain, with what its jumps match. */
interface Way {
  readonly stretches: readonly Stretch[]
  readonly brought: PacketSet
}

/** What is looked for in one table: its takers, and the ways to its chains, which many dead rules of a chain have in common. */
interface Search {
  readonly run: TableRun
  readonly takersAt: TakersAt
  readonly ways: Map<Chain, readonly Way[] | undefined>
}

/** Returns the function that says of a table's dead rules who decides every packet that they would match; undefined where the ways to one are too many or packets change on the way. */
export function blamesIn(run: TableRun): (at: RuleRef) => RuleBlame | undefined {
  const search: Search = { run, takersAt: takersIn(run), ways: new Map() }
  return at => blameFor(search, at)
}

function blameFor(search: Search, { chain, number }: RuleRef): RuleBlame | undefined {
  const { run, ways } = search
  const { sets } = run.ruleSets
  const here = run.runs.get(chain)
  const match = here?.matches[number - 1]
  if (!here || !match) return undefined
  const own = { here, before: number - 1 }
  const matching = matchedPackets(sets, { packets: here.start, rewriting: sets.unchanged }, match)
  const local = isMetWithin(sets, here, number - 1, match) ? undefined : cover(search, [own], matching)
  if (local) return local
  if (!ways.has(chain)) ways.set(chain, waysTo(run, chain))
  const blames = ways.get(chain)?.map(({ stretches, brought }) => cover(search, [...stretches, own], sets.intersect(brought, matching)))
  const rules = new Map(blames?.flatMap(blame => (blame ? blame.rules.map(ref => [ref.rule.id, ref] as const) : [])))
  return !blames || blames.includes(undefined) || rules.size === 0 ? undefined : { rules: [...rules.values()], isFewest: blames.length === 1 && blames[0]?.isFewest === true }
}

/** Tells whether a rule is dead for what comes to its chain only: rules of the chain itself then leave it some packets. */
function isMetWithin(sets: PacketSets, { before }: ChainRun, index: number, match: RuleMatch): boolean {
  return (before[index] ?? []).some(flow => (flow.rewriting === sets.unchanged ? matchesAny(sets, flow.packets, match) : matchedPackets(sets, flow, match) !== sets.none))
}

/** Covers what a rule would match with rules that stand before it. */
function cover({ run, takersAt }: Search, stretches: readonly Stretch[], wanted: PacketSet): RuleBlame | undefined {
  const order = new Map(stretches.map(({ here }, index) => [here.chain, index]))
  const blame = fewestTakers(run.ruleSets.sets, wanted, rest => takersOf(run, takersAt, stretches, rest))
  if (!blame) return undefined
  const rules = [...blame.who].sort((one, other) => (order.get(one.chain) ?? 0) - (order.get(other.chain) ?? 0) || one.number - other.number)
  return { rules, isFewest: blame.isFewest }
}

/** Gives the rules that take one packet of a set, in order. */
function* takersOf({ ruleSets: { sets } }: TableRun, takersAt: TakersAt, stretches: readonly Stretch[], rest: PacketSet): Generator<Taker<RuleRef>> {
  const point = sets.pointOf(rest)
  if (point) for (const { here, before } of stretches) yield* takersAt(here, before, point)
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
