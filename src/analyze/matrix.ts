/** Who may reach whom on a service: all addresses, in groups that behave alike. */

import { isTooBig } from '../packetset/packet-sets.ts'
import { conditionsOf } from './matrix-conditions.ts'
import type { MatrixCondition } from './matrix-conditions.ts'
import { partitionOf } from './matrix-groups.ts'
import type { AddressGroup, Group, Partition } from './matrix-groups.ts'
import { passageOf, usualWay } from './matrix-passage.ts'
import type { MatrixOptions, Passage, Way } from './matrix-passage.ts'
import type { Service } from './matrix-service.ts'

/**
 * How the packets from a source to a destination fare: all get through, none does, or some do; `never`: none goes this way at all.
 * `condition` is an index into the matrix's; undefined where it was not looked for.
 */
export type MatrixCell = { readonly kind: 'yes' | 'no' | 'never' } | { readonly kind: 'some'; readonly condition: number | undefined }

/** Who may reach whom. */
export interface ReachMatrix {
  readonly passage: Passage
  readonly service: Service
  readonly way: Way
  readonly groups: readonly AddressGroup[]
  /** Groups that do the same as sources, one list for each row of `cells`; as destinations, one for each column. */
  readonly sources: readonly (readonly AddressGroup[])[]
  readonly destinations: readonly (readonly AddressGroup[])[]
  readonly cells: readonly (readonly MatrixCell[])[]
  readonly conditions: readonly MatrixCondition[]
}

/** Returns the matrix; undefined where the rules are too big for it. */
export function reachMatrix(options: MatrixOptions): ReachMatrix | undefined {
  try {
    const way = options.way ?? usualWay(options)
    const passage = passageOf(options, way)
    const { sets } = passage.space
    const fields = ['ip.src', 'ip.dst'] as const
    const partition = partitionOf(sets, [sets.keep(passage.through, fields), sets.keep(sets.subtract(passage.going, passage.through), fields)])
    return partition && matrixOf(options, way, passage, partition)
  } catch (error) {
    if (isTooBig(error)) return undefined
    throw error
  }
}

const IN_THROUGH = 1
const IN_STOPPED = 2

function matrixOf({ service }: MatrixOptions, way: Way, passage: Passage, { groups, cells }: Partition): ReachMatrix {
  const hasCells = (row: readonly number[] | undefined): boolean => row?.some(cell => cell !== 0) ?? false
  const isSource = (group: Group): boolean => hasCells(cells[group.source])
  const isDestination = (group: Group): boolean => cells.some(row => (row[group.destination] ?? 0) !== 0)
  const known = groups.filter(group => isSource(group) || isDestination(group)).sort((one, other) => (one.size > other.size ? -1 : one.size < other.size ? 1 : 0))
  const named = known.map(({ runs, size }, index): AddressGroup => ({ name: nameOf(index), runs, size }))
  const sidesBy = (side: 'source' | 'destination', counts: (group: Group) => boolean): readonly Side[] => {
    const found = new Map<number, AddressGroup[]>()
    for (const [index, group] of known.entries()) {
      const of = named[index]
      if (of && counts(group)) found.set(group[side], [...(found.get(group[side]) ?? []), of])
    }
    return [...found].map(([at, list]) => ({ at, groups: list }))
  }
  const [sources, destinations] = [sidesBy('source', isSource), sidesBy('destination', isDestination)]
  const codes = sources.map(({ at }) => destinations.map(column => cells[at]?.[column.at] ?? 0))
  const { conditions, indexOf } = conditionsOf(passage, { sources: sources.map(({ groups: of }) => of), destinations: destinations.map(({ groups: of }) => of), isSome: (row, column) => codes[row]?.[column] === (IN_THROUGH | IN_STOPPED) })
  return {
    passage, service, way, groups: named, conditions,
    sources: sources.map(({ groups: of }) => of),
    destinations: destinations.map(({ groups: of }) => of),
    cells: codes.map((row, at) => row.map((code, column): MatrixCell => (code === (IN_THROUGH | IN_STOPPED) ? { kind: 'some', condition: indexOf(at, column) } : { kind: code === 0 ? 'never' : code === IN_THROUGH ? 'yes' : 'no' }))),
  }
}

interface Side {
  readonly at: number
  readonly groups: readonly AddressGroup[]
}

/** A to Z, then AA, AB, ... */
function nameOf(index: number): string {
  return `${index < 26 ? '' : nameOf(Math.floor(index / 26) - 1)}${String.fromCharCode(65 + (index % 26))}`
}
