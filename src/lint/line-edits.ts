/** Edits of whole lines, as fixes make them. */

import { lineText, positionAt } from '../diagnostics/source-file.ts'
import type { Span } from '../diagnostics/source-file.ts'

/** A text edit. */
export interface Edit {
  readonly span: Span
  readonly text: string
}

/** Returns the span of the line in which a span begins, its line end included. */
export function wholeLine({ source, start }: Span): Span {
  const { column } = positionAt(source, start)
  const lineStart = start - (column - 1)
  const end = source.text.indexOf('\n', lineStart)
  return { source, start: lineStart, end: end === -1 ? source.text.length : end + 1 }
}

/** Returns the edit that puts lines (each with its line end; '' for none) in the place of a line. */
export function lineEdit(span: Span, text: string): Edit {
  return { span: wholeLine(span), text }
}

/** Returns a line's text without its end. */
export function lineOfSpan(span: Span): string {
  return lineText(span.source, positionAt(span.source, span.start).line)
}

/** Returns the edits that exchange two lines. */
export function swapLines(first: Span, second: Span): readonly Edit[] {
  const [one, other] = [wholeLine(first), wholeLine(second)]
  return [{ span: one, text: lineWithEnd(other) }, { span: other, text: lineWithEnd(one) }]
}

function lineWithEnd({ source, start, end }: Span): string {
  const text = source.text.slice(start, end)
  return text.endsWith('\n') ? text : `${text}\n`
}
