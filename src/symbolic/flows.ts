/** Packets on their way through one table, with what was rewritten in them so far. */

import type { PacketSet, PacketSets } from '../packetset/packet-sets.ts'
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
export function matched(sets: PacketSets, flow: Flow, match: RuleMatch): Flow {
  const { packets, rewriting } = flow
  if (match.cube === 'never') return { packets: sets.none, rewriting }
  if (match.cube && !sets.touches(rewriting, match.cube)) return { packets: sets.intersectCube(packets, match.cube), rewriting }
  if (rewriting !== sets.unchanged) return { packets: sets.intersect(packets, sets.readBack(match.set(), rewriting)), rewriting }
  return { packets: sets.intersect(packets, match.set()), rewriting }
}

/** Returns the part of a flow that a rule does not match. */
export function unmatched(sets: PacketSets, flow: Flow, match: RuleMatch): Flow {
  const { packets, rewriting } = flow
  if (match.cube === 'never') return flow
  if (match.cube && !sets.touches(rewriting, match.cube)) return { packets: sets.subtractCube(packets, match.cube), rewriting }
  if (rewriting !== sets.unchanged) return { packets: sets.subtract(packets, sets.readBack(match.set(), rewriting)), rewriting }
  return { packets: sets.subtract(packets, match.set()), rewriting }
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
