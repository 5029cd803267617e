/** What the simulator says that a program is told in a world that remembers nothing. */

import type { Ruleset } from '../../src/ir/ruleset.ts'
import { readRuleset } from '../../src/save/read.ts'
import { tryToReach } from '../../src/simulate/attempt.ts'
import type { Attempt, Attempted } from '../../src/simulate/attempt.ts'
import { makeWorld } from '../../src/simulate/world.ts'
import type { Namespace, Topology } from '../../src/topology/topology.ts'

/** Tries in a fresh world of a topology; rules that cannot be loaded are an error. */
export function simulateAttempt(topology: Topology, attempt: Attempt): Attempted {
  const world = makeWorld({ topology, rulesets: [], rulesetsOf: new Map(topology.namespaces.map(namespace => [namespace.name, rulesetsOf(namespace)])) })
  const host = world.hosts.get(attempt.namespace)
  if (!host) throw new Error(`there is no namespace ${attempt.namespace}`)
  return tryToReach(world, attempt, host)
}

function rulesetsOf({ rulesets = [] }: Namespace): readonly Ruleset[] {
  return (['ipv4', 'ipv6'] as const).flatMap(family => {
    const sources = rulesets.filter(text => text.family === family).map(text => text.source)
    if (sources.length === 0) return []
    const { value, diagnostics } = readRuleset(sources, { family })
    const problem = diagnostics.find(({ severity }) => severity === 'error')
    if (problem) throw new Error(problem.message)
    return [value]
  })
}
