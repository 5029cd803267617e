/** Findings as lines that editors and `grep` understand: `file:line:column: severity[code] message`. */

import { positionAt } from '../diagnostics/source-file.ts'
import type { LintReport } from '../lint/lint-report.ts'
import { allFindings } from '../lint/lint-report.ts'
import { printable } from './paint.ts'

/** Returns one line for each finding; nothing where there are none. */
export function conciseReport(report: LintReport): string {
  return allFindings(report)
    .map(({ span, severity, code, message }) => {
      const { line, column } = positionAt(span.source, span.start)
      return `${span.source.path}:${line}:${column}: ${severity}[${code}] ${printable(message)}\n`
    })
    .join('')
}
