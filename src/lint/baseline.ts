/** Baselines: findings that are known and not to be shown, by fingerprint, so that they stay known when lines move. */

import type { LintedFile } from './lint-report.ts'
import type { Finding } from './run-lint.ts'

/** A baseline file: for each path the fingerprints with their code, so that a reader sees what is in it. */
export interface Baseline {
  readonly version: 1
  readonly files: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** Returns the baseline that leaves nothing of a run to show. */
export function baselineOf(files: readonly LintedFile[]): Baseline {
  const entries = files.filter(({ findings }) => findings.length > 0).map(({ source, findings }) => [source.path, Object.fromEntries(findings.map(({ fingerprint, code }) => [fingerprint, code]))] as const)
  return { version: 1, files: Object.fromEntries(entries) }
}

/** Returns a baseline's text. */
export function writeBaseline(baseline: Baseline): string {
  return `${JSON.stringify(baseline, undefined, 2)}\n`
}

/** Reads a baseline; undefined where the text is none. */
export function readBaseline(text: string): Baseline | undefined {
  const value = parse(text)
  if (typeof value !== 'object' || value === null || !('version' in value) || value.version !== 1 || !('files' in value)) return undefined
  const { files } = value
  const isRight = typeof files === 'object' && files !== null && Object.values(files).every(entry => typeof entry === 'object' && entry !== null && Object.values(entry).every(code => typeof code === 'string'))
  return isRight ? { version: 1, files: files as Baseline['files'] } : undefined
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Tells whether a finding is in a baseline; a file that was renamed is found by its fingerprints under any path. */
export function isInBaseline({ files }: Baseline, path: string, { fingerprint }: Finding): boolean {
  const own = files[path]
  if (own) return Object.hasOwn(own, fingerprint)
  return Object.values(files).some(entry => Object.hasOwn(entry, fingerprint))
}
