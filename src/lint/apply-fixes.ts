/** Fixes -> the text with them. Edits that overlap are not made together: the later finding keeps for the next run. */

import type { Diagnostic, Fix } from '../diagnostics/diagnostic.ts'
import type { SourceFile } from '../diagnostics/source-file.ts'
import type { Edit } from './line-edits.ts'

/** A text with fixes. */
export interface FixedText {
  readonly source: SourceFile
  readonly text: string
  /** What was mended. */
  readonly fixed: readonly Diagnostic[]
}

/** Returns a source with the fixes of these kinds. */
export function applyFixes(source: SourceFile, findings: readonly Diagnostic[], kinds: readonly Fix['kind'][]): FixedText {
  const taken: Edit[] = []
  const fixed: Diagnostic[] = []
  for (const finding of findings) {
    const { fix } = finding
    if (!fix || !kinds.includes(fix.kind) || fix.edits.some(({ span }) => span.source !== source)) continue
    if (fix.edits.some(edit => taken.some(other => overlap(edit, other)))) continue
    taken.push(...fix.edits)
    fixed.push(finding)
  }
  return { source, text: withEdits(source.text, taken), fixed }
}

function overlap({ span: one }: Edit, { span: other }: Edit): boolean {
  return one.start < other.end && other.start < one.end || one.start === other.start
}

function withEdits(text: string, edits: readonly Edit[]): string {
  const parts: string[] = []
  let at = 0
  for (const { span, text: replacement } of edits.toSorted((one, other) => one.span.start - other.span.start)) {
    parts.push(text.slice(at, span.start), replacement)
    at = span.end
  }
  return parts.join('') + text.slice(at)
}
