/** `fivebyfive.yaml`: looked for in the folder of the linted files and upwards, as far as the repository goes. */

import { existsSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { plain } from '../../src/report/paint.ts'
import { writeDiagnostics } from '../../src/report/pretty.ts'
import { NO_CONFIG } from '../../src/lint/settings.ts'
import type { LintConfig } from '../../src/lint/settings.ts'
import { commandError } from '../command.ts'
import { readSources } from '../input.ts'

const NAMES = ['fivebyfive.yaml', 'fivebyfive.yml', '.fivebyfive.yaml']

/** A configuration with the folder that its paths are relative to. */
export interface FoundConfig {
  readonly config: LintConfig
  readonly folder: string
}

/** Where to look: a file that was named, or upwards from `start`. */
export interface ConfigRequest {
  readonly named: string | undefined
  readonly isOff: boolean
  /** A path of what is linted. */
  readonly start: string
  readonly directory: string
}

/** Returns the configuration; one with errors is a `commandError`. */
export async function findConfig({ named, isOff, start, directory }: ConfigRequest): Promise<FoundConfig> {
  const path = isOff ? undefined : named === undefined ? upwards(resolve(directory, start)) : resolve(directory, named)
  if (path === undefined) return { config: NO_CONFIG, folder: directory }
  const shown = relative(directory, path) || path
  const [source] = readSources([shown], directory)
  const { readConfig } = await import('../../src/lint/config.ts')
  const { value, diagnostics } = readConfig(source ?? { path: shown, text: '' })
  if (diagnostics.length > 0) throw commandError(`the configuration \`${shown}\` cannot be used`, writeDiagnostics(diagnostics, plain).trimEnd())
  return { config: value, folder: dirname(path) }
}

/** The first configuration on the way up; the folder with `.git` is the last that is looked into. */
function upwards(from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const found = NAMES.map(name => join(folder, name)).find(path => existsSync(path))
    if (found !== undefined) return found
    if (existsSync(join(folder, '.git')) || dirname(folder) === folder) return undefined
  }
}
