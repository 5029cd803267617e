/** Topologies among the files of `5x5 lint`: what is wrong in them, as findings. */

import type { SourceFile } from '../../src/diagnostics/source-file.ts'
import { fingerprintOf } from '../../src/lint/fingerprint.ts'
import type { LintedFile } from '../../src/lint/lint-report.ts'

/** Reads topologies and returns their findings. */
export async function lintTopologies(sources: readonly SourceFile[]): Promise<readonly LintedFile[]> {
  if (sources.length === 0) return []
  const { readTopology } = await import('../../src/topology/load.ts')
  return sources.map(source => {
    const { diagnostics } = readTopology(source)
    const findings = diagnostics.map((diagnostic, index) => ({ ...diagnostic, fingerprint: fingerprintOf(diagnostic.code, `${diagnostic.message}`, index) }))
    return { source, partial: false, ruleCount: 0, findings }
  })
}
