/** `--fix`, `--fix-suggestions` and `--diff`: findings that have a fix, mended. */

import { lineOf } from '../../src/diagnostics/source-file.ts'
import { applyFixes } from '../../src/lint/apply-fixes.ts'
import type { FixedText } from '../../src/lint/apply-fixes.ts'
import { provedFixes } from '../../src/lint/proved-fixes.ts'
import type { LintReport } from '../../src/lint/lint-report.ts'
import { count } from '../../src/report/paint.ts'
import { unifiedDiff } from '../../src/report/unified-diff.ts'
import type { Terminal } from '../command.ts'
import { writeText } from '../write-file.ts'
import type { LintFlags } from './lint-flags.ts'

/** What was written, by path, and the findings whose safe fix is not proved, by fingerprint. */
export interface FixedFiles {
  readonly written: readonly string[]
  readonly unproved: ReadonlySet<string>
}

/** Mends the files of a report, or with `--diff` prints how. Standard input goes to standard output. */
export function fixFiles({ files }: LintReport, { fixes, diff, stdinName, family, backend }: LintFlags, { out, err, directory }: Terminal): FixedFiles {
  const written: string[] = []
  const all = new Set<string>()
  for (const { source, findings: found } of files) {
    const { findings, unproved } = provedFixes(source, found, { ...(family ? { family } : {}), ...(backend ? { backend } : {}) })
    const fixed = applyFixes(source, findings, fixes === 'all' ? ['safe', 'suggestion'] : ['safe'])
    for (const { code, span, fingerprint } of unproved) {
      all.add(fingerprint)
      if (fixes !== 'all') err(`not fixed: ${code} in ${source.path}:${lineOf(span)}: it is not proved that the change keeps the meaning (--fix-suggestions makes it)\n`)
    }
    if (fixed.text === source.text) continue
    if (diff) out(unifiedDiff(source.path, source.text, fixed.text))
    else if (source.path === 'standard input' || source.path === stdinName) out(fixed.text)
    else {
      write(fixed, directory)
      err(`fixed ${count(fixed.fixed.length, 'finding')} in ${source.path}\n`)
      written.push(source.path)
    }
  }
  return { written, unproved: all }
}

/** Returns a report in which fixes that are not proved are suggestions. */
export function withoutUnproved(report: LintReport, { unproved }: FixedFiles): LintReport {
  if (unproved.size === 0) return report
  const files = report.files.map(file => ({ ...file, findings: file.findings.map(finding => (finding.fix && unproved.has(finding.fingerprint) ? { ...finding, fix: { ...finding.fix, kind: 'suggestion' as const } } : finding)) }))
  return { ...report, files }
}

function write({ source, text }: FixedText, directory: string): void {
  writeText(source.path, text, directory)
}
