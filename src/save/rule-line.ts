/** One line as words, with the means to complain about one of them. */

import { splitWords } from '../../grammar/save-words.ts'
import type { Quoting, WordSpan } from '../../grammar/save-words.ts'
import type { Diagnostic, DiagnosticCode, Fix, Severity } from '../diagnostics/diagnostic.ts'
import type { Backend } from '../ir/hooks.ts'
import type { SourceFile, Span } from '../diagnostics/source-file.ts'

/** The words of `source.text[start, end)`. One object is used again for every line. */
export interface RuleLine {
  readonly source: SourceFile
  start: number
  end: number
  words: string[]
  quoting: Quoting
}

/** Collects diagnostics of the line at hand. `word` counts from 0; -1 is the whole line. */
export type Complain = (code: DiagnosticCode, word: number, message: string, more?: { severity?: Severity; help?: string | undefined; fix?: Fix; lastWord?: number; backend?: Backend }) => void

/** Returns the place of a word, found again by splitting the line once more; the whole line where there is no such word. */
export function wordSpan(line: RuleLine, word: number, lastWord = word): Span {
  const spans: WordSpan[] = []
  if (word >= 0) splitWords(line.source.text, line.start, line.end, [], spans, line.quoting)
  const first = spans[word]
  const last = spans[lastWord] ?? first
  if (first && last) return { source: line.source, start: first.start, end: last.end }
  const end = spans[word - 1]?.end
  return end === undefined ? { source: line.source, start: line.start, end: line.end } : { source: line.source, start: end, end }
}

/** Returns a `Complain` that appends to `diagnostics`. */
export function complainInto(diagnostics: Diagnostic[], line: RuleLine): Complain {
  return (code, word, message, more = {}) => {
    diagnostics.push({
      code,
      severity: more.severity ?? 'error',
      message,
      span: wordSpan(line, word, more.lastWord),
      related: [],
      ...(more.help === undefined ? {} : { help: more.help }),
      ...(more.backend === undefined ? {} : { backend: more.backend }),
      ...(more.fix === undefined ? {} : { fix: more.fix }),
    })
  }
}
