/** Findings as GitLab's code quality report: JSON, a subset of the Code Climate format. */

import { lineOf } from '../diagnostics/source-file.ts'
import type { LintReport } from '../lint/lint-report.ts'
import { allFindings } from '../lint/lint-report.ts'

const SEVERITIES = { error: 'critical', warning: 'major', note: 'info' } as const

/** Returns a list of issues. Fingerprints are unique within a file; the path makes them so within the report. */
export function gitlabReport(report: LintReport): string {
  const issues = allFindings(report).map(({ span, severity, code, message, why, help, fingerprint }) => ({
    type: 'issue',
    check_name: code,
    description: message,
    content: { body: [why, help].filter(words => words !== undefined).join('; ') },
    categories: ['Security'],
    severity: SEVERITIES[severity],
    fingerprint: `${fingerprint}:${relative(span.source.path)}`,
    location: { path: relative(span.source.path), lines: { begin: lineOf(span) } },
  }))
  return `${JSON.stringify(issues, undefined, 2)}\n`
}

/** GitLab wants paths relative to the repository, without `./`. */
function relative(path: string): string {
  return path.replace(/^(\.\/)+/, '')
}
