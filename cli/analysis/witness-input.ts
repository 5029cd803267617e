/** What `5x5 witness` looks for packets of: files, each loaded alone, or the rules of a described world. */

import { closedDevices } from '../../src/analyze/witness.ts'
import type { WitnessPlace } from '../../src/analyze/witness-flow.ts'
import type { ReachOptions } from '../../src/analyze/rule-reach.ts'
import { checkRuleset } from '../../src/extensions/check-ruleset.ts'
import type { Backend } from '../../src/ir/hooks.ts'
import { eachRule } from '../../src/ir/ruleset.ts'
import type { Ruleset } from '../../src/ir/ruleset.ts'
import { readRuleset } from '../../src/save/read.ts'
import type { Namespace } from '../../src/topology/topology.ts'
import { commandError } from '../command.ts'
import type { FlagValues, Terminal } from '../command.ts'
import { readFamily, readSources } from '../input.ts'
import { readWorld } from '../trace/world-input.ts'
import { ipsetsOf, sayUnknownIpsets } from './ipset-flags.ts'
import { refuseForeign, sayNotLoaded, sayRefused } from './rulesets.ts'

/** A command line. */
export interface WitnessRequest {
  readonly values: FlagValues
  readonly paths: readonly string[]
  readonly backend: Backend
  readonly terminal: Pick<Terminal, 'directory' | 'err' | 'paintErr'>
}

/** A ruleset, and what is known of where it is loaded. */
export interface WitnessInput {
  readonly path: string
  readonly ruleset: Ruleset
  readonly place: WitnessPlace | undefined
  readonly universe: ReachOptions['universe']
}

/** Reads everything; what is unreadable is a `commandError`. */
export async function readWitnessInput(request: WitnessRequest): Promise<readonly WitnessInput[]> {
  const { values, paths, backend, terminal } = request
  if (values['topology'] !== undefined) return inDescribedWorld(request)
  const family = readFamily(values['family'])
  const ipsets = ipsetsOf(values, terminal.directory)
  return readSources(paths, terminal.directory).map(source => {
    const { value, diagnostics } = readRuleset([source], { backend, ...(family === undefined ? {} : { family }) })
    refuseForeign(diagnostics)
    sayNotLoaded(diagnostics, terminal)
    if (!value.partial) sayRefused([...diagnostics, ...checkRuleset(value, { backend })], backend, terminal)
    sayUnknownIpsets([value], ipsets, terminal)
    return { path: source.path, ruleset: value, place: undefined, universe: ipsets.length > 0 ? { ipsets } : undefined }
  })
}

/** Where files are named it is about their rules, else about all that the topology has. */
async function inDescribedWorld({ values, paths, backend, terminal }: WitnessRequest): Promise<readonly WitnessInput[]> {
  const { topology, rulesetsOf, errors, warnings, partial } = await readWorld({ values, paths, requests: [], backend, directory: terminal.directory })
  sayNotLoaded(warnings, terminal)
  if (!partial) sayRefused(errors, backend, terminal)
  const found = topology.namespaces.flatMap(namespace => (rulesetsOf.get(namespace.name) ?? []).flatMap((ruleset): readonly WitnessInput[] => {
    const sources = sourcesOf(ruleset)
    if (paths.length > 0 && isOfTopology(namespace, sources)) return []
    const place = { topology, namespace, rulesetsOf }
    return [{ path: sources.map(({ path }) => path).join(', '), ruleset, place, universe: closedDevices(place) }]
  }))
  if (found.length === 0) throw commandError('which rules?', 'name them, or the topology tells them with `iptables:` or `ip6tables:`')
  return found
}

function sourcesOf(ruleset: Ruleset): readonly Source[] {
  const sources = new Set<Source>(ruleset.tables.flatMap(({ chains }) => chains.flatMap(({ span }) => span?.source ?? [])))
  eachRule(ruleset, ({ span }) => sources.add(span.source))
  return [...sources]
}

type Source = NonNullable<Namespace['rulesets']>[number]['source']

function isOfTopology({ rulesets = [] }: Namespace, sources: readonly Source[]): boolean {
  return rulesets.some(({ source }) => sources.includes(source))
}
