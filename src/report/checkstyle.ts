/** Findings in the XML of Checkstyle 4.3, which many CI systems read. */

import { positionAt } from '../diagnostics/source-file.ts'
import type { LintReport } from '../lint/lint-report.ts'
import { xmlText } from './xml-text.ts'

const SEVERITIES = { error: 'error', warning: 'warning', note: 'info' } as const

/** Returns the document: one `file` for each file, also for those without findings. */
export function checkstyleReport({ files }: LintReport): string {
  const parts = files.map(({ source, findings }) => {
    const errors = findings.map(({ span, severity, code, message }) => {
      const { line, column } = positionAt(span.source, span.start)
      return `    <error line="${line}" column="${column}" severity="${SEVERITIES[severity]}" message="${xmlText(message)}" source="fivebyfive.${code}"/>\n`
    })
    return `  <file name="${xmlText(source.path)}">\n${errors.join('')}  </file>\n`
  })
  return `<?xml version="1.0" encoding="UTF-8"?>\n<checkstyle version="4.3">\n${parts.join('')}</checkstyle>\n`
}
