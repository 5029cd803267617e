/** Whose rules are verified: those of the command line, and those that the topology gives its namespaces. */

import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts'
import type { SourceFile } from '../../src/diagnostics/source-file.ts'
import { memoryOf } from '../../src/extensions/meaning-of.ts'
import { checkRuleset } from '../../src/extensions/check-ruleset.ts'
import type { Backend } from '../../src/ir/hooks.ts'
import { eachRule } from '../../src/ir/ruleset.ts'
import type { Ruleset } from '../../src/ir/ruleset.ts'
import type { Family } from '../../src/net/address.ts'
import { guessFamily } from '../../src/save/family.ts'
import { readRuleset } from '../../src/save/read.ts'
import type { Topology } from '../../src/topology/topology.ts'
import { commandError } from '../command.ts'

/** A ruleset and the texts that it was read from, for the namespace that loads them. */
export interface LoadedRules {
  readonly namespace: string
  readonly family: Family
  readonly sources: readonly SourceFile[]
  readonly ruleset: Ruleset
  /** What is likely wrong with the texts. */
  readonly warnings: readonly Diagnostic[]
}

/** Files that were named, and how to read them. */
export interface GivenRules {
  /** Each with the namespace that it is for; absent: the first. */
  readonly files: readonly { readonly source: SourceFile; readonly namespace?: string }[]
  readonly family: Family | undefined
  readonly backend: Backend
}

/** Reads the files of a command line for one namespace, one ruleset for each family; what loading would refuse is a `commandError`. */
export function readGiven({ files, family, backend }: GivenRules, namespace?: string): readonly Omit<LoadedRules, 'namespace'>[] {
  const own = files.filter(file => file.namespace === namespace).map(file => file.source)
  return (['ipv4', 'ipv6'] as const).flatMap(of => {
    const sources = own.filter(source => (family ?? guessFamily([source])) === of)
    return sources.length === 0 ? [] : [{ family: of, sources, ...readChecked(sources, of, backend) }]
  })
}

/** Returns the rules of all namespaces: files take the place of what the topology has of their family. */
export function rulesOfAll(topology: Topology, given: GivenRules): readonly LoadedRules[] {
  return topology.namespaces.flatMap(({ name, rulesets = [] }, index): readonly LoadedRules[] => {
    const named = [...(index === 0 ? readGiven(given) : []), ...readGiven(given, name)]
    return (['ipv4', 'ipv6'] as const).flatMap((family): readonly LoadedRules[] => {
      const file = named.findLast(one => one.family === family)
      if (file) return [{ ...file, namespace: name }]
      const sources = rulesets.filter(one => one.family === family).map(one => one.source)
      return sources.length === 0 ? [] : [{ namespace: name, family, sources, ...readChecked(sources, family, given.backend) }]
    })
  })
}

/** Tells whether rules remember packets: then each flow needs them as freshly loaded. */
export function haveMemory({ ruleset, family }: LoadedRules): boolean {
  let found = false
  eachRule(ruleset, ({ matches, target }) => {
    found ||= matches.some(use => memoryOf(use, family) !== undefined) || (target?.kind === 'target' && target.name === 'SET')
  })
  return found
}

function readChecked(sources: readonly SourceFile[], family: Family, backend: Backend): Pick<LoadedRules, 'ruleset' | 'warnings'> {
  const { value, diagnostics } = readRuleset(sources, { family, backend })
  const refusal = [...diagnostics, ...checkRuleset(value, { backend })].find(({ severity, backend: only }) => severity === 'error' && (only ?? backend) === backend)
  if (refusal) throw commandError(`the rules of \`${sources[0]?.path ?? ''}\` cannot be loaded: ${refusal.message}`, '5x5 check shows where')
  return { ruleset: value, warnings: diagnostics.filter(({ severity }) => severity === 'warning') }
}
