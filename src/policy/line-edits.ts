/** The fewest edits that make one list of lines another: Myers' greedy algorithm, given up where the lists have little in common. */

/** Keep so many lines, or leave one out, or put one in. */
export type LineEdit = { readonly kind: 'keep' } | { readonly kind: 'delete'; readonly line: string } | { readonly kind: 'insert'; readonly line: string }

/** Returns the edits from `old` to `wanted`; undefined where there would be more than `most`. Source: Myers, An O(ND) Difference Algorithm (1986). */
export function lineEdits(old: readonly string[], wanted: readonly string[], most: number): readonly LineEdit[] | undefined {
  let head = 0
  while (head < old.length && head < wanted.length && old[head] === wanted[head]) head++
  let tail = 0
  while (tail < old.length - head && tail < wanted.length - head && old[old.length - 1 - tail] === wanted[wanted.length - 1 - tail]) tail++
  const middle = middleEdits(old.slice(head, old.length - tail), wanted.slice(head, wanted.length - tail), most)
  return middle && [...kept(head), ...middle, ...kept(tail)]
}

function kept(count: number): readonly LineEdit[] {
  return Array.from({ length: count }, () => ({ kind: 'keep' as const }))
}

function middleEdits(old: readonly string[], wanted: readonly string[], most: number): readonly LineEdit[] | undefined {
  const traces: Map<number, number>[] = []
  let ends = new Map<number, number>([[1, 0]])
  for (let edits = 0; edits <= Math.min(most, old.length + wanted.length); edits++) {
    traces.push(ends)
    const next = new Map(ends)
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      const below = ends.get(diagonal - 1) ?? -1
      const above = ends.get(diagonal + 1) ?? -1
      let at = diagonal === -edits || (diagonal !== edits && below < above) ? above : below + 1
      while (at < old.length && at - diagonal < wanted.length && old[at] === wanted[at - diagonal]) at++
      next.set(diagonal, at)
      if (at >= old.length && at - diagonal >= wanted.length) return backtrack(traces, old, wanted)
    }
    ends = next
  }
  return undefined
}

function backtrack(traces: readonly Map<number, number>[], old: readonly string[], wanted: readonly string[]): readonly LineEdit[] {
  const edits: LineEdit[] = []
  let x = old.length
  let y = wanted.length
  for (let round = traces.length - 1; round >= 0; round--) {
    const ends = traces[round] ?? new Map<number, number>()
    const diagonal = x - y
    const isInsert = diagonal === -round || (diagonal !== round && (ends.get(diagonal - 1) ?? -1) < (ends.get(diagonal + 1) ?? -1))
    const before = isInsert ? diagonal + 1 : diagonal - 1
    const beforeX = ends.get(before) ?? 0
    const beforeY = beforeX - before
    while (x > beforeX && y > beforeY && x > 0 && y > 0) {
      edits.push({ kind: 'keep' })
      x--
      y--
    }
    if (round === 0) break
    edits.push(isInsert ? { kind: 'insert', line: wanted[beforeY] ?? '' } : { kind: 'delete', line: old[beforeX] ?? '' })
    x = beforeX
    y = beforeY
  }
  return edits.reverse()
}
