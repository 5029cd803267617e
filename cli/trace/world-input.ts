/** What a command line describes: a topology, read or guessed, and the rulesets of its namespaces. */

import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts'
import type { SourceFile } from '../../src/diagnostics/source-file.ts'
import { checkRuleset } from '../../src/extensions/check-ruleset.ts'
import { didYouMean } from '../../src/extensions/did-you-mean.ts'
import type { Backend } from '../../src/ir/hooks.ts'
import type { Ruleset } from '../../src/ir/ruleset.ts'
import type { Family } from '../../src/net/address.ts'
import type { PacketRequest } from '../../src/packet/notation.ts'
import { guessFamily } from '../../src/save/family.ts'
import { readRuleset } from '../../src/save/read.ts'
import { makeWorld } from '../../src/simulate/world.ts'
import type { World } from '../../src/simulate/world.ts'
import type { Namespace, Topology } from '../../src/topology/topology.ts'
import { refuseForeign } from '../analysis/rulesets.ts'
import { commandError } from '../command.ts'
import type { FlagValues } from '../command.ts'
import { readFamily, readSources, withShortPaths } from '../input.ts'
import { topologyFor } from './topology-for.ts'

/** What to read. */
export interface WorldRequest {
  readonly values: FlagValues
  /** Files of rules, `NAMESPACE=FILE` for another namespace than the first. */
  readonly paths: readonly string[]
  /** The packets that a guessed host must make sense of. */
  readonly requests: readonly PacketRequest[]
  readonly backend: Backend
  readonly directory: string
}

/** A described world. */
export interface WorldInput {
  readonly topology: Topology
  readonly backend: Backend
  readonly rulesetsOf: ReadonlyMap<string, readonly Ruleset[]>
  /** What loading would refuse. */
  readonly errors: readonly Diagnostic[]
  /** What the topology has that is allowed and likely wrong, and rules that stand in a file and are not loaded. */
  readonly warnings: readonly Diagnostic[]
  /** Lines of a ruleset could not be read. */
  readonly partial: boolean
}

/** Reads everything; what is unreadable is a `commandError`. */
export async function readWorld({ values, paths, requests, backend, directory }: WorldRequest): Promise<WorldInput> {
  const files = paths.map(splitPath)
  const sources = readSources(files.map(({ path }) => path), directory)
  const shown = values['json'] === true ? sources : withShortPaths(sources)
  const family = readFamily(values['family'])
  const here = shown.filter((_, index) => files[index]?.namespace === undefined)
  const own = readFamilies(here, source => family ?? guessFamily([source]), backend)
  const warnings: Diagnostic[] = []
  const topology = await topologyFor({ values, requests, rulesets: own.rulesets, directory, warn: found => void warnings.push(...found) })
  const errors: Diagnostic[] = []
  const rulesetsOf = new Map(topology.namespaces.map((namespace, index) => {
    const named = shown.filter((_, at) => files[at]?.namespace === namespace.name)
    const given = named.length > 0 ? readFamilies(named, source => family ?? guessFamily([source]), backend) : index === 0 ? own : NO_RULES
    const loaded = readFamilies((namespace.rulesets ?? []).map(text => text.source), source => familyOfText(namespace, source), backend)
    const kept = loaded.rulesets.filter(one => !given.rulesets.some(other => other.family === one.family))
    errors.push(...given.errors, ...(kept.length > 0 ? loaded.errors : []))
    warnings.push(...given.warnings, ...(kept.length > 0 ? loaded.warnings : []))
    return [namespace.name, [...given.rulesets, ...kept]] as const
  }))
  checkNamespaces(files, topology)
  return { topology, backend, rulesetsOf, errors, warnings, partial: [...rulesetsOf.values()].flat().some(ruleset => ruleset.partial) }
}

/** Returns a fresh world of what was read. */
export function worldOf({ topology, backend, rulesetsOf }: WorldInput): World {
  return makeWorld({ topology, rulesets: [], rulesetsOf, backend })
}

/** A file of rules, and the namespace that it is for where that is told. */
export interface RulesPath {
  readonly path: string
  readonly namespace?: string
}

/** Reads a word of the command line: a path, or `NAMESPACE=PATH`. */
export function splitPath(word: string): RulesPath {
  const [, namespace, path] = /^([\w.-]+)=(.+)$/.exec(word) ?? []
  return namespace === undefined || path === undefined ? { path: word } : { path, namespace }
}

/** Complains of namespaces that are not in the topology. */
export function checkNamespaces(files: readonly RulesPath[], { namespaces }: Topology): void {
  const names = namespaces.map(({ name }) => name)
  const stranger = files.find(({ namespace }) => namespace !== undefined && !names.includes(namespace))
  if (stranger?.namespace !== undefined) throw commandError(`the topology has no namespace \`${stranger.namespace}\``, didYouMean(stranger.namespace, names) ?? `its namespaces are ${names.map(name => `\`${name}\``).join(', ')}`)
}

function familyOfText(namespace: Namespace, source: SourceFile): Family {
  return namespace.rulesets?.find(text => text.source === source)?.family ?? 'ipv4'
}

interface ReadRules {
  readonly rulesets: readonly Ruleset[]
  readonly errors: readonly Diagnostic[]
  /** Rules that are not loaded. */
  readonly warnings: readonly Diagnostic[]
}

const NO_RULES: ReadRules = { rulesets: [], errors: [], warnings: [] }

/** One ruleset for each family; files of one family are loaded one after the other. */
function readFamilies(sources: readonly SourceFile[], familyFor: (source: SourceFile) => Family, backend: Backend): ReadRules {
  const read = (['ipv4', 'ipv6'] as const).flatMap(family => {
    const files = sources.filter(source => familyFor(source) === family)
    return files.length === 0 ? [] : [readRuleset(files, { family, backend })]
  })
  for (const { diagnostics } of read) refuseForeign(diagnostics)
  const all = read.flatMap(({ value, diagnostics }) => [...diagnostics, ...checkRuleset(value, { backend })])
  const errors = all.filter(({ severity, backend: only }) => severity === 'error' && (only === undefined || only === backend))
  const loop = errors.find(({ code }) => code === 'chain-loop')
  if (loop) throw commandError(`the rules cannot be loaded: ${loop.message}`, '5x5 check shows where')
  return { rulesets: read.map(({ value }) => value), errors, warnings: read.flatMap(({ diagnostics }) => diagnostics.filter(({ code }) => code === 'repeated-table')) }
}
