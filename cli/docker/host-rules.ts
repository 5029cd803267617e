/** The rules of a docker host for both families, over what was there before. */

import { DOCKER_FILES } from './rule-files.ts'
import type { SourceFile } from '../../src/diagnostics/source-file.ts'
import { generateRules } from '../../src/docker/generate.ts'
import type { DockerHost } from '../../src/docker/model.ts'
import { textOfLines } from '../../src/draft/rule-book.ts'
import type { BookLine } from '../../src/draft/rule-book.ts'
import type { Ruleset } from '../../src/ir/ruleset.ts'
import type { Family } from '../../src/net/address.ts'
import { guessFamily } from '../../src/save/family.ts'
import { readRuleset } from '../../src/save/read.ts'
import { commandError } from '../command.ts'
import { readSources } from '../input.ts'

/** The rules of one family: as lines with reasons, and as a text. */
export interface HostRules {
  readonly family: Family
  readonly lines: readonly BookLine[]
  readonly source: SourceFile
}

/** Returns the rules of a host. `base` are files with what was there before the engine started; `folder` is what reports call the place of the files. */
export function hostRules(host: DockerHost, base: readonly Ruleset[] = [], folder = ''): readonly HostRules[] {
  return (['ipv4', 'ipv6'] as const).map(family => {
    const lines = generateRules(host, family, base.find(ruleset => ruleset.family === family))
    return { family, lines, source: { path: `${folder}${DOCKER_FILES[family]}`, text: textOfLines(lines) } }
  })
}

/** Reads the rules that a host had before; what loading would refuse is a `commandError`. */
export function readBase(paths: readonly string[], directory: string): readonly Ruleset[] {
  const sources = readSources(paths, directory)
  return (['ipv4', 'ipv6'] as const).flatMap(family => {
    const files = sources.filter(source => guessFamily([source]) === family)
    if (files.length === 0) return []
    const { value, diagnostics } = readRuleset(files, { family })
    const [error] = diagnostics.filter(({ severity }) => severity === 'error')
    if (error || value.partial) throw commandError(`the rules of \`--base\` cannot be read: ${error?.message ?? 'a line is left out'}`, `5x5 check ${files.map(({ path }) => path).join(' ')} shows where`)
    return [value]
  })
}
