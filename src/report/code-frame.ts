/** A line of a source with carets under a span. */

import { lineText, positionAt } from '../diagnostics/source-file.ts'
import type { Span } from '../diagnostics/source-file.ts'
import { printable } from './paint.ts'
import type { Paint, Style } from './paint.ts'

/** Lines longer than this are cut around the span. */
const WIDEST = 160

/** The lines of a frame and the width of their number column. */
export interface CodeFrame {
  readonly lines: readonly string[]
  readonly gutter: number
}

/** Returns the first line of a span with its number, carets below, and `label` behind them. */
export function codeFrame(span: Span, label: string, style: Style, paint: Paint): CodeFrame {
  const { line, column } = positionAt(span.source, span.start)
  const gutter = String(line).length
  const bar = paint('place', `${' '.repeat(gutter)} |`)
  const text = lineText(span.source, line)
  const length = Math.max(1, Math.min(span.end - span.start, text.length - column + 1))
  const cut = cutAround(text, column - 1, length)
  const carets = paint(style, `${'^'.repeat(cut.length)}${label === '' ? '' : ` ${label}`}`)
  return { lines: [bar, `${paint('place', `${line} |`)} ${cut.text}`, `${bar} ${' '.repeat(cut.start)}${carets}`], gutter }
}

/** Returns a line without carets, for a place that explains another. */
export function plainLine(span: Span, gutter: number, paint: Paint): string {
  const { line } = positionAt(span.source, span.start)
  return `${' '.repeat(gutter + 3)}${paint('place', `${line} |`)} ${cutAround(lineText(span.source, line), 0, 1).text}`
}

function cutAround(text: string, start: number, length: number): { text: string; start: number; length: number } {
  const clean = printable(text)
  if (clean.length <= WIDEST) return { text: clean, start, length }
  const from = start < WIDEST * 0.75 ? 0 : start - 40
  const head = from === 0 ? '' : '... '
  const tail = from + WIDEST < clean.length ? ' ...' : ''
  return { text: `${head}${clean.slice(from, from + WIDEST)}${tail}`, start: start - from + head.length, length: Math.min(length, WIDEST - (start - from)) }
}
