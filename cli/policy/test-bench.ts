/** Where a policy is tested: its rules over the live ones, on the described or the assumed host. */

import type { TestBench } from '../../src/analyze/policy-tests.ts'
import type { Backend } from '../../src/ir/hooks.ts'
import type { Ruleset } from '../../src/ir/ruleset.ts'
import type { Family } from '../../src/net/address.ts'
import { assumedTopology } from '../../src/policy/assumed-topology.ts'
import type { CompiledPolicy } from '../../src/policy/compile.ts'
import type { CompiledRules } from '../../src/policy/compiled.ts'
import type { ResolvedPolicy } from '../../src/policy/resolved.ts'
import { isInZone, toRuleset } from '../../src/policy/to-ruleset.ts'
import { writePrefix } from '../../src/net/address.ts'
import { guessFamily } from '../../src/save/family.ts'
import { readRuleset } from '../../src/save/read.ts'
import type { Ipset, Topology } from '../../src/topology/topology.ts'
import { commandError } from '../command.ts'
import type { FlagValues } from '../command.ts'
import { readSources } from '../input.ts'
import { readTopologyFile } from '../trace/topology-for.ts'

/** A bench with its topology. */
export interface Bench extends TestBench {
  readonly topology: Topology
}

/** What a bench is made of. */
export interface BenchInput {
  readonly policy: ResolvedPolicy
  readonly compiled: CompiledPolicy
  readonly values: FlagValues
  readonly backend: Backend
  readonly directory: string
}

/** Returns the bench; what cannot be read is a `commandError`. */
export async function makeBench({ policy, compiled, values, backend, directory }: BenchInput): Promise<Bench> {
  const live = readLive(values['live'], backend, directory)
  const path = values['topology']
  const described = typeof path === 'string' ? await readTopologyFile(path, directory) : assumedTopology(policy)
  const index = Math.max(0, described.namespaces.findIndex(({ devices }) => policy.zones.length > 0 && policy.zones.every(zone => devices.some(({ name }) => isInZone(zone, name)))))
  const own = described.namespaces[index]
  if (!own) throw commandError(`the topology \`${String(path)}\` has no namespace`)
  const missing = policy.zones.find(zone => !own.devices.some(({ name }) => isInZone(zone, name)))
  if (missing) throw commandError(`the topology has no device of zone \`${missing.name}\``, `${own.name} has ${own.devices.map(({ name }) => name).join(', ')}`)
  const namespace = { ...own, ipsets: [...own.ipsets, ...ipsetsOf(compiled)] }
  const topology = { ...described, namespaces: [namespace, ...described.namespaces.filter(one => one !== own)] }
  const rulesets = { ipv4: toRuleset(compiled.rules.ipv4, policy.zones, live.get('ipv4')), ipv6: toRuleset(compiled.rules.ipv6, policy.zones, live.get('ipv6')) }
  return { rulesets, namespace, topology, backend }
}

function readLive(value: FlagValues[string], backend: Backend, directory: string): ReadonlyMap<Family, Ruleset> {
  const sources = readSources(Array.isArray(value) ? value.map(String) : [], directory)
  return new Map(sources.map(source => {
    const family = guessFamily([source])
    const read = readRuleset([source], { family, backend })
    if (read.value.partial) throw commandError(`\`${source.path}\` was not understood as a whole`, '5x5 check shows where')
    return [family, read.value] as const
  }))
}

function ipsetsOf({ rules }: CompiledPolicy): readonly Ipset[] {
  return [rules.ipv4, rules.ipv6].flatMap((one: CompiledRules) => one.ipsets.map(({ name, family, prefixes }): Ipset => ({
    name, type: 'hash:net', family: family === 'ipv4' ? 'inet' : 'inet6', entries: prefixes.map(prefix => ({ text: writePrefix(prefix), nomatch: false })),
  })))
}
