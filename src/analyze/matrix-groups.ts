/** A relation of sources and destinations cut into groups of addresses that behave alike, exactly. */

import type { NumberField } from '../meaning/fields.ts'
import type { PacketSet, PacketSets } from '../packetset/packet-sets.ts'

/** Addresses from `low` to `high`, both inclusive. */
export interface AddressRun {
  readonly low: bigint
  readonly high: bigint
}

/** Addresses that do the same as sources and as destinations. */
export interface Group {
  /** In order and apart. */
  readonly runs: readonly AddressRun[]
  /** How many addresses. */
  readonly size: bigint
  /** Indices into the lists of `Partition`. */
  readonly source: number
  readonly destination: number
}

/** Such a group with a short name: A, B, ... Z, AA, ... */
export interface AddressGroup extends Pick<Group, 'runs' | 'size'> {
  readonly name: string
}

/** What a pair of addresses is in: bit n is set where it is in the n-th relation. */
export type Cell = number

/** Groups, and what holds between them. */
export interface Partition {
  readonly groups: readonly Group[]
  /** cells[source][destination]; equal sources have equal rows, and no two rows or columns are the same. */
  readonly cells: readonly (readonly Cell[])[]
}

/** More pieces of address space than this are not told apart. */
const MOST_PIECES = 100_000

/** A piece of address space and its class. */
interface Piece extends AddressRun {
  readonly of: number
}

/** Returns the groups of some relations, sets that say something of source and destination alone; undefined where they are too many. */
export function partitionOf(sets: PacketSets, relations: readonly PacketSet[]): Partition | undefined {
  const [upper, lower] = sets.inOrder(['ip.src', 'ip.dst'])
  const slices = upper && sets.slices(relations, upper, MOST_PIECES)
  if (!slices || !lower) return undefined
  const lines = numbered(slices.map(({ rests }) => rests), rests => rests.join(' '))
  const pieces = piecesOf(sets, lower, lines.distinct)
  if (!pieces) return undefined
  const first = slices.map(({ low, high }, index): Piece => ({ low, high, of: lines.numbers[index] ?? 0 }))
  const isTurned = upper === 'ip.dst'
  const cells = isTurned ? pieces.cells : transposed(pieces.cells, lines.distinct.length)
  return { groups: groupsOf(isTurned ? pieces.list : first, isTurned ? first : pieces.list), cells }
}

/** What each class of the lower field's values is in, for each of some lines: `cells[class][line]`. */
interface Pieces {
  readonly list: readonly Piece[]
  readonly cells: readonly (readonly Cell[])[]
}

/** Sweeps over the values of the lower field: at each border some of the sets begin or end. */
function piecesOf(sets: PacketSets, field: NumberField, lines: readonly (readonly PacketSet[])[]): Pieces | undefined {
  const all = [...new Set(lines.flat())]
  const indexOf = new Map(all.map((set, index) => [set, index]))
  const turns = new Map<bigint, number[]>([[0n, []]])
  for (const [index, set] of all.entries()) {
    const ranges = sets.fieldRanges(set, field, MOST_PIECES)
    if (!ranges) return undefined
    for (const border of ranges.flatMap(({ low, high }) => [low, high + 1n])) {
      const known = turns.get(border)
      if (known) known.push(index)
      else turns.set(border, [index])
    }
    if (turns.size > MOST_PIECES) return undefined
  }
  const isIn = new Uint8Array(all.length)
  const borders = [...turns.keys()].sort((one, other) => (one < other ? -1 : 1))
  const end = sets.family === 'ipv4' ? 1n << 32n : 1n << 128n
  const columns: string[] = []
  for (const border of borders) {
    for (const index of turns.get(border) ?? []) isIn[index] = 1 - (isIn[index] ?? 0)
    columns.push(String.fromCharCode(...packed(isIn)))
  }
  const kinds = numbered(columns, column => column)
  const list = borders.map((low, index): Piece => ({ low, high: (borders[index + 1] ?? end) - 1n, of: kinds.numbers[index] ?? 0 })).filter(({ low, high }) => low <= high)
  const bitOf = (column: string, index: number): number => (column.charCodeAt(index >> 4) >> (index & 15)) & 1
  return { list, cells: kinds.distinct.map(column => lines.map(rests => rests.reduce((cell, rest, bit) => cell | (bitOf(column, indexOf.get(rest) ?? 0) << bit), 0))) }
}

/** Sixteen to a number. */
function packed(bits: Uint8Array): number[] {
  const words = Array.from({ length: Math.ceil(bits.length / 16) }, () => 0)
  for (let index = 0; index < bits.length; index++) if (bits[index] === 1) words[index >> 4] = (words[index >> 4] ?? 0) | (1 << (index & 15))
  return words
}

/** Numbers things: equal ones get one number. */
function numbered<Thing>(things: readonly Thing[], keyOf: (thing: Thing) => string): { readonly numbers: readonly number[]; readonly distinct: readonly Thing[] } {
  const known = new Map<string, number>()
  const distinct: Thing[] = []
  const numbers = things.map(thing => {
    const key = keyOf(thing)
    const found = known.get(key)
    if (found !== undefined) return found
    known.set(key, distinct.length)
    return distinct.push(thing) - 1
  })
  return { numbers, distinct }
}

function transposed(cells: readonly (readonly Cell[])[], width: number): readonly (readonly Cell[])[] {
  return Array.from({ length: width }, (_, line) => cells.map(row => row[line] ?? 0))
}

/** Cuts both divisions of the address space by each other. */
function groupsOf(sources: readonly Piece[], destinations: readonly Piece[]): readonly Group[] {
  const found = new Map<string, { source: number; destination: number; size: bigint; runs: { low: bigint; high: bigint }[] }>()
  let at = 0
  for (const source of sources) {
    for (; at < destinations.length; at++) {
      const destination = destinations[at]
      if (!destination || destination.low > source.high) break
      const low = destination.low > source.low ? destination.low : source.low
      const high = destination.high < source.high ? destination.high : source.high
      if (low <= high) addRun(found, source.of, destination.of, { low, high })
      if (destination.high > source.high) break
    }
  }
  return [...found.values()]
}

function addRun(found: Map<string, { source: number; destination: number; size: bigint; runs: { low: bigint; high: bigint }[] }>, source: number, destination: number, { low, high }: AddressRun): void {
  const key = `${source} ${destination}`
  const group = found.get(key) ?? { source, destination, size: 0n, runs: [] }
  found.set(key, group)
  group.size += high - low + 1n
  const last = group.runs.at(-1)
  if (last && last.high + 1n === low) last.high = high
  else group.runs.push({ low, high })
}
