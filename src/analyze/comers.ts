/**
 * Whether packets come to a chain. One packet that does is enough: it is looked for along the ways from built-in chains, in all sets that it
 * must be in at once, without making one. What arrives at the chain in all is asked only where that does not tell.
 */

import type { Chain } from '../ir/ruleset.ts'
import type { PacketCube, PacketPoint, PacketSet, PacketSets } from '../packetset/packet-sets.ts'
import { matched, matchesAny } from '../symbolic/flows.ts'
import type { Flow } from '../symbolic/flows.ts'
import type { RuleMatch } from '../symbolic/rule-sets.ts'
import type { ChainRun, TableRun } from '../symbolic/run-chain.ts'
import { isMatched } from './rule-index.ts'

/** A rule that jumps to a chain: which of the chain's calls it is, and where it stands. */
export interface Call {
  readonly number: number
  readonly from: Chain
  readonly index: number
}

/** A packet that nothing rewrites, and the calls by which it comes to the chain, the nearest first. */
export interface Comer {
  readonly point: PacketPoint
  readonly way: readonly Call[]
}

/** Packets that are in all these sets and in the cube. */
interface Wanted {
  readonly sets: readonly PacketSet[]
  readonly cube: PacketCube
}

/** A search along the ways to a chain. */
interface Search {
  readonly run: TableRun
  /** By chain, which of its calls is tried first. */
  readonly firstCalls: ReadonlyMap<Chain, number>
  /** Calls that may be tried. */
  calls: number
  readonly patience: { steps: number }
  /** Some way was left out, since packets are rewritten on it. */
  isPartial: boolean
}

/** A packet that comes to a called chain, found for one of its rules: often it shows that others are reached too. */
const known = new WeakMap<ChainRun, PacketPoint>()

const NO_FIRST_CALLS: ReadonlyMap<Chain, number> = new Map()

/** Calls that are tried for one packet. */
const CALLS = 1000

/** Steps from variable to variable in the search for one packet; one that finds it at once takes some hundred. */
const STEPS = 4000

/** Tells whether any packet of a set, of packets as they enter the chain, really comes to it. */
export function comesTo(run: TableRun, chain: Chain, set: PacketSet): boolean {
  const { sets } = run.ruleSets
  const here = run.runs.get(chain)
  if (chain.hook) return sets.meets(set, here?.start ?? sets.none)
  const point = here && known.get(here)
  if (point && sets.includesPoint(set, point)) return true
  return set !== sets.none && comes(run, chain, { sets: [set], cube: sets.noLiterals }, () => set)
}

/** Tells whether any packet comes to a rule and matches it. */
export function comesToRule(run: TableRun, here: ChainRun, index: number): boolean {
  const { sets } = run.ruleSets
  const { chain, matches, before } = here
  const match = matches[index]
  if (!match || match.cube === 'never') return false
  const flows = before[index] ?? []
  const point = known.get(here)
  if (point && flows.some(flow => sets.includesPoint(flow.packets, point) && isMatchedIn(sets, flow, match, point))) return true
  return flows.some(flow => {
    if (flow.rewriting !== sets.unchanged) return comesTo(run, chain, matched(sets, flow, match).packets)
    return matchesAny(sets, flow.packets, match) && (chain.hook !== undefined || comes(run, chain, wantedBy(flow, match), () => matched(sets, flow, match).packets))
  })
}

/** Tells whether a rule matches a packet of a flow. */
function isMatchedIn(sets: PacketSets, flow: Flow, match: RuleMatch, point: PacketPoint): boolean {
  return flow.rewriting === sets.unchanged ? isMatched(sets, match, point) : sets.includesPoint(matched(sets, flow, match).packets, point)
}

/** Returns a packet that comes to a rule as it is and that the rule matches; undefined where none was found at once. `firstCalls`: by chain, which of its calls is tried first. */
export function comerTo(run: TableRun, { chain, matches, before }: ChainRun, index: number, firstCalls: ReadonlyMap<Chain, number>): Comer | undefined {
  const { sets } = run.ruleSets
  const match = matches[index]
  const flow = before[index]?.find(({ rewriting }) => rewriting === sets.unchanged)
  return match && flow && match.cube !== 'never' ? find(newSearch(run, firstCalls), chain, wantedBy(flow, match)) : undefined
}

function wantedBy({ packets }: Flow, match: RuleMatch): Wanted {
  return typeof match.cube === 'object' ? { sets: [packets], cube: match.cube } : { sets: [packets, match.beside()], cube: match.hull() }
}

function newSearch(run: TableRun, firstCalls: ReadonlyMap<Chain, number>): Search {
  return { run, firstCalls, calls: CALLS, patience: { steps: STEPS }, isPartial: false }
}

function comes(run: TableRun, chain: Chain, wanted: Wanted, setOf: () => PacketSet): boolean {
  const { sets } = run.ruleSets
  const arrivals = [...run.arrivals.values()]
  if (!arrivals.every(one => one.isKnown(chain))) {
    const search = newSearch(run, NO_FIRST_CALLS)
    const comer = find(search, chain, wanted)
    const here = run.runs.get(chain)
    if (comer && here) known.set(here, comer.point)
    if (comer) return true
    if (!search.isPartial && search.calls >= 0 && search.patience.steps >= 0) return false
  }
  let set: PacketSet | undefined
  const [only, ...more] = wanted.sets
  return arrivals.some(one => one.at(chain).some(({ packets, rewriting }) => {
    if (rewriting === sets.unchanged && only !== undefined && more.length === 0) return sets.meetInCube(packets, only, wanted.cube)
    set ??= setOf()
    return sets.meets(packets, rewriting === sets.unchanged ? set : sets.readBack(set, rewriting))
  }))
}

function find(search: Search, chain: Chain, wanted: Wanted): Comer | undefined {
  const { run, firstCalls, patience } = search
  const { sets } = run.ruleSets
  if (chain.hook) {
    const point = sets.pointInAll(wanted.sets, wanted.cube, patience)
    return point && { point, way: [] }
  }
  const calls = run.calls.get(chain) ?? []
  const first = firstCalls.get(chain) ?? 0
  for (let count = 0; count < calls.length && search.calls-- > 0 && patience.steps >= 0; count++) {
    const number = (first + count) % calls.length
    const call = calls[number]
    const above = call && wantedAt(search, wanted, call)
    const comer = call && above && find(search, call.from, above)
    if (comer) return { point: comer.point, way: [{ number, ...call }, ...comer.way] }
  }
  return undefined
}

/** Returns what is wanted of a packet as it enters the chain that calls; undefined where the call brings none that is wanted. */
function wantedAt(search: Search, wanted: Wanted, { from, index }: Omit<Call, 'number'>): Wanted | undefined {
  const { sets } = search.run.ruleSets
  const caller = search.run.runs.get(from)
  const match = caller?.matches[index]
  if (!match || match.cube === 'never') return undefined
  const flows = caller?.before[index] ?? []
  const flow = flows.find(({ rewriting }) => rewriting === sets.unchanged)
  if (flows.length > (flow ? 1 : 0)) search.isPartial = true
  if (!flow) return undefined
  const brought = wantedBy(flow, match)
  const cube = sets.joinCubes(wanted.cube, brought.cube)
  return cube === 'never' ? undefined : { sets: [...wanted.sets, ...brought.sets], cube }
}
