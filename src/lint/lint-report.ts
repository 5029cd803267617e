/** What a run of the linter found: the one value that all formats are renderings of. */

import type { SourceFile } from '../diagnostics/source-file.ts'
import type { Finding } from './run-lint.ts'

/** One file with its findings, in the order of their places. */
export interface LintedFile {
  readonly source: SourceFile
  /** Lines were not read: there may be more to say. */
  readonly partial: boolean
  /** Undefined for what is no ruleset. */
  readonly ruleCount: number | undefined
  readonly findings: readonly Finding[]
  /** What was too big to be decided, as ends of a sentence. */
  readonly undecided: readonly string[]
}

/** A whole run. */
export interface LintReport {
  readonly files: readonly LintedFile[]
  /** Findings that a suppression, a baseline or an earlier version accounts for. */
  readonly hidden: { readonly suppressed: number; readonly baseline: number; readonly known: number }
  readonly version: string
}

/** Returns all findings of a run. */
export function allFindings({ files }: LintReport): readonly Finding[] {
  return files.flatMap(({ findings }) => findings)
}
