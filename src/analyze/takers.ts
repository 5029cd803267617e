/** The rules that take packets away from those behind them, found by packet: what each takes, and where to look, is found once for each chain. */

import type { Chain } from '../ir/ruleset.ts'
import { cubesAt, cubesSieved, indexCubes, sieveCubes } from '../packetset/cube-index.ts'
import type { CubeIndex, CubeSieve } from '../packetset/cube-index.ts'
import type { PacketCube, PacketPoint, PacketSet, PacketSets } from '../packetset/packet-sets.ts'
import type { ChainRun, TableRun } from '../symbolic/run-chain.ts'
import { isMatched } from './rule-index.ts'
import { matchedPackets } from './rule-reach.ts'
import type { RuleRef } from './rule-reach.ts'
import type { Taker } from './shadowing.ts'

/** Gives the rules of a chain before an index that take a packet, as it enters the chain; in order. */
export type TakersAt = (here: ChainRun, before: number, point: PacketPoint) => Generator<Taker<RuleRef>>

/** Chains with fewer rules are gone through rule by rule. */
const FEW = 24

/** For the first packets rules are passed over at a glance: to find where to look takes as long as some hundred such walks. */
const WALKS = 300

/** What is known of one chain. */
interface TakingChain {
  /** By the rule's index, as far as it was asked for. */
  readonly takes: (PacketSet | undefined)[]
  /** How many packets were asked about. */
  walks: number
  readonly sieve: CubeSieve | undefined
  /** Where to look in a chain of many rules. */
  places: CubeIndex | undefined
}

/** Returns how takers are found in a table. */
export function takersIn(run: TableRun): TakersAt {
  const { sets } = run.ruleSets
  const chains = new Map<ChainRun, TakingChain>()
  let hulls: ReadonlyMap<Chain, Hull> | undefined
  const placesIn = (here: ChainRun): CubeIndex => {
    const known = (hulls ??= decidedHulls(run))
    return indexCubes(here.matches.map((_, index) => hullAt(run, here, index, known)).map(hull => (hull === 'never' ? undefined : hull)))
  }
  return function* (here, before, point) {
    const chain = chains.get(here) ?? { takes: [], walks: 0, sieve: here.matches.length < FEW ? undefined : sieveIn(here), places: undefined }
    chains.set(here, chain)
    if (chain.sieve && chain.walks++ >= WALKS) chain.places ??= placesIn(here)
    for (const index of chain.places ? cubesAt(chain.places, point, 0) : chain.sieve ? cubesSieved(chain.sieve, point, before) : here.matches.keys()) {
      if (index >= before) return
      const rule = here.chain.rules[index]
      if (!rule || !isMatched(sets, here.matches[index], point)) continue
      const takes = (chain.takes[index] ??= takenBy(run, here, index))
      if (sets.includesPoint(takes, point)) yield { who: { rule, number: index + 1, chain: here.chain }, takes }
    }
  }
}

function sieveIn({ matches }: ChainRun): CubeSieve {
  return sieveCubes(matches.map(match => (match.cube === 'never' ? undefined : match.hull())))
}

/** Returns what a rule takes away from the rules after it, of packets as they enter its chain. */
function takenBy(run: TableRun, here: ChainRun, index: number): PacketSet {
  const { sets } = run.ruleSets
  const end = here.ends[index]
  const match = here.matches[index]
  if (!end || !match || end.kind === 'continue') return sets.none
  const matching = isPlainAt(sets, here, index) ? match.set() : sets.union(...(here.before[index] ?? []).map(flow => matchedPackets(sets, flow, match)))
  const back = end.kind === 'jump' ? sets.union(...(run.runs.get(end.to)?.returned ?? []).map(flow => flow.packets)) : sets.none
  return sets.subtract(matching, back)
}

/** Tells whether packets come to a rule as they entered its chain. */
function isPlainAt(sets: PacketSets, here: ChainRun, index: number): boolean {
  return (here.before[index] ?? []).every(flow => flow.rewriting === sets.unchanged)
}

/** A cube that holds of all packets of a set; 'never' of the empty one. */
type Hull = PacketCube | 'never'

/** Returns for each chain what holds of all packets that do not come back from it, as they enter it: callees first. Where nothing is known the chain is left out. */
function decidedHulls(run: TableRun): ReadonlyMap<Chain, Hull> {
  const hulls = new Map<Chain, Hull>()
  for (const chain of run.order.toReversed()) {
    const here = run.runs.get(chain)
    const hull = here && decidedHull(run, here, hulls)
    if (hull) hulls.set(chain, hull)
  }
  return hulls
}

/** What a rewritten packet is like tells nothing about how it entered the chain. */
function decidedHull(run: TableRun, here: ChainRun, hulls: ReadonlyMap<Chain, Hull>): Hull | undefined {
  const { sets } = run.ruleSets
  let hull: Hull = 'never'
  for (const [index, { kind }] of here.ends.entries()) {
    if (kind === 'continue' || kind === 'return') continue
    if (!isPlainAt(sets, here, index)) return undefined
    const own = hullAt(run, here, index, hulls)
    hull = hull === 'never' ? own : own === 'never' ? hull : sets.commonCube(hull, own)
    if (hull.length === 0) return undefined
  }
  return hull
}

/** Returns what holds of all packets that a rule takes. */
function hullAt({ ruleSets: { sets } }: TableRun, here: ChainRun, index: number, hulls: ReadonlyMap<Chain, Hull>): Hull {
  const end = here.ends[index]
  const match = here.matches[index]
  if (!end || !match || end.kind === 'continue' || match.cube === 'never') return 'never'
  const inner = end.kind === 'jump' && isPlainAt(sets, here, index) ? hulls.get(end.to) : undefined
  return inner === undefined ? match.hull() : inner === 'never' ? 'never' : sets.joinCubes(match.hull(), inner)
}
