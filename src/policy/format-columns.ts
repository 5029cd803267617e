/** Alignment: lines of one kind that follow each other begin their columns at the same places. */

import type { FormatLine } from './format-lines.ts'
import { writeTokens } from './format-lines.ts'

/** A line as text, its comment behind it. */
export interface AlignedLine {
  readonly line: FormatLine
  /** Absent where the line has to be broken. */
  readonly text?: string
}

/** Returns the text of the lines. A line is broken where it has comments between its words, or is wider than `width` and has commas to break at. */
export function alignLines(lines: readonly FormatLine[], width: number, isApart: (line: FormatLine, before: FormatLine) => boolean): readonly AlignedLine[] {
  const aligned: AlignedLine[] = []
  let group: FormatLine[] = []
  let last: FormatLine | undefined
  const finish = (): void => {
    const starts = columnStarts(group.filter(line => line.kind !== 'comment' && !isBroken(line, width)))
    for (const line of group) aligned.push(isBroken(line, width) ? { line } : { line, text: writeAligned(line, starts) })
    group = []
  }
  for (const line of lines) {
    const before = group[group.length - 1]
    if (before && (isApart(line, before) || (line.kind !== 'comment' && last !== undefined && last.kind !== line.kind))) finish()
    if (line.kind !== 'comment') last = line
    else if (group.length === 0) last = undefined
    group.push(line)
  }
  finish()
  return aligned
}

function isBroken(line: FormatLine, width: number): boolean {
  if (line.inner.length > 0) return true
  const text = writeTokens(line.cells.flatMap(({ tokens }) => tokens))
  return text.length + 2 * line.depth > width && text.includes(',')
}

/** Returns at which column each cell of a group begins, the comment last. */
function columnStarts(group: readonly FormatLine[]): readonly number[] {
  const starts: number[] = [0]
  const count = Math.max(0, ...group.map(({ cells }) => cells.length))
  for (let column = 0; column < count; column++) {
    const followed = group.flatMap(line => (isFollowed(line, column) ? (line.cells[column] ?? []) : []))
    const width = followed.reduce((most, { tokens, widest }) => Math.max(most, writtenWidth(tokens, widest)), 0)
    const isUsed = group.some(({ cells }) => (cells[column]?.tokens.length ?? 0) > 0)
    const next = column + 1 < count ? (group.find(({ cells }) => cells[column + 1])?.cells[column + 1]?.gap ?? 1) : 2
    starts.push((starts[column] ?? 0) + (isUsed ? width + next : 0))
  }
  return starts
}

function writtenWidth(tokens: FormatLine['cells'][number]['tokens'], widest: number): number {
  const { length } = writeTokens(tokens)
  return length > widest ? 0 : length
}

function isFollowed({ cells, comment }: FormatLine, column: number): boolean {
  return comment !== undefined || cells.slice(column + 1).some(({ tokens }) => tokens.length > 0)
}

function writeAligned({ kind, cells, comment }: FormatLine, starts: readonly number[]): string {
  if (kind === 'comment') return comment?.text ?? ''
  const text = cells.reduce((before, { gap, tokens }, column) => (tokens.length === 0 ? before : `${padded(before, gap, starts[column] ?? 0)}${writeTokens(tokens)}`), '')
  return comment ? `${padded(text, 2, starts[starts.length - 1] ?? 0)}${comment.text}` : text
}

function padded(text: string, gap: number, start: number): string {
  return text === '' ? '' : text.padEnd(Math.max(text.length + gap, start))
}
