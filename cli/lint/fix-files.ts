/** `--fix`, `--fix-suggestions` and `--diff`: findings that have a fix, mended. */

import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { applyFixes } from '../../src/lint/apply-fixes.ts'
import type { FixedText } from '../../src/lint/apply-fixes.ts'
import { provedFixes } from '../../src/lint/proved-fixes.ts'
import type { LintReport } from '../../src/lint/lint-report.ts'
import { count, plain } from '../../src/report/paint.ts'
import { unifiedDiff } from '../../src/report/unified-diff.ts'
import { commandError } from '../command.ts'
import type { Terminal } from '../command.ts'
import type { LintFlags } from './lint-flags.ts'

/** Mends the files of a report, or with `--diff` prints how; returns the paths that were written. Standard input goes to standard output. */
export function fixFiles({ files }: LintReport, { fixes, diff, stdinName }: LintFlags, { out, err, directory }: Terminal): readonly string[] {
  const written: string[] = []
  for (const { source, findings } of files) {
    const kinds = fixes === 'all' ? (['safe', 'suggestion'] as const) : (['safe'] as const)
    const { usable, refused } = provedFixes(source, findings)
    const fixed = applyFixes(source, usable, kinds)
    for (const finding of refused) err(`not fixed: ${finding.code} in ${source.path}: the change is not proved to keep the meaning\n`)
    if (fixed.text === source.text) continue
    if (diff) out(unifiedDiff(source.path, source.text, fixed.text))
    else if (source.path === 'standard input' || source.path === stdinName) out(fixed.text)
    else {
      write(fixed, directory)
      err(`fixed ${count(fixed.fixed.length, 'finding')} in ${source.path}\n`)
      written.push(source.path)
    }
  }
  return written
}

function write({ source, text }: FixedText, directory: string): void {
  try {
    writeFileSync(resolve(directory, source.path), text)
  } catch (error) {
    throw commandError(`\`${source.path}\` cannot be written: ${error instanceof Error && 'code' in error ? String(error.code) : plain('error', String(error))}`)
  }
}
