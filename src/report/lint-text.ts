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

/** So many of the files of which the same is left open are named. */
const NAMED = 3

/** What was not decided in the time that lint takes; said once of all files of which it is so. */
function leftOpen({ files }: LintReport): string {
  const byWords = new Map<string, string[]>()
  for (const { source, undecided } of files) {
    const words = undecided.join('; ')
    const paths = byWords.get(words)
    if (paths) paths.push(source.path)
    else if (words !== '') byWords.set(words, [source.path])
  }
  return [...byWords].map(([words, paths]) => {
    if (paths.length === 1) return `left open in ${paths.join('')}: ${words} (\`5x5 dead\` spends more time on it)\n`
    const more = paths.length > NAMED ? ` and ${paths.length - NAMED} more` : ''
    return `left open in ${paths.length} files (${paths.slice(0, NAMED).join(', ')}${more}): ${words} (\`5x5 dead\` spends more time on it)\n`
  }).join('')
}

/** What `--fix` and `--fix-suggestions` would do. */
function fixable(findings: readonly Finding[]): string {
  const safe = findings.filter(({ fix }) => fix?.kind === 'safe').length
  const suggested = findings.filter(({ fix }) => fix?.kind === 'suggestion').length
  return `${safe === 0 ? '' : `${count(safe, 'finding')} can be fixed with --fix (--fix --diff shows how)\n`}${suggested === 0 ? '' : `${suggested === 1 ? '1 suggested fix is' : `${suggested} suggested fixes are`} shown with --fix-suggestions --diff\n`}`
}
