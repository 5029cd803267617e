/** What is not a ruleset among the files of `5x5 lint`: policies, compose files and topologies, and what is wrong in them, as findings. */

import { basename } from 'node:path'
import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts'
import type { SourceFile } from '../../src/diagnostics/source-file.ts'
import { fingerprintOf } from '../../src/lint/fingerprint.ts'
import type { LintedFile } from '../../src/lint/lint-report.ts'
import type { Finding } from '../../src/lint/run-lint.ts'
import { applySuppressions, readSuppressions } from '../../src/lint/suppressions.ts'

/** What is read beside the files themselves (`.env`) lies in this directory; `today` is `YYYY-MM-DD`. */
export interface DescriptionHow {
  readonly directory: string
  readonly today: string
}

/** Tells by the name whether a file is a policy, compose file or topology. */
export function isDescription(path: string): boolean {
  return /\.(ya?ml|gate)$/.test(path)
}

/** Reads policies (`*.gate`), compose files (by their name or their `services:`) and topologies, and returns their findings. */
export async function lintDescriptions(sources: readonly SourceFile[], how: DescriptionHow): Promise<readonly LintedFile[]> {
  const files: LintedFile[] = []
  for (const source of sources) {
    const diagnostics = source.path.endsWith('.gate') ? await policyFindings(source, how) : isCompose(source) ? await composeFindings(source, how) : await topologyFindings(source)
    const findings = diagnostics.map((diagnostic, index): Finding => ({ ...diagnostic, fingerprint: fingerprintOf(diagnostic.code, diagnostic.message, sameBefore(diagnostics, index)) }))
    const { kept, about } = applySuppressions(findings, readSuppressions(source), how.today, () => true)
    files.push({ source, partial: false, ruleCount: 0, undecided: [], findings: [...kept, ...about.map((diagnostic, index) => ({ ...diagnostic, fingerprint: fingerprintOf(diagnostic.code, diagnostic.message, index) }))] })
  }
  return files
}

function sameBefore(diagnostics: readonly Diagnostic[], index: number): number {
  return diagnostics.slice(0, index).filter(({ code, message }) => code === diagnostics[index]?.code && message === diagnostics[index]?.message).length
}

function isCompose({ path, text }: SourceFile): boolean {
  return /compose/.test(basename(path)) || /^services:/m.test(text)
}

/** With what it includes. */
async function policyFindings({ path }: SourceFile, { directory }: DescriptionHow): Promise<readonly Diagnostic[]> {
  const { loadPolicy } = await import('../policy/load-policy.ts')
  return loadPolicy([path], 'lint', directory).diagnostics
}

async function topologyFindings(source: SourceFile): Promise<readonly Diagnostic[]> {
  const { readTopology } = await import('../../src/topology/load.ts')
  return readTopology(source).diagnostics
}

async function composeFindings(source: SourceFile, { directory }: DescriptionHow): Promise<readonly Diagnostic[]> {
  const { engineNamed, readComposeHost } = await import('../docker/read-compose.ts')
  const { findSurprises } = await import('../../src/docker/findings.ts')
  const { value, plan, diagnostics } = readComposeHost({ path: source.path, engine: engineNamed(undefined), daemon: undefined, directory })
  return diagnostics.some(({ severity }) => severity === 'error') ? diagnostics : [...diagnostics, ...findSurprises(value, plan)]
}
