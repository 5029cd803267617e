/** What commands that speak of all packets read: one ruleset, and the namespace that it is for. */

import { checkRuleset } from '../../src/extensions/check-ruleset.ts'
import type { Backend } from '../../src/ir/hooks.ts'
import type { Ruleset } from '../../src/ir/ruleset.ts'
import type { Family } from '../../src/net/address.ts'
import { plain } from '../../src/report/paint.ts'
import { writeDiagnostics } from '../../src/report/pretty.ts'
import { guessFamily } from '../../src/save/family.ts'
import { readRuleset } from '../../src/save/read.ts'
import type { Namespace } from '../../src/topology/topology.ts'
import { commandError } from '../command.ts'
import { readSources, withShortPaths } from '../input.ts'

/** How rules are read; a family that is not given is told by their content. */
export interface RulesetInput {
  readonly family: Family | undefined
  readonly backend: Backend
  readonly directory: string
}

/** Returns the ruleset of some files, loaded one after the other. A loop of chains, which no kernel loads, is a `commandError`. */
export function readOneRuleset(paths: readonly string[], { family, backend, directory }: RulesetInput): Ruleset {
  const sources = withShortPaths(readSources(paths, directory))
  const { value, diagnostics } = readRuleset(sources, { family: family ?? guessFamily(sources), backend })
  const loop = [...diagnostics, ...checkRuleset(value, { backend })].find(({ code }) => code === 'chain-loop')
  if (loop) throw commandError(`the rules cannot be loaded: ${loop.message}`, '5x5 check shows where')
  return value
}

/** Returns the first namespace of a topology file; undefined where none is given. */
export async function namespaceOf(path: unknown, directory: string): Promise<Namespace | undefined> {
  if (typeof path !== 'string') return undefined
  const { readTopology } = await import('../../src/topology/load.ts')
  const [source] = readSources([path], directory)
  const { value, diagnostics } = readTopology(source ?? { path, text: '' })
  const errors = diagnostics.filter(({ severity }) => severity === 'error')
  if (errors.length > 0) throw commandError(`the topology \`${path}\` cannot be used`, writeDiagnostics(errors, plain).trimEnd())
  return value.namespaces[0]
}
