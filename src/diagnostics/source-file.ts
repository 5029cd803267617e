/** A text that was read, and places in it. Everything below the reports carries offsets; lines and columns are computed here. */

/** A named text. `path` is what messages call it; `-` is standard input. */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

/** A half-open range `[start, end)` of UTF-16 offsets into `source.text`. */
export interface Span {
  readonly source: SourceFile
  readonly start: number
  readonly end: number
}

/** A place as a human counts it: line and column are 1-based, the column counts UTF-16 units. */
export interface Position {
  readonly line: number
  readonly column: number
}

const lineStartsOf = new WeakMap<SourceFile, Uint32Array>()

/** Returns line and column of an offset into a source. */
export function positionAt(source: SourceFile, offset: number): Position {
  const starts = lineStarts(source)
  let low = 0
  let high = starts.length - 1
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    if ((starts[middle] ?? 0) <= offset) low = middle
    else high = middle - 1
  }
  return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 }
}

/** Returns the 1-based line number of a span's start. */
export function lineOf(span: Span): number {
  return positionAt(span.source, span.start).line
}

/** Returns the text of a span. */
export function textOf(span: Span): string {
  return span.source.text.slice(span.start, span.end)
}

/** Returns the text of a 1-based line, without its line end. */
export function lineText(source: SourceFile, line: number): string {
  const start = lineStarts(source)[line - 1]
  if (start === undefined) return ''
  const end = source.text.indexOf('\n', start)
  const text = source.text.slice(start, end === -1 ? undefined : end)
  return text.endsWith('\r') ? text.slice(0, -1) : text
}

function lineStarts(source: SourceFile): Uint32Array {
  const known = lineStartsOf.get(source)
  if (known) return known
  const starts = [0]
  for (let at = source.text.indexOf('\n'); at !== -1; at = source.text.indexOf('\n', at + 1)) starts.push(at + 1)
  const packed = Uint32Array.from(starts)
  lineStartsOf.set(source, packed)
  return packed
}
