/** Packets for the cells of a matrix: each was sent through the rules, and got there. */

import type { Ruleset } from '../ir/ruleset.ts'
import { writeProbe } from '../packet/write-packet.ts'
import type { ReachMatrix } from './matrix.ts'
import { addressesSet } from './matrix-conditions.ts'
import { replaySample } from './replay.ts'
import type { Condition } from './replay.ts'

/** A packet from a row to a column, in the packet notation, and what had to be so for free variables. */
export interface MatrixExample {
  readonly row: number
  readonly column: number
  readonly probe: string
  readonly conditions: readonly Condition[]
}

/** Returns a packet for each of the first cells that let packets through, at most `limit`. */
export function examplesOf({ passage: { space, fates, variables }, sources, destinations, cells }: ReachMatrix, ruleset: Ruleset, limit: number): readonly MatrixExample[] {
  const { sets } = space
  const open = cells.flatMap((row, at) => row.flatMap(({ kind }, column) => (kind === 'yes' || kind === 'some' ? [{ row: at, column }] : [])))
  return open.slice(0, limit).flatMap(({ row, column }): MatrixExample[] => {
    const pair = sets.intersect(addressesSet(sets, 'ip.src', sources[row] ?? []), addressesSet(sets, 'ip.dst', destinations[column] ?? []))
    for (const fate of fates) {
      if (!sets.meets(fate.set, pair)) continue
      const replay = replaySample({ space, ruleset, fate, set: sets.intersect(fate.set, pair), variables })
      if (replay?.isConfirmed) return [{ row, column, probe: writeProbe(replay.probe), conditions: replay.conditions }]
    }
    return []
  })
}
