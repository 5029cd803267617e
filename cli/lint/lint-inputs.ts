/** The files of `5x5 lint`, by what they are: rulesets, policies, compose files, topologies. */

import { basename } from 'node:path'
import type { SourceFile } from '../../src/diagnostics/source-file.ts'
import { expandDirectories, isRuleset, looksLikeRuleset } from '../directories.ts'
import type { IsWanted } from '../directories.ts'
import { readSources } from '../input.ts'

/** What a file is. */
export type InputKind = 'ruleset' | 'policy' | 'compose' | 'topology'

/** A file that describes something else than rules. */
export interface Description {
  readonly kind: Exclude<InputKind, 'ruleset'>
  readonly source: SourceFile
}

/** All files of a run. */
export interface LintInputFiles {
  readonly rulesets: readonly SourceFile[]
  readonly descriptions: readonly Description[]
}

/** Reads the files of a command line; of directories what can be linted. What cannot be read is a `commandError`. */
export function readLintInputs(paths: readonly string[], directory: string, stdinName?: string): LintInputFiles {
  const rulesets: SourceFile[] = []
  const descriptions: Description[] = []
  for (const read of readSources([...expandDirectories(paths, directory, isLinted)], directory)) {
    const source = read.path === 'standard input' && stdinName !== undefined ? { ...read, path: stdinName } : read
    const kind = kindOf(source)
    if (kind === 'ruleset') rulesets.push(source)
    else descriptions.push({ kind, source })
  }
  return { rulesets, descriptions }
}

/** Of a directory other YAML files are left alone. */
const isLinted: IsWanted = (name, beginning) => name.endsWith('.gate') || (YAML.test(name) ? yamlKind(name, beginning()) !== undefined : isRuleset(name, beginning))

const YAML = /\.ya?ml$/

/** The name tells where it can, else the text. */
function kindOf({ path, text }: SourceFile): InputKind {
  if (path.endsWith('.gate')) return 'policy'
  if (YAML.test(path)) return yamlKind(basename(path), text) ?? 'topology'
  if (looksLikeRuleset(text)) return 'ruleset'
  return yamlKind(basename(path), text) ?? (/^(zone|let|default|allow|deny|publish|include|option)\s/m.test(text) && !/^-[A-Z]\s/m.test(text) ? 'policy' : 'ruleset')
}

function yamlKind(name: string, text: string): 'compose' | 'topology' | undefined {
  if (/^services:/m.test(text)) return 'compose'
  if (/^(namespaces|devices):/m.test(text)) return 'topology'
  return YAML.test(name) && /^(docker-)?compose\b/.test(name) ? 'compose' : undefined
}
