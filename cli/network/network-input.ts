/** `--network FILE` of commands that send packets: the host that container networks make takes the place of rules and topology. */

import { generateRules } from '../../src/cni/generate.ts'
import type { NetworkPart } from '../../src/cni/generate.ts'
import { readNetworks } from '../../src/cni/read-networks.ts'
import { toTopology } from '../../src/cni/to-topology.ts'
import type { Backend } from '../../src/ir/hooks.ts'
import { familyOf } from '../../src/net/address.ts'
import type { Address } from '../../src/net/address.ts'
import { plain } from '../../src/report/paint.ts'
import { writeDiagnostics } from '../../src/report/pretty.ts'
import { readRuleset } from '../../src/save/read.ts'
import { assumedHost } from '../../src/topology/assumed-host.ts'
import type { Namespace } from '../../src/topology/topology.ts'
import { commandError } from '../command.ts'
import type { FlagValues } from '../command.ts'
import { readBase } from '../docker/host-rules.ts'
import { readSources } from '../input.ts'
import { readTopologyFile } from '../trace/topology-for.ts'
import type { WorldInput } from '../trace/world-input.ts'
import { flagTexts } from './flag-texts.ts'
import { generatedRules } from './generated-rules.ts'
import { fillPods } from './pod-names.ts'

/** What `--network` is read from. `paths` are rules that the host had before. */
export interface NetworkRequest {
  readonly values: FlagValues
  readonly paths: readonly string[]
  readonly backend: Backend
  readonly directory: string
}

/** The world of `--network`, ready for packets. */
export interface NetworkInput {
  readonly input: WorldInput
  /** The host itself, as it is known without the networks. */
  readonly outside: Namespace
  /** Returns a packet's text without names. */
  readonly fill: (text: string) => string
}

/** Returns the world of `--network`. Networks with errors are a `commandError`. */
export async function readNetworkInput({ values, paths, backend, directory }: NetworkRequest): Promise<NetworkInput> {
  const networks = flagTexts(values, 'network')
  if (networks.length === 0) throw commandError('`--pods` are the pods of a network', 'name it with `--network`')
  const { value: parts, diagnostics } = readNetworks(readSources(networks, directory), readSources(flagTexts(values, 'pods'), directory))
  const errors = diagnostics.filter(({ severity }) => severity === 'error')
  if (errors.length > 0) throw commandError(`the networks \`${networks.join(' ')}\` cannot be used`, writeDiagnostics(errors, plain).trimEnd())
  const described = typeof values['topology'] === 'string' ? await readTopologyFile(values['topology'], directory) : undefined
  const guess = assumedHost(hostAddresses(parts))
  const outside = described?.namespaces[0] ?? guess.namespace
  const made = toTopology(parts, outside)
  const rules = generatedRules((family, base) => generateRules(parts, family, base), { base: readBase(paths, directory) })
  const rulesets = rules.map(({ family, source }) => readRuleset([source], { family }).value)
  const topology = {
    ...made,
    namespaces: [...made.namespaces, ...(described?.namespaces.slice(1) ?? [])],
    labels: [...made.labels, ...(described?.labels ?? [])],
    assumptions: described ? [] : guess.assumptions,
    ...(described?.wires ? { wires: described.wires } : {}),
  }
  return {
    input: { topology, backend, rulesetsOf: new Map([[outside.name, rulesets]]), errors: [], warnings: [], partial: false },
    outside,
    fill: text => fillPods(text, made.containers ?? [], made.namespaces, outside),
  }
}

/** The addresses that ports are published on. */
function hostAddresses(parts: readonly NetworkPart[]): readonly Address[] {
  return parts.flatMap(part => {
    if (part.kind === 'flannel' || part.kind === 'calico') return []
    const given = part.kind === 'cni' ? part.host.pods.flatMap(({ mappings }) => mappings) : part.host.networks.flatMap(({ containers }) => containers.flatMap(({ ports }) => ports))
    return given.flatMap(({ hostAddress }) => (hostAddress === undefined || isLoopback(hostAddress) ? [] : [hostAddress]))
  })
}

function isLoopback(address: Address): boolean {
  return familyOf(address) === 'ipv4' ? Number(address) >>> 24 === 127 : address === 1n
}
