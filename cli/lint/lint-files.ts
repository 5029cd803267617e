/** Files on the command line -> a report. */

import { readFileSync } from 'node:fs'
import type { SourceFile } from '../../src/diagnostics/source-file.ts'
import type { LintedFile, LintReport } from '../../src/lint/lint-report.ts'
import type { LintTarget } from '../../src/lint/lint-rule.ts'
import { counterpartOf, readTarget, siblingsOf } from '../../src/lint/read-target.ts'
import { lintRuleset } from '../../src/lint/run-lint.ts'
import type { Terminal } from '../command.ts'
import { readRulesets } from '../directories.ts'
import type { Progress } from '../progress.ts'
import { readTopologyFile } from '../trace/topology-for.ts'
import type { LintFlags } from './lint-flags.ts'

/** What to lint, and how. */
export interface LintRequest {
  readonly paths: readonly string[]
  readonly flags: LintFlags
  readonly terminal: Terminal
  readonly progress: Progress
}

/** Lints files. What cannot be read is a `commandError`. */
export async function lintFiles(request: LintRequest): Promise<LintReport> {
  const sources = readNamed(request)
  const topology = request.flags.topology === undefined ? undefined : await readTopologyFile(request.flags.topology, request.terminal.directory)
  const targets = sources.map((source, index) => {
    request.progress.step(index + 1, sources.length, `reading ${source.path}`)
    return readTarget(source, { ...(request.flags.family ? { family: request.flags.family } : {}), ...(request.flags.backend ? { backend: request.flags.backend } : {}) })
  })
  const files = targets.map((target, index) => {
    request.progress.step(index + 1, targets.length, `linting ${sources[index]?.path ?? ''}`)
    return lintOne(target, targets, request, topology)
  })
  return { files: files.flat(), hidden: { suppressed: 0, baseline: 0, known: 0 }, version: packageVersion() }
}

function lintOne(target: LintTarget, targets: readonly LintTarget[], { flags }: LintRequest, topology: Awaited<ReturnType<typeof readTopologyFile>> | undefined): readonly LintedFile[] {
  const counterpart = counterpartOf(target, targets)
  const { findings } = lintRuleset(target, {
    surroundings: {
      today: new Date().toISOString().slice(0, 10), trusted: flags.trusted, keepOpen: flags.keepOpen, siblings: siblingsOf(target, targets),
      ...(topology ? { topology } : {}), ...(counterpart ? { counterpart } : {}),
    },
    ...(flags.only ? { only: flags.only } : {}),
  })
  return target.sources.map(source => ({ source, partial: target.ruleset.partial, ruleCount: target.ruleset.ruleCount, findings: findings.filter(({ span }) => span.source === source) }))
}

function readNamed({ paths, flags, terminal }: LintRequest): readonly SourceFile[] {
  const sources = readRulesets(paths, terminal.directory)
  return flags.stdinName === undefined ? sources : sources.map(source => (source.path === 'standard input' ? { ...source, path: flags.stdinName ?? source.path } : source))
}

/** Returns the version of the program. The package file stands two folders up in the sources, elsewhere in what is built. */
export function packageVersion(): string {
  for (const path of ['../../package.json', '../package.json']) {
    try {
      return String((JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as { version?: unknown }).version)
    } catch {
      continue
    }
  }
  return 'unknown'
}
