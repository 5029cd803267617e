/** A run of the linter as a human reads it. */

import type { Finding } from '../lint/run-lint.ts'
import type { LintReport } from '../lint/lint-report.ts'
import { allFindings } from '../lint/lint-report.ts'
import { count } from './paint.ts'
import type { Paint } from './paint.ts'
import { writeDiagnostics, writeSummary } from './pretty.ts'

/** How to write it: `all` folds nothing; `seconds` is how long it took. */
export interface PrettyHow {
  readonly paint: Paint
  readonly all: boolean
  readonly seconds?: number
}

/** Returns the findings with code frames, and a last line that answers. */
export function prettyReport(report: LintReport, { paint, all, seconds }: PrettyHow): string {
  const { files, hidden } = report
  const findings = allFindings(report)
  const text = writeDiagnostics(findings, paint, all)
  const withFindings = files.filter(file => file.findings.length > 0)
  const [only] = files
  const paths = files.length === 1 && only ? [only.source.path] : withFindings.length === 0 || withFindings.length === files.length ? [`${files.length} files`] : [`${withFindings.length} of ${files.length} files`]
  const isRules = files.length === 0 || files.some(file => file.ruleCount !== undefined)
  const ruleCount = isRules ? files.reduce((sum, file) => sum + (file.ruleCount ?? 0), 0) : undefined
  const partial = files.some(file => file.partial)
  const summary = writeSummary(findings, { paths, ruleCount, partial, ...(seconds === undefined ? {} : { seconds }) }, paint)
  const left = [hidden.suppressed > 0 ? `${hidden.suppressed} suppressed` : '', hidden.baseline > 0 ? `${hidden.baseline} in the baseline` : '', hidden.known > 0 ? `${hidden.known} there before` : ''].filter(words => words !== '')
  return `${text}${text === '' ? '' : '\n'}${summary}${left.length === 0 ? '' : `not shown: ${left.join(', ')}\n`}${leftOpen(report)}${fixable(findings)}`
}

/** What nobody could decide, by file. */
function leftOpen({ files }: LintReport): string {
  return files.flatMap(({ source, undecided }) => (undecided.length === 0 ? [] : [`left open in ${source.path}, since it is too big: ${undecided.join('; ')}\n`])).join('')
}

/** What `--fix` would do. */
function fixable(findings: readonly Finding[]): string {
  const safe = findings.filter(({ fix }) => fix?.kind === 'safe').length
  return safe === 0 ? '' : `${count(safe, 'finding')} can be fixed with --fix (--fix --diff shows how)\n`
}
