/** Two texts as a unified diff, as `diff -u` prints it and `patch` takes it. */

/** Lines of context around a change. */
const CONTEXT = 3

type Step = { readonly kind: ' ' | '-' | '+'; readonly line: string }

/** Returns the diff; empty where the texts are equal. Both are called by one path. */
export function unifiedDiff(path: string, before: string, after: string): string {
  if (before === after) return ''
  const steps = stepsBetween(linesOf(before), linesOf(after))
  const hunks = hunksOf(steps)
  return `--- ${path}\n+++ ${path}\n${hunks.join('')}`
}

function linesOf(text: string): readonly string[] {
  if (text === '') return []
  const lines = text.split('\n')
  return text.endsWith('\n') ? lines.slice(0, -1) : [...lines.slice(0, -1), `${lines.at(-1) ?? ''}\n\\ No newline at end of file`]
}

function stepsBetween(before: readonly string[], after: readonly string[]): readonly Step[] {
  let head = 0
  while (head < before.length && head < after.length && before[head] === after[head]) head++
  let tail = 0
  while (tail < before.length - head && tail < after.length - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++
  const middle = shortestEdits(before.slice(head, before.length - tail), after.slice(head, after.length - tail))
  const same = (line: string): Step => ({ kind: ' ', line })
  return [...before.slice(0, head).map(same), ...middle, ...before.slice(before.length - tail).map(same)]
}

/** The greedy algorithm of Myers: the furthest reaching path for each number of edits. */
function shortestEdits(before: readonly string[], after: readonly string[]): readonly Step[] {
  const reach = new Map<number, number>([[1, 0]])
  const history: ReadonlyMap<number, number>[] = []
  for (let edits = 0; edits <= before.length + after.length; edits++) {
    history.push(new Map(reach))
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      let x = isDown(reach, diagonal, edits) ? (reach.get(diagonal + 1) ?? 0) : (reach.get(diagonal - 1) ?? 0) + 1
      while (x < before.length && x - diagonal < after.length && before[x] === after[x - diagonal]) x++
      reach.set(diagonal, x)
      if (x >= before.length && x - diagonal >= after.length) return backtrack(before, after, history)
    }
  }
  return []
}

function isDown(reach: ReadonlyMap<number, number>, diagonal: number, edits: number): boolean {
  return diagonal === -edits || (diagonal !== edits && (reach.get(diagonal - 1) ?? -1) < (reach.get(diagonal + 1) ?? -1))
}

function backtrack(before: readonly string[], after: readonly string[], history: readonly ReadonlyMap<number, number>[]): readonly Step[] {
  const steps: Step[] = []
  let x = before.length
  let y = after.length
  for (let edits = history.length - 1; edits >= 0; edits--) {
    const reach = history[edits] ?? new Map<number, number>()
    const diagonal = x - y
    const previous = isDown(reach, diagonal, edits) ? diagonal + 1 : diagonal - 1
    const fromX = reach.get(previous) ?? 0
    const fromY = fromX - previous
    while (x > fromX && y > fromY && x > 0 && y > 0) steps.push({ kind: ' ', line: before[--x] ?? '' }), y--
    if (edits === 0) break
    if (x === fromX) steps.push({ kind: '+', line: after[--y] ?? '' })
    else steps.push({ kind: '-', line: before[--x] ?? '' })
  }
  return steps.reverse()
}

function hunksOf(steps: readonly Step[]): readonly string[] {
  const hunks: string[] = []
  let before = 1
  let after = 1
  let at = 0
  while (at < steps.length) {
    const first = steps.findIndex((step, index) => index >= at && step.kind !== ' ')
    if (first === -1) break
    const start = Math.max(at, first - CONTEXT)
    let end = first
    for (let index = first; index < steps.length && index <= end + 2 * CONTEXT; index++) if (steps[index]?.kind !== ' ') end = index
    const shown = steps.slice(start, end + CONTEXT + 1)
    before += start - at
    after += start - at
    const removed = shown.filter(({ kind }) => kind !== '+').length
    const added = shown.filter(({ kind }) => kind !== '-').length
    hunks.push(`@@ -${removed === 0 ? before - 1 : before},${removed} +${added === 0 ? after - 1 : after},${added} @@\n${shown.map(({ kind, line }) => `${kind}${line}\n`).join('')}`)
    before += removed
    after += added
    at = start + shown.length
  }
  return hunks
}
