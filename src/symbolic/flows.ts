/** Packets on their way through one table, with what was rewritten in them so far. */

import type { PacketCube, PacketSet, PacketSets } from '../packetset/packet-sets.ts'
import type { Rewriting } from '../packetset/rewrite.ts'
import type { RuleMatch } from './rule-sets.ts'

/** Packets, as they were at the beginning, that were rewritten in one way. */
export interface Flow {
  readonly packets: PacketSet
  readonly rewriting: Rewriting
}

/** Returns `next` of what `first` brings: its packets read back, its rewriting after the first. */
export function through(sets: PacketSets, first: Flow, next: Flow): Flow {
  const packets = first.rewriting === sets.unchanged ? next.packets : sets.readBack(next.packets, first.rewriting)
  return { packets: sets.intersect(first.packets, packets), rewriting: sets.compose(first.rewriting, next.rewriting) }
}

/** Returns the part of a flow that a rule matches. */
export function matched(sets: PacketSets, { packets, rewriting }: Flow, match: RuleMatch): Flow {
  const cubes = untouchedCubes(sets, rewriting, match)
  const [first] = cubes ?? []
  if (first && cubes?.length === 1) return { packets: sets.intersectCube(packets, first), rewriting }
  return { packets: cubes ? sets.union(...cubes.map(cube => sets.intersectCube(packets, cube))) : sets.intersect(packets, readBack(sets, rewriting, match)), rewriting }
}

/** Returns the part of a flow that a rule does not match. */
export function unmatched(sets: PacketSets, { packets, rewriting }: Flow, match: RuleMatch): Flow {
  const cubes = untouchedCubes(sets, rewriting, match)
  return { packets: cubes ? cubes.reduce((left, cube) => sets.subtractCube(left, cube), packets) : sets.subtract(packets, readBack(sets, rewriting, match)), rewriting }
}

/** Tells whether a rule matches any packet of a set; without making the set. */
export function matchesAny(sets: PacketSets, packets: PacketSet, match: RuleMatch): boolean {
  return match.cubes()?.some(cube => sets.meetsCube(packets, cube)) ?? sets.meets(packets, match.set())
}

/** What a rule matches as cubes of packets as they were at the beginning, where they are few and nothing that they ask for was rewritten. */
function untouchedCubes(sets: PacketSets, rewriting: Rewriting, match: RuleMatch): readonly PacketCube[] | undefined {
  const cubes = match.cubes()
  return cubes?.some(cube => sets.touches(rewriting, cube)) ? undefined : cubes
}

function readBack(sets: PacketSets, rewriting: Rewriting, match: RuleMatch): PacketSet {
  return rewriting === sets.unchanged ? match.set() : sets.readBack(match.set(), rewriting)
}

/** Returns flows of one rewriting as one, without the empty ones. */
export function joinFlows(sets: PacketSets, flows: readonly Flow[]): readonly Flow[] {
  if (flows.length === 1 && flows[0]?.packets !== sets.none) return flows
  const joined = new Map<Rewriting, PacketSet[]>()
  for (const { packets, rewriting } of flows) {
    if (packets === sets.none) continue
    const parts = joined.get(rewriting)
    if (parts) parts.push(packets)
    else joined.set(rewriting, [packets])
  }
  return [...joined].map(([rewriting, parts]) => ({ packets: sets.union(...parts), rewriting }))
}
