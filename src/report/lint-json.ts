/** Findings as JSON: the shape of `5x5 check --json`, with why, witness and fingerprint; or one finding a line. */

import type { LintReport } from '../lint/lint-report.ts'
import { jsonDiagnostic } from './json.ts'

/** Returns `{"files": [{"path", "partial", "diagnostics": [...]}]}`. */
export function lintJson({ files }: LintReport): string {
  return `${JSON.stringify({ files: files.map(({ source, partial, findings }) => ({ path: source.path, partial, diagnostics: findings.map(jsonDiagnostic) })) }, undefined, 2)}\n`
}

/** Returns one JSON object a line: a diagnostic with its `path` first. */
export function lintJsonLines({ files }: LintReport): string {
  return files.flatMap(({ source, findings }) => findings.map(finding => `${JSON.stringify({ path: source.path, ...(jsonDiagnostic(finding) as object) })}\n`)).join('')
}
