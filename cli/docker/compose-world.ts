/** A docker host as something that packets can be sent into: its rules as they are loaded, and its topology. */

import type { DockerHost } from '../../src/docker/model.ts'
import { assumedOutside } from '../../src/docker/outside.ts'
import { toTopology } from '../../src/docker/to-topology.ts'
import type { Ruleset } from '../../src/ir/ruleset.ts'
import { readRuleset } from '../../src/save/read.ts'
import type { Namespace, Topology } from '../../src/topology/topology.ts'
import { hostRules } from './host-rules.ts'
import type { HostRules } from './host-rules.ts'

/** A host with its rules. `outside` is the part of it that is not the engine's. */
export interface ComposeWorld {
  readonly host: DockerHost
  readonly outside: Namespace
  readonly topology: Topology
  readonly rules: readonly HostRules[]
  readonly rulesets: readonly Ruleset[]
}

/** What is told of a host beside its compose file; `folder` is what reports call the place of its rules. */
export interface WorldOptions {
  readonly described?: Topology | undefined
  readonly folder?: string
}

/** Returns the world of a host. Without a topology of the host itself the plainest one is taken, and told. */
export function composeWorld(host: DockerHost, base: readonly Ruleset[] = [], { described, folder }: WorldOptions = {}): ComposeWorld {
  const guess = assumedOutside(host)
  const outside = described?.namespaces[0] ?? guess.namespace
  const rules = hostRules(host, base, folder)
  const made = toTopology(host, outside)
  const [main, ...sandboxes] = made.namespaces
  const rulesetTexts = rules.map(({ family, source }) => ({ family, source }))
  const topology: Topology = {
    ...made,
    namespaces: [...(main ? [{ ...main, rulesets: rulesetTexts }] : []), ...sandboxes, ...(described?.namespaces.slice(1) ?? [])],
    labels: [...made.labels, ...(described?.labels ?? [])],
    assumptions: [...(described ? [] : guess.assumptions), ...host.assumptions],
    ...(described?.wires ? { wires: described.wires } : {}),
  }
  return { host, outside, topology, rules, rulesets: rules.map(({ family, source }) => readRuleset([source], { family }).value) }
}
