/** Finds the rules of a chain that match one packet, or that can match packets of which a cube holds, without asking each. */

import { cubesAt, cubesMeeting, indexCubes } from '../packetset/cube-index.ts'
import type { CubeIndex } from '../packetset/cube-index.ts'
import type { PacketCube, PacketPoint, PacketSets } from '../packetset/packet-sets.ts'
import type { RuleMatch } from '../symbolic/rule-sets.ts'
import type { ChainRun } from '../symbolic/run-chain.ts'

/** In shorter chains every rule is asked. */
const SHORT = 24

const indexes = new WeakMap<ChainRun, CubeIndex>()

/** Returns the indices of the rules that match a packet, in order. */
export function rulesMatching(sets: PacketSets, here: ChainRun, point: PacketPoint): readonly number[] {
  return rulesAround(here, point, 0).filter(index => isMatched(sets, here.matches[index], point))
}

/** Returns the indices of the rules from one on that match a packet or may do so, since they have forgetful variables; in order. */
export function rulesComing(sets: PacketSets, here: ChainRun, point: PacketPoint, from: number): readonly number[] {
  return rulesAround(here, point, from).filter(index => here.matches[index]?.isForgetful === true || isMatched(sets, here.matches[index], point))
}

function rulesAround(here: ChainRun, point: PacketPoint, from: number): readonly number[] {
  const { matches } = here
  if (matches.length - from <= SHORT) return everyIndex(from, matches.length)
  return cubesAt(indexOf(here), point).filter(index => index >= from)
}

/** Returns the indices of the rules from one on that can match packets of which the cube holds, in order. */
export function rulesMeeting(here: ChainRun, hull: PacketCube, from: number): readonly number[] {
  if (here.matches.length - from <= SHORT) return everyIndex(from, here.matches.length)
  return cubesMeeting(indexOf(here), hull).filter(index => index >= from)
}

/** Tells whether a rule matches a packet. */
export function isMatched(sets: PacketSets, match: RuleMatch | undefined, point: PacketPoint): boolean {
  if (!match || match.cube === 'never') return false
  return match.cube ? match.cube.every(literal => (point[literal >> 1] ?? 0) === (literal & 1)) : sets.includesPoint(match.set(), point)
}

function indexOf(here: ChainRun): CubeIndex {
  const known = indexes.get(here) ?? indexCubes(here.matches.map(match => (match.cube === 'never' ? undefined : match.hull())))
  indexes.set(here, known)
  return known
}

function everyIndex(from: number, to: number): readonly number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, place) => from + place)
}
