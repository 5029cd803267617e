/** Files on the command line -> a report. */

import { readFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { baselineOf, isInBaseline, readBaseline, writeBaseline } from '../../src/lint/baseline.ts'
import type { Baseline } from '../../src/lint/baseline.ts'
import type { LintedFile, LintReport } from '../../src/lint/lint-report.ts'
import { lintSources } from '../../src/lint/lint-sources.ts'
import type { LintHow } from '../../src/lint/lint-sources.ts'
import { count } from '../../src/report/paint.ts'
import { commandError } from '../command.ts'
import type { Terminal } from '../command.ts'
import { readSources } from '../input.ts'
import type { Progress } from '../progress.ts'
import { writeText } from '../write-file.ts'
import { readTopologyFile } from '../trace/topology-for.ts'
import { findConfig } from './find-config.ts'
import type { FoundConfig } from './find-config.ts'
import type { LintFlags } from './lint-flags.ts'
import { readLintInputs } from './lint-inputs.ts'
import type { LintInputFiles } from './lint-inputs.ts'

/** What to lint, and how. */
export interface LintRequest {
  readonly paths: readonly string[]
  readonly flags: LintFlags
  readonly terminal: Terminal
  readonly progress: Progress
}

/** A report, and the flags with what the configuration adds. */
export interface LintRun {
  readonly report: LintReport
  readonly flags: LintFlags
}

/** Lints files. What cannot be read is a `commandError`. */
export async function lintFiles(request: LintRequest): Promise<LintRun> {
  const { paths, terminal } = request
  const found = await findConfig({ named: request.flags.config, isOff: request.flags.noConfig, start: startOf(paths, request.flags, terminal.directory), directory: terminal.directory })
  const flags = withConfig(request.flags, found)
  const inputs = readLintInputs(paths, terminal.directory, flags.stdinName)
  const how = await howToLint({ ...request, flags }, found)
  const { files, suppressed } = await lintInputs(inputs, how, terminal.directory)
  const fresh = flags.since === undefined ? files : await onlyNewSince(flags.since, inputs, files, how, terminal)
  const { files: shown, hidden } = withoutBaseline(fresh, flags, terminal)
  const number = (list: readonly LintedFile[]): number => list.reduce((sum, { findings }) => sum + findings.length, 0)
  return { flags, report: { files: shown, hidden: { suppressed, baseline: hidden, known: number(files) - number(fresh) }, version: packageVersion() } }
}

async function lintInputs({ rulesets, descriptions }: LintInputFiles, how: LintHow, directory: string): Promise<{ readonly files: readonly LintedFile[]; readonly suppressed: number }> {
  const linted = lintSources(rulesets, how)
  if (descriptions.length === 0) return linted
  const { lintDescriptions } = await import('./lint-descriptions.ts')
  const described = await lintDescriptions(descriptions, { how, directory, rulesets })
  return { files: [...linted.files, ...described.files], suppressed: linted.suppressed + described.suppressed }
}

/** The configuration of the first file holds. */
function startOf(paths: readonly string[], { stdinName }: LintFlags, directory: string): string {
  const first = paths[0] === '-' ? (stdinName ?? '.') : (paths[0] ?? '.')
  return resolve(directory, first)
}

function withConfig(flags: LintFlags, { config, folder }: FoundConfig): LintFlags {
  const topology = flags.topology ?? (config.topology === undefined ? undefined : resolve(folder, config.topology))
  const baseline = flags.baseline ?? (config.baseline === undefined ? undefined : resolve(folder, config.baseline))
  return {
    ...flags, topology, baseline, trusted: [...flags.trusted, ...config.trusted], keepOpen: [...flags.keepOpen, ...config.keepOpen],
    failOn: flags.isFailOnGiven ? flags.failOn : (config.failOn ?? flags.failOn), maxWarnings: flags.maxWarnings ?? config.maxWarnings,
  }
}

async function howToLint({ flags, terminal, progress }: LintRequest, { config, folder }: FoundConfig): Promise<LintHow> {
  const topology = flags.topology === undefined ? undefined : await readTopologyFile(flags.topology, terminal.directory)
  return {
    read: { ...(flags.family ? { family: flags.family } : {}), ...(flags.backend ? { backend: flags.backend } : {}) },
    surroundings: { today: new Date().toISOString().slice(0, 10), trusted: flags.trusted, keepOpen: flags.keepOpen, ...(topology ? { topology } : {}) },
    config,
    configPath: path => relative(folder, resolve(terminal.directory, path)).replaceAll('\\', '/'),
    ...(flags.only ? { only: flags.only } : {}),
    onStep: progress.step,
  }
}

async function onlyNewSince(ref: string, { rulesets, descriptions }: LintInputFiles, files: readonly LintedFile[], how: LintHow, { directory }: Terminal): Promise<readonly LintedFile[]> {
  const { committedSources, onlyNew } = await import('./since.ts')
  const committed = committedSources(ref, [...rulesets, ...descriptions.map(({ source }) => source)], directory)
  const before = descriptions.flatMap(({ kind, source }) => committed.filter(({ path }) => path === source.path).map(old => ({ kind, source: old })))
  const earlier = await lintInputs({ rulesets: committed.filter(({ path }) => rulesets.some(source => source.path === path)), descriptions: before }, how, directory)
  return onlyNew(files, earlier.files)
}

function withoutBaseline(files: readonly LintedFile[], { baseline: path, newBaseline }: LintFlags, { directory, err }: Terminal): { readonly files: readonly LintedFile[]; readonly hidden: number } {
  if (newBaseline !== undefined) {
    writeText(newBaseline, writeBaseline(baselineOf(files)), directory)
    err(`${count(files.reduce((sum, { findings }) => sum + findings.length, 0), 'finding')} written to ${newBaseline}\n`)
    return { files: files.map(file => ({ ...file, findings: [] })), hidden: 0 }
  }
  if (path === undefined) return { files, hidden: 0 }
  const baseline = baselineIn(path, directory)
  const shown = files.map(file => ({ ...file, findings: file.findings.filter(finding => !isInBaseline(baseline, file.source.path, finding)) }))
  return { files: shown, hidden: files.reduce((sum, { findings }, index) => sum + findings.length - (shown[index]?.findings.length ?? 0), 0) }
}

function baselineIn(path: string, directory: string): Baseline {
  const baseline = readBaseline(readSources([path], directory)[0]?.text ?? '')
  if (baseline) return baseline
  throw commandError(`\`${path}\` is not a baseline`, '`--write-baseline FILE` writes one')
}

/** The package file stands two folders up in the sources and in what is built, one up in the bundle. */
function packageVersion(): string {
  for (const path of ['../../package.json', '../../../package.json', '../package.json']) {
    try {
      return String((JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as { version?: unknown }).version)
    } catch {
      continue
    }
  }
  return '0.0.0'
}
