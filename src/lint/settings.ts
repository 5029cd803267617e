/** What a configuration says, and how it is asked about a file. */

import type { Severity } from '../diagnostics/diagnostic.ts'
import type { Prefix } from '../net/address.ts'
import { matchesGlob } from './glob.ts'
import type { KeepOpen } from './keep-open.ts'
import type { Level } from './lint-rule.ts'

/** What some files are linted with beyond what holds for all. Globs are relative to the configuration's folder. */
export interface PathSettings {
  readonly files: readonly string[]
  readonly ignore: boolean
  readonly rules: ReadonlyMap<string, Level>
}

/** A configuration; paths in it are relative to its folder. */
export interface LintConfig {
  readonly rules: ReadonlyMap<string, Level>
  readonly paths: readonly PathSettings[]
  readonly topology?: string
  readonly trusted: readonly Prefix[]
  readonly keepOpen: readonly KeepOpen[]
  readonly baseline?: string
  readonly failOn?: Severity
  readonly maxWarnings?: number
}

/** Nothing configured. */
export const NO_CONFIG: LintConfig = { rules: new Map(), paths: [], trusted: [], keepOpen: [] }

/** Returns how grave a code is in a file, undefined where nothing is said; later entries of `paths` win. `path` is relative to the configuration. */
export function levelIn(config: LintConfig, path: string, code: string): Level | undefined {
  const own = config.paths.findLast(settings => settings.rules.has(code) && settings.files.some(glob => matchesGlob(path, glob)))
  return own?.rules.get(code) ?? config.rules.get(code)
}

/** Tells whether a file is not linted at all. */
export function isIgnored(config: LintConfig, path: string): boolean {
  return config.paths.some(({ ignore, files }) => ignore && files.some(glob => matchesGlob(path, glob)))
}
