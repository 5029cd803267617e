/** What is wrong in policies, compose files and topologies, as findings. */

import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts'
import type { SourceFile } from '../../src/diagnostics/source-file.ts'
import { byPlace } from '../../src/extensions/check-ruleset.ts'
import type { LintHow } from '../../src/lint/lint-sources.ts'
import { fingerprintOf } from '../../src/lint/fingerprint.ts'
import type { LintedFile } from '../../src/lint/lint-report.ts'
import type { Finding } from '../../src/lint/run-lint.ts'
import { isIgnored, levelIn } from '../../src/lint/settings.ts'
import { applySuppressions, readSuppressions } from '../../src/lint/suppressions.ts'
import type { Description } from './lint-inputs.ts'

/** Configuration and day of the run, where included files lie, and the rulesets that it is about too. */
export interface DescriptionHow {
  readonly how: LintHow
  readonly directory: string
  readonly rulesets: readonly SourceFile[]
}

/** The findings of each description, and how many were suppressed. */
export interface LintedDescriptions {
  readonly files: readonly LintedFile[]
  readonly suppressed: number
}

/** Lints descriptions. Those that the configuration ignores are left out. */
export async function lintDescriptions(descriptions: readonly Description[], context: DescriptionHow): Promise<LintedDescriptions> {
  const { config, configPath, only, surroundings } = context.how
  const files: LintedFile[] = []
  let suppressed = 0
  for (const description of descriptions) {
    const { source } = description
    const path = configPath(source.path)
    if (isIgnored(config, path)) continue
    const isOn = ({ code }: Diagnostic): boolean => levelIn(config, path, code) !== 'off' && (only === undefined || only.includes(code))
    const found = (await diagnosticsOf(description, context)).filter(isOn).toSorted(byPlace)
    const { kept, suppressed: hidden, about } = applySuppressions(found, readSuppressions(source), surroundings.today, () => true)
    suppressed += hidden.length
    files.push({ source, partial: false, ruleCount: undefined, undecided: [], findings: [...kept, ...about.filter(isOn)].map((diagnostic, index, all) => asFinding(diagnostic, sameBefore(all, index), levelIn(config, path, diagnostic.code))) })
  }
  return { files, suppressed }
}

function asFinding(diagnostic: Diagnostic, occurrence: number, level: ReturnType<typeof levelIn>): Finding {
  const { code, message } = diagnostic
  return { ...diagnostic, ...(level === undefined || level === 'off' ? {} : { severity: level }), fingerprint: fingerprintOf(code, message, occurrence) }
}

function sameBefore(diagnostics: readonly Diagnostic[], index: number): number {
  return diagnostics.slice(0, index).filter(({ code, message }) => code === diagnostics[index]?.code && message === diagnostics[index]?.message).length
}

async function diagnosticsOf({ kind, source }: Description, context: DescriptionHow): Promise<readonly Diagnostic[]> {
  return kind === 'policy' ? policyFindings(source, context) : kind === 'compose' ? composeFindings(source, context) : topologyFindings(source, context)
}

/** What reading and compiling it says; where that has no errors, names that nothing uses too. What is wrong in a file that it includes is told there. */
async function policyFindings(source: SourceFile, { directory }: DescriptionHow): Promise<readonly Diagnostic[]> {
  const { loadPolicySource } = await import('../policy/load-policy.ts')
  const { sources, policy, diagnostics } = loadPolicySource(source, directory)
  if (!policy) return diagnostics
  const { unusedNames } = await import('../../src/lint/unused-names.ts')
  return [...diagnostics, ...unusedNames(sources)]
}

async function topologyFindings(source: SourceFile, { directory }: DescriptionHow): Promise<readonly Diagnostic[]> {
  const { readNamedBy } = await import('../trace/topology-for.ts')
  const { readTopology } = await import('../../src/topology/load.ts')
  return readTopology(source, { readFile: readNamedBy(source.path, directory) }).diagnostics
}

/** What INPUT would say of a published port is asked of the rulesets that are linted with the file. */
async function composeFindings(source: SourceFile, { directory, rulesets, how }: DescriptionHow): Promise<readonly Diagnostic[]> {
  const { readComposeSource } = await import('../docker/read-compose.ts')
  const { findSurprises } = await import('../../src/docker/findings.ts')
  const { value, plan, diagnostics } = readComposeSource(source, directory)
  if (diagnostics.some(({ severity }) => severity === 'error')) return diagnostics
  const base = await rulesOfHost(rulesets, how)
  const { askInput } = await import('../docker/ask-input.ts')
  return [...diagnostics, ...findSurprises(value, plan, base.length === 0 ? undefined : askInput(value, base))]
}

/** One readable ruleset of a family is the host's; of several nobody knows. */
async function rulesOfHost(rulesets: readonly SourceFile[], { read }: LintHow) {
  const { readRuleset } = await import('../../src/save/read.ts')
  const all = rulesets.map(source => readRuleset([source], read.family ? { family: read.family } : {}).value).filter(({ partial }) => !partial)
  return all.filter(({ family }) => all.filter(other => other.family === family).length === 1)
}
