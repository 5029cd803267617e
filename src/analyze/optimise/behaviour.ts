/**
 * What a list of rules does to packets, and whether two lists do the same: for each way to fare (what is noticed and done on the way, in
 * order, and where it ends) the packets that fare so. Two lists are equal where every way has the same packets. See README.md.
 */

import type { PacketSet } from '../../packetset/packet-sets.ts'
import { touchedBy } from './chain-facts.ts'
import type { ChainFacts } from './chain-facts.ts'
import { joinTouched, touches } from './rule-acts.ts'
import type { ActSpace, RuleAct, Touched } from './rule-acts.ts'

/** Where lists are compared: the acts' space, and what jumps of their table amount to. */
export interface ProofSpace extends ActSpace {
  readonly facts: ReadonlyMap<string, ChainFacts>
}

/** Packets by the way they fare, which is a text; packets that come to the list's end are under `ON`. */
type Behaviour = ReadonlyMap<string, PacketSet>

const ON = 'on'

/** More ways to fare than this are not told apart: nothing is proved then. */
const MOST_WAYS = 64

/** Tells whether two lists of rules do the same to every packet, and would be seen to do the same. */
export function behaveAlike(space: ProofSpace, before: readonly RuleAct[], after: readonly RuleAct[]): boolean {
  const [one, other] = [behaviourOf(space, before), behaviourOf(space, after)]
  return one !== undefined && other !== undefined && one.size === other.size && [...one].every(([way, set]) => other.get(way) === set)
}

/** How many pairs of rules may still be compared; a pair that has to be walked through counts for many. */
export interface PairBudget {
  pairs: number
}

/** How many quick comparisons one walk takes as long as. */
const WALK = 100

/** Tells whether two neighbours may change places; where the budget is used up, that they may not. */
export function commute(space: ProofSpace, first: RuleAct, second: RuleAct, budget: PairBudget): boolean {
  if (budget.pairs-- <= 0) return false
  if (isQuiet(first) && isQuiet(second) && hasSameEnd(first, second)) return true
  if (!first.noticed && !second.noticed && areApart(space, first, second) && !interfere(space, first, second)) return true
  if (isQuiet(first) && isQuiet(second) && !('to' in first.end) && !('to' in second.end)) return false
  budget.pairs -= WALK
  return behaveAlike(space, [first, second], [second, first])
}

/** A rule of which nothing is seen but what becomes of its packets. */
function isQuiet({ noticed, deed }: RuleAct): boolean {
  return noticed === undefined && deed === undefined
}

function hasSameEnd({ end: one }: RuleAct, { end: other }: RuleAct): boolean {
  if (one.kind === 'decide') return other.kind === 'decide' && one.fate === other.fate
  return one.kind === other.kind && (one.kind === 'back' || (one.kind === 'goto' && other.kind === 'goto' && one.to === other.to))
}

function areApart({ sets }: ProofSpace, one: RuleAct, other: RuleAct): boolean {
  if (one.cube === 'never' || other.cube === 'never') return true
  if (one.cube && other.cube) return cubesApart(one.cube, other.cube)
  if (one.cube) return !sets.meetsCube(other.set(), one.cube)
  return other.cube ? !sets.meetsCube(one.set(), other.cube) : !sets.meets(one.set(), other.set())
}

/** Literals stand in order: cubes are apart where one has a bit that the other excludes. */
function cubesApart(one: readonly number[], other: readonly number[]): boolean {
  let at = 0
  for (const literal of one) {
    while ((other[at] ?? Infinity) >> 1 < literal >> 1 && at < other.length) at++
    if (other[at] === (literal ^ 1)) return true
  }
  return false
}

/** Packets that one of them rewrites could be others to the other. */
function interfere(space: ProofSpace, one: RuleAct, other: RuleAct): boolean {
  const [left, right] = [touchedBy(one, space.facts), touchedBy(other, space.facts)]
  return touches(left.writes, right.reads) || touches(right.writes, left.reads)
}

/** Packets that fared alike so far; `trail` says how. */
interface Walker {
  readonly trail: string
  readonly packets: PacketSet
}

/** What a walk through a list collects. */
interface Walk extends ProofSpace {
  readonly ways: Map<string, PacketSet[]>
}

function behaviourOf(space: ProofSpace, acts: readonly RuleAct[]): Behaviour | undefined {
  const { sets } = space
  const walk: Walk = { ...space, ways: new Map() }
  let walkers: readonly Walker[] = [{ trail: '', packets: sets.every }]
  for (const [index, act] of acts.entries()) {
    const rest = acts.slice(index + 1)
    walkers = joinWalkers(walk, walkers.flatMap(walker => pass(walk, walker, act, rest)))
    if (walkers.length + walk.ways.size > MOST_WAYS) return undefined
  }
  for (const { trail, packets } of walkers) arrive(walk, `${trail}${ON}`, packets)
  return new Map([...walk.ways].map(([way, parts]) => [way, sets.union(...parts)]))
}

function arrive({ sets, ways }: Walk, way: string, packets: PacketSet): void {
  if (packets === sets.none) return
  const parts = ways.get(way)
  if (parts) parts.push(packets)
  else ways.set(way, [packets])
}

function joinWalkers({ sets }: Walk, walkers: readonly Walker[]): readonly Walker[] {
  if (walkers.length < 2) return walkers
  const joined = new Map<string, PacketSet[]>()
  for (const { trail, packets } of walkers) joined.get(trail)?.push(packets) ?? joined.set(trail, [packets])
  return [...joined].map(([trail, parts]) => ({ trail, packets: sets.union(...parts) })).filter(({ packets }) => packets !== sets.none)
}

/** Returns the packets that come to the next rule. */
function pass(walk: Walk, { trail, packets }: Walker, act: RuleAct, rest: readonly RuleAct[]): readonly Walker[] {
  const { sets } = walk
  if (!act.noticed) return meet(walk, { trail, packets }, act, rest)
  const noticed = sets.intersect(packets, act.noticed())
  const others = sets.subtract(packets, noticed)
  return [{ trail, packets: others }, ...(noticed === sets.none ? [] : meet(walk, { trail: `${trail}rule ${act.id} asked; `, packets: noticed }, act, rest))]
}

function meet(walk: Walk, { trail, packets }: Walker, act: RuleAct, rest: readonly RuleAct[]): readonly Walker[] {
  const { sets } = walk
  const [hit, missed] = typeof act.cube === 'object' ? [sets.intersectCube(packets, act.cube), sets.subtractCube(packets, act.cube)] : [sets.intersect(packets, act.set()), sets.subtract(packets, act.set())]
  const onward = { trail, packets: missed }
  if (hit === sets.none) return [onward]
  return [onward, ...follow(walk, { trail: act.deed === undefined ? trail : `${trail}${act.deed}; `, packets: hit }, act, rest)]
}

/** Returns what goes on behind a matching rule. */
function follow(walk: Walk, { trail, packets }: Walker, act: RuleAct, rest: readonly RuleAct[]): readonly Walker[] {
  const { end } = act
  switch (end.kind) {
    case 'decide':
      arrive(walk, `${trail}${end.fate}`, packets)
      return []
    case 'back':
      arrive(walk, `${trail}back`, packets)
      return []
    case 'goto':
      arrive(walk, `${trail}goto ${end.to}`, packets)
      return []
    case 'on':
      return goOn(walk, { trail, packets }, act.writes, rest)
    default:
      return call(walk, { trail, packets }, end.to, rest)
  }
}

/** What was rewritten may match otherwise from here on: then only the same rules do the same. */
function goOn(walk: Walk, { trail, packets }: Walker, writes: Touched, rest: readonly RuleAct[]): readonly Walker[] {
  const reads = joinTouched(rest.map(act => touchedBy(act, walk.facts).reads))
  const isRead = touches(writes, reads) || (rest.some(({ noticed }) => noticed) && touches(writes, 'all'))
  if (!isRead) return [{ trail, packets }]
  arrive(walk, `${trail}then rules ${rest.map(({ id }) => id).join(',')}`, packets)
  return []
}

function call(walk: Walk, { trail, packets }: Walker, to: string, rest: readonly RuleAct[]): readonly Walker[] {
  const { sets, facts } = walk
  const known = facts.get(to)
  if (known?.ends) {
    for (const [fate, set] of known.ends.fates) arrive(walk, `${trail}${fate}`, sets.intersect(packets, set))
    return [{ trail, packets: sets.intersect(packets, known.ends.back) }]
  }
  const called = `${trail}call ${to}; `
  const returns = sets.setOfFree(`${called}and back`, `what was sent to ${to} comes back`)
  arrive(walk, `${called}end there`, sets.subtract(packets, returns))
  return goOn(walk, { trail: called, packets: sets.intersect(packets, returns) }, known?.writes ?? 'all', rest)
}
