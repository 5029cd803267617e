/** Finds the rules of a chain that match one packet, or that can match packets of which a cube holds, without asking each. */

import { cubesAt, cubesMeet, cubesMeeting, indexCubes } from '../packetset/cube-index.ts'
import type { CubeIndex } from '../packetset/cube-index.ts'
import type { PacketCube, PacketPoint, PacketSets } from '../packetset/packet-sets.ts'
import type { RuleMatch } from '../symbolic/rule-sets.ts'
import type { ChainRun } from '../symbolic/run-chain.ts'

/** So many rules are tried before the index is asked: most searches end there. */
const TRIED = 24

const indexes = new WeakMap<ChainRun, CubeIndex>()

/** Gives the indices of the rules from one on that match a packet or may do so, since they have forgetful variables; in order. */
export function* rulesComing(sets: PacketSets, here: ChainRun, point: PacketPoint, from: number): Generator<number> {
  for (const index of rulesAround(here, from, last => cubesAt(indexOf(here), point, last))) if (here.matches[index]?.isForgetful === true || isMatched(sets, here.matches[index], point)) yield index
}

/** Gives the indices of the rules from one on, in order, but some that cannot match packets of which the cube holds. */
export function* rulesMeeting(here: ChainRun, hull: PacketCube, from: number): Generator<number> {
  const last = Math.min(from + TRIED, here.matches.length)
  for (let index = from; index < last; index++) {
    const match = here.matches[index]
    if (match && match.cube !== 'never' && cubesMeet(hull, match.hull())) yield index
  }
  if (last < here.matches.length) yield* cubesMeeting(indexOf(here), hull, last)
}

function* rulesAround({ matches }: ChainRun, from: number, find: (from: number) => readonly number[]): Generator<number> {
  const last = Math.min(from + TRIED, matches.length)
  for (let index = from; index < last; index++) yield index
  if (last < matches.length) yield* find(last)
}

/** Tells whether a rule matches a packet. */
export function isMatched(sets: PacketSets, match: RuleMatch | undefined, point: PacketPoint): boolean {
  if (!match || match.cube === 'never') return false
  if (match.cube) return isInCube(match.cube, point)
  return isInCube(match.hull(), point) && (match.cubes()?.some(cube => isInCube(cube, point)) ?? sets.includesPoint(match.set(), point))
}

function isInCube(cube: PacketCube, point: PacketPoint): boolean {
  for (const literal of cube) if ((point[literal >> 1] ?? 0) !== (literal & 1)) return false
  return true
}

function indexOf(here: ChainRun): CubeIndex {
  const known = indexes.get(here) ?? indexCubes(here.matches.map(match => (match.cube === 'never' ? undefined : match.hull())))
  indexes.set(here, known)
  return known
}
