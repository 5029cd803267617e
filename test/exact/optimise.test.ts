/** An optimised ruleset does what the ruleset did: to single packets and to a row of packets, with the same log lines, marks and counts, in the simulator. */

import { describe, expect, test } from 'vitest'
import { optimiseRuleset, STEPS } from '../../src/analyze/optimise/optimise.ts'
import type { Ruleset } from '../../src/ir/ruleset.ts'
import type { Probe } from '../../src/packet/probe.ts'
import { writeRule } from '../../src/save/write-rule.ts'
import { writeRuleset } from '../../src/save/write.ts'
import { makeWorld } from '../../src/simulate/world.ts'
import { trace } from '../../src/simulate/trace.ts'
import type { Outcome, TraceEvent } from '../../src/simulate/trace-events.ts'
import type { Ipset, Topology } from '../../src/topology/topology.ts'
import { makeChance } from '../chance.ts'
import { looseRules } from './loose-rules.ts'
import { everyPacket, rulesetOf, smallTopology, somePackets } from './small-universe.ts'

/** How many rulesets; RULESETS and FIRST run others. */
const RULESETS = Number(process.env['RULESETS'] ?? 24)
const FIRST = Number(process.env['FIRST'] ?? 1)
const PACKETS = Number(process.env['PACKETS'] ?? 40)
const TABLES = [['filter'], ['nat', 'filter'], ['mangle', 'filter'], ['raw', 'mangle', 'nat', 'filter']] as const

describe('an optimised ruleset', () => {
  const topology = smallTopology()
  const every = everyPacket()

  test(`does the same as before, for ${RULESETS} random rulesets, and loads`, () => {
    let [before, after] = [0, 0]
    for (let seed = FIRST; seed < FIRST + RULESETS; seed++) {
      const chance = makeChance(seed)
      const text = looseRules(chance, TABLES[seed % TABLES.length] ?? ['filter'])
      const ruleset = rulesetOf(text)
      const result = optimiseRuleset(ruleset, { steps: new Set(STEPS), ipsetThreshold: 2 + chance.below(3) })
      const written = writeRuleset(result.ruleset, { tableOrder: 'file', counters: true })
      const shorter = rulesetOf(written)
      before += ruleset.ruleCount
      after += shorter.ruleCount
      const hosts = { before: topology, after: withIpsets(topology, result.ipsets.map(({ set }) => set)) }
      const single = somePackets(chance, every, PACKETS)
      const difference = single.map(probe => differ(hosts, ruleset, shorter, [probe])).find(found => found !== undefined) ?? differ(hosts, ruleset, shorter, somePackets(chance, every, PACKETS))
      if (difference !== undefined) expect.fail(`seed ${seed}: ${difference}\n${text}\n${written}`)
    }
    console.info(`${before} rules became ${after}`)
    expect(after).toBeLessThan(before)
  })
})

function withIpsets(topology: Topology, ipsets: readonly Ipset[]): Topology {
  return { ...topology, namespaces: topology.namespaces.map(namespace => ({ ...namespace, ipsets })) }
}

/** Sends packets one after the other through two hosts; returns where they first fare differently. */
function differ(hosts: Readonly<Record<'before' | 'after', Topology>>, before: Ruleset, after: Ruleset, probes: readonly Probe[]): string | undefined {
  const worlds = [makeWorld({ topology: hosts.before, rulesets: [before] }), makeWorld({ topology: hosts.after, rulesets: [after] })] as const
  for (const [index, probe] of probes.entries()) {
    const [old, now] = worlds.map(world => seen(trace(world, probe)))
    if (old !== now) return `packet ${index}: ${JSON.stringify(probe)}\n  ${old}\n  ${now}`
  }
  return undefined
}

/** What became of a packet, and what rules did on its way that somebody could see. */
function seen({ events, outcome }: { readonly events: readonly TraceEvent[]; readonly outcome: Outcome }): string {
  const deeds = events.flatMap(event => {
    if (event.kind !== 'rule') return []
    const { target } = event.place.rule
    if (!target) return [`counts ${writeRule(event.place.rule, 'ipv4')}`]
    return target.kind === 'target' && event.result.kind === 'continue' ? [writeRule({ matches: [], target }, 'ipv4')] : []
  })
  const { packet } = outcome
  const end = 'by' in outcome ? (outcome.by.kind === 'rule' && outcome.by.place.rule.target?.kind === 'target' && outcome.by.place.rule.target.name === 'REJECT' ? 'reject' : 'drop') : `${outcome.kind} ${outcome.device}`
  return JSON.stringify([deeds, end, packet.src, packet.dst, packet.sport, packet.dport, packet.tos, packet.ttl, packet.mark, packet.tcp?.flags])
}
