/** Which order of the fields suits a ruleset: tried on some of its rules, since the wrong one can make sets a hundred times as large. */

import type { Backend } from '../ir/hooks.ts'
import type { Ruleset } from '../ir/ruleset.ts'
import { isTooBig, makePacketSets } from '../packetset/packet-sets.ts'
import type { PacketUniverse } from '../packetset/space.ts'
import { makeRuleSets } from '../symbolic/rule-sets.ts'

type Fields = NonNullable<PacketUniverse['firstFields']>

/** Sources before destinations: the usual order of packet sets. */
const SOURCE_FIRST: Fields = []

/** What leaves by which device to which address, before where it comes from. */
const DESTINATION_FIRST: Fields = ['ct.state', 'device.out', 'ip.dst', 'ip.protocol', 'ip.fragmentOffset', 'l4.dport', 'device.in', 'ip.src', 'l4.sport']

/** Smaller rulesets are quick in any order. */
const SMALL = 1000

/** So many rules are tried. */
const TRIED = 500

/** How much smaller the sets of the tried rules must be for the order that is not the family's usual one. */
const CLEARLY = 0.6

/**
 * Returns the fields whose variables stand first. Real rulesets differ little in IPv4; in IPv6, where the many sources of a network have 128
 * bits, destinations first take a third of the time. Rules that each name another host need that host's field first.
 */
export function fieldOrder(ruleset: Ruleset, backend: Backend, universe: PacketUniverse): Fields {
  const isLong = ruleset.family === 'ipv6'
  const [usual, other] = isLong ? [DESTINATION_FIRST, SOURCE_FIRST] : [SOURCE_FIRST, DESTINATION_FIRST]
  if (ruleset.ruleCount < SMALL) return usual
  return nodesWith(ruleset, backend, { ...universe, firstFields: other }) < CLEARLY * nodesWith(ruleset, backend, { ...universe, firstFields: usual }) ? other : usual
}

/** Returns the number of nodes that it takes to subtract some rules of every chain from all packets; infinite where they are far too many. */
function nodesWith(ruleset: Ruleset, backend: Backend, universe: PacketUniverse): number {
  const sets = makePacketSets(ruleset.family, { ...universe, expectedNodes: 1 << 16, nodeLimit: 1 << 20 })
  const ruleSets = makeRuleSets(ruleset, backend, sets)
  const step = Math.ceil(ruleset.ruleCount / TRIED)
  let count = 0
  try {
    for (const chain of ruleset.tables.flatMap(table => table.chains)) {
      let left = sets.every
      for (const [index, rule] of chain.rules.entries()) {
        if (count++ % step !== 0) continue
        const match = ruleSets.matchOf(rule, index + 1, chain)
        if (match.cube !== 'never') left = match.cube ? sets.subtractCube(left, match.cube) : sets.subtract(left, match.set())
      }
    }
  } catch (error) {
    if (!isTooBig(error)) throw error
    return Infinity
  }
  return sets.nodeCount()
}
