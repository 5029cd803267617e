/** Which order of the fields suits a ruleset: tried on some of its rules, since the wrong one can make sets a hundred times as large. */

import type { Backend } from '../ir/hooks.ts'
import type { Ruleset } from '../ir/ruleset.ts'
import { makePacketSets } from '../packetset/packet-sets.ts'
import type { PacketUniverse } from '../packetset/space.ts'
import { makeRuleSets } from '../symbolic/rule-sets.ts'
import type { RuleSets } from '../symbolic/rule-sets.ts'

type Fields = NonNullable<PacketUniverse['firstFields']>

/** Sources before destinations: the usual order of packet sets. */
const SOURCE_FIRST: Fields = []

/** What leaves by which device to which address, before where it comes from. */
const DESTINATION_FIRST: Fields = ['ct.state', 'device.out', 'ip.dst', 'ip.protocol', 'ip.fragmentOffset', 'l4.dport', 'device.in', 'ip.src', 'l4.sport']

/** Smaller rulesets are quick in any order. */
const SMALL = 1000

/** So many rules are tried. */
const TRIED = 500

/** Nodes at which a trial ends: it has lost its way. */
const FAR_TOO_MANY = 1 << 20

/** How much smaller the sets of the tried rules must be for the order that is not the family's usual one. */
const CLEARLY = 0.6

/**
 * Returns the sets of a ruleset's rules with those fields first that suit them. Real rulesets differ little in IPv4; in IPv6, where the many
 * sources of a network have 128 bits, destinations first take a third of the time. Rules that each name another host need that host's field first.
 */
export function makeOrderedSets(ruleset: Ruleset, backend: Backend, universe: PacketUniverse): RuleSets {
  const isLong = ruleset.family === 'ipv6'
  const [usual, other] = isLong ? [DESTINATION_FIRST, SOURCE_FIRST] : [SOURCE_FIRST, DESTINATION_FIRST]
  const setsWith = (more: Partial<PacketUniverse>): RuleSets => makeRuleSets(ruleset, backend, makePacketSets(ruleset.family, { ...universe, ...more }))
  const ruleSets = setsWith({ firstFields: usual })
  if (ruleset.ruleCount < SMALL) return ruleSets
  const nodes = nodesFor(ruleSets, FAR_TOO_MANY)
  const limit = nodes === undefined ? FAR_TOO_MANY : Math.ceil(CLEARLY * nodes)
  const isBetter = nodesFor(setsWith({ firstFields: other, expectedNodes: limit }), limit) !== undefined
  return isBetter ? setsWith({ firstFields: other }) : ruleSets
}

/** Returns the number of nodes that it takes to subtract some rules of every chain from all packets; undefined where the limit does not do. */
function nodesFor({ sets, ruleset, matchOf }: RuleSets, limit: number): number | undefined {
  const step = Math.ceil(ruleset.ruleCount / TRIED)
  const before = sets.nodeCount()
  let count = 0
  return sets.withinBudget(limit, () => {
    for (const chain of ruleset.tables.flatMap(table => table.chains)) {
      let left = sets.every
      for (const [index, rule] of chain.rules.entries()) {
        if (count++ % step !== 0) continue
        const match = matchOf(rule, index + 1, chain)
        if (match.cube !== 'never') left = match.cube ? sets.subtractCube(left, match.cube) : sets.subtract(left, match.set())
      }
    }
    return sets.nodeCount() - before
  })
}
