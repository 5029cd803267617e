/** What two lists have in common in the same order. */

/** Places of entries that stand in one list only. */
export interface Alignment {
  readonly removed: readonly number[]
  readonly added: readonly number[]
}

/** Beyond this many differences a few entries more may be called different than need be. */
const MOST_STEPS = 500

/** Returns the entries that a shortest edit script deletes from `before` and inserts from `after` (Myers, 1986). */
export function alignLists(before: readonly string[], after: readonly string[]): Alignment {
  let start = 0
  while (start < before.length && start < after.length && before[start] === after[start]) start++
  let [beforeEnd, afterEnd] = [before.length, after.length]
  while (beforeEnd > start && afterEnd > start && before[beforeEnd - 1] === after[afterEnd - 1]) {
    beforeEnd--
    afterEnd--
  }
  const inner = shortestScript(before.slice(start, beforeEnd), after.slice(start, afterEnd))
  return { removed: inner.removed.map(index => index + start), added: inner.added.map(index => index + start) }
}

function shortestScript(before: readonly string[], after: readonly string[]): Alignment {
  const everything: Alignment = { removed: before.map((_, index) => index), added: after.map((_, index) => index) }
  if (before.length === 0 || after.length === 0) return everything
  const reached: ReadonlyMap<number, number>[] = []
  const furthest = new Map<number, number>([[1, 0]])
  for (let steps = 0; steps <= Math.min(MOST_STEPS, before.length + after.length); steps++) {
    reached.push(new Map(furthest))
    for (let diagonal = -steps; diagonal <= steps; diagonal += 2) {
      const isDown = diagonal === -steps || (diagonal !== steps && (furthest.get(diagonal - 1) ?? -1) < (furthest.get(diagonal + 1) ?? -1))
      let x = isDown ? (furthest.get(diagonal + 1) ?? 0) : (furthest.get(diagonal - 1) ?? 0) + 1
      while (x < before.length && x - diagonal < after.length && before[x] === after[x - diagonal]) x++
      furthest.set(diagonal, x)
      if (x >= before.length && x - diagonal >= after.length) return walkBack(reached, before.length, after.length)
    }
  }
  return everything
}

function walkBack(reached: readonly ReadonlyMap<number, number>[], beforeLength: number, afterLength: number): Alignment {
  const removed: number[] = []
  const added: number[] = []
  let [x, y] = [beforeLength, afterLength]
  for (let steps = reached.length - 1; steps > 0; steps--) {
    const furthest = reached[steps] ?? new Map<number, number>()
    const diagonal = x - y
    const isDown = diagonal === -steps || (diagonal !== steps && (furthest.get(diagonal - 1) ?? -1) < (furthest.get(diagonal + 1) ?? -1))
    const from = isDown ? diagonal + 1 : diagonal - 1
    const fromX = furthest.get(from) ?? 0
    if (isDown) added.push(fromX - from)
    else removed.push(fromX)
    ;[x, y] = [fromX, fromX - from]
  }
  return { removed: removed.reverse(), added: added.reverse() }
}
