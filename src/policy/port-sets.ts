/** Sets of ports as sorted ranges that lie apart. */

import type { NumberRange } from '../net/ranges.ts'

/** Returns ranges sorted, with those joined that touch. */
export function joinPorts(ranges: readonly NumberRange[]): readonly NumberRange[] {
  const joined: NumberRange[] = []
  for (const range of ranges.toSorted((one, other) => one.low - other.low)) {
    const last = joined[joined.length - 1]
    if (last && range.low <= last.high + (last.high > last.low || range.high > range.low ? 1 : 0)) joined[joined.length - 1] = { low: last.low, high: Math.max(last.high, range.high) }
    else joined.push(range)
  }
  return joined
}

/** Returns what is left of ranges without others. */
export function subtractPorts(ranges: readonly NumberRange[], others: readonly NumberRange[]): readonly NumberRange[] {
  return others.reduce<readonly NumberRange[]>((left, { low, high }) => left.flatMap(range => {
    if (high < range.low || low > range.high) return [range]
    return [...(range.low < low ? [{ low: range.low, high: low - 1 }] : []), ...(range.high > high ? [{ low: high + 1, high: range.high }] : [])]
  }), ranges)
}

/** Returns lists of at most 15 ports as `-m multiport` counts them: a range is two. */
export function portLists(ranges: readonly NumberRange[]): readonly (readonly NumberRange[])[] {
  const lists: NumberRange[][] = []
  let room = 0
  for (const range of ranges) {
    const size = range.low === range.high ? 1 : 2
    if (room < size) {
      lists.push([])
      room = MULTIPORT_LIMIT
    }
    lists[lists.length - 1]?.push(range)
    room -= size
  }
  return lists
}

const MULTIPORT_LIMIT = 15
