/** Sets of packets on their way, kept apart by what became of them. */

import type { PacketSet, PacketSets } from '../packetset/packet-sets.ts'
import type { Rewriting } from './rewriting.ts'

/** Packets to which the same happened: `set` holds them as they were at first. */
export interface PacketClass {
  readonly rewriting: Rewriting
  readonly set: PacketSet
}

/** Classes by their rewriting; no set of them is empty. */
export type Classes = Map<Rewriting, PacketSet>

/** Adds packets to the class of their rewriting. */
export function addClass(sets: PacketSets, classes: Classes, { rewriting, set }: PacketClass): void {
  if (set === sets.none) return
  const known = classes.get(rewriting)
  classes.set(rewriting, known === undefined ? set : sets.union(known, set))
}

/** Returns the classes of a list, those of equal rewritings joined. */
export function joinClasses(sets: PacketSets, list: Iterable<PacketClass>): Classes {
  const lists = new Map<Rewriting, PacketSet[]>()
  for (const { rewriting, set } of list) {
    if (set === sets.none) continue
    const known = lists.get(rewriting)
    if (known) known.push(set)
    else lists.set(rewriting, [set])
  }
  return new Map([...lists].map(([rewriting, parts]) => [rewriting, unionOf(sets, parts)]))
}

/** Returns the union of many sets, taken in pairs so that no large one is rebuilt for every small one. */
export function unionOf(sets: PacketSets, parts: readonly PacketSet[]): PacketSet {
  let level = [...new Set(parts)]
  while (level.length > 1) {
    const next: PacketSet[] = []
    for (let index = 0; index < level.length; index += 2) {
      const one = level[index]
      const other = level[index + 1]
      if (one !== undefined) next.push(other === undefined ? one : sets.union(one, other))
    }
    level = next
  }
  return level[0] ?? sets.none
}
