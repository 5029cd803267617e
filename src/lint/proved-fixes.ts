/** Safe fixes that hold: the text with them is read again, and nothing that was read before is refused. */

import type { SourceFile } from '../diagnostics/source-file.ts'
import { applyFixes } from './apply-fixes.ts'
import { readTarget } from './read-target.ts'
import type { Finding } from './run-lint.ts'

/** Findings whose fixes may be made, and those whose safe fix is not proved. */
export interface ProvedFixes {
  readonly usable: readonly Finding[]
  readonly refused: readonly Finding[]
}

/** Tries all safe fixes together; where the result is refused, none of them is made. */
export function provedFixes(source: SourceFile, findings: readonly Finding[]): ProvedFixes {
  const safe = findings.filter(({ fix }) => fix?.kind === 'safe')
  if (safe.length === 0) return { usable: findings, refused: [] }
  const { text } = applyFixes(source, safe, ['safe'])
  if (errorsIn({ path: source.path, text }) <= errorsIn(source)) return { usable: findings, refused: [] }
  return { usable: findings.filter(finding => !safe.includes(finding)), refused: safe }
}

function errorsIn(source: SourceFile): number {
  return readTarget(source, {}).problems.filter(({ severity }) => severity === 'error').length
}
