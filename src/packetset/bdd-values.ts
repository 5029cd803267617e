/** Numbers in consecutive variables, highest bit first: ranges and tables built from the bottom up, and read back as ranges. */

import { highOf, levelOf, lowOf, makeNode, ONE, ZERO } from './bdd.ts'
import type { Bdd, Edge } from './bdd.ts'

/** Consecutive variables that hold a number. */
export interface Bits {
  /** The level of the highest bit. */
  readonly first: number
  readonly width: number
}

/** Numbers from `low` to `high`, both inclusive. */
export interface ValueRange {
  readonly low: bigint
  readonly high: bigint
}

/** Returns "the number lies in one of the ranges", which stand in order and apart. */
export function inRanges(bdd: Bdd, bits: Bits, ranges: readonly ValueRange[]): Edge {
  const build = (bit: number, base: bigint, from: number, to: number): Edge => {
    if (from >= to) return ZERO
    const size = 1n << BigInt(bits.width - bit)
    const first = ranges[from]
    if (first && first.low <= base && first.high >= base + size - 1n) return ONE
    const middle = base + size / 2n
    let split = from
    while (split < to && (ranges[split]?.low ?? 0n) < middle) split++
    const upperFrom = split > from && (ranges[split - 1]?.high ?? 0n) >= middle ? split - 1 : split
    return makeNode(bdd, bits.first + bit, build(bit + 1, base, from, split), build(bit + 1, middle, upperFrom, to))
  }
  return build(0, 0n, 0, ranges.length)
}

/** Returns "(number & mask) === value". */
export function underMask(bdd: Bdd, bits: Bits, mask: bigint, value: bigint): Edge {
  let edge: Edge = ONE
  for (let bit = bits.width - 1; bit >= 0; bit--) {
    const place = 1n << BigInt(bits.width - 1 - bit)
    if ((mask & place) === 0n) continue
    edge = (value & place) === 0n ? makeNode(bdd, bits.first + bit, edge, ZERO) : makeNode(bdd, bits.first + bit, ZERO, edge)
  }
  return edge
}

/** Returns "the number is an index at which `chosen` is true"; the table has 2^width entries. */
export function inTable(bdd: Bdd, bits: Bits, chosen: readonly boolean[]): Edge {
  const build = (bit: number, from: number): Edge =>
    bit === bits.width ? (chosen[from] ? ONE : ZERO) : makeNode(bdd, bits.first + bit, build(bit + 1, from), build(bit + 1, from + (1 << (bits.width - bit - 1))))
  return build(0, 0)
}

/** Returns the values of which a function of these variables alone is true, as ranges in order and apart; stops after `limit`. */
export function rangesOf(bdd: Bdd, bits: Bits, edge: Edge, limit = Number.POSITIVE_INFINITY): ValueRange[] {
  const ranges: { low: bigint; high: bigint }[] = []
  const walk = (f: Edge, bit: number, base: bigint): void => {
    if (f === ZERO || ranges.length > limit) return
    const size = 1n << BigInt(bits.width - bit)
    if (f === ONE) {
      const last = ranges.at(-1)
      if (last && last.high + 1n === base) last.high = base + size - 1n
      else ranges.push({ low: base, high: base + size - 1n })
      return
    }
    const isHere = levelOf(bdd, f) === bits.first + bit
    walk(isHere ? lowOf(bdd, f) : f, bit + 1, base)
    walk(isHere ? highOf(bdd, f) : f, bit + 1, base + size / 2n)
  }
  walk(edge, 0, 0n)
  return ranges
}

/** Returns ranges in order, joined where they touch or overlap. */
export function joinRanges(ranges: readonly ValueRange[]): ValueRange[] {
  const sorted = [...ranges].sort((one, other) => (one.low < other.low ? -1 : one.low > other.low ? 1 : 0))
  const joined: { low: bigint; high: bigint }[] = []
  for (const { low, high } of sorted) {
    const last = joined.at(-1)
    if (last && low <= last.high + 1n) last.high = high > last.high ? high : last.high
    else joined.push({ low, high })
  }
  return joined
}
