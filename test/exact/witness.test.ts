/** What `witness` says of random rulesets: packets that it gives meet their rule when its file is read back; a rule that it calls dead is met by no packet of a small universe. */

import { describe, test } from 'vitest'
import { ruleReach } from '../../src/analyze/rule-reach.ts'
import { findWitnesses } from '../../src/analyze/witness.ts'
import { readPacket } from '../../src/packet/notation.ts'
import type { Probe } from '../../src/packet/probe.ts'
import { replyTo } from '../../src/packet/reply.ts'
import { writeWitnesses } from '../../src/report/witness-text.ts'
import type { Ruleset } from '../../src/ir/ruleset.ts'
import { trace } from '../../src/simulate/trace.ts'
import type { Trace } from '../../src/simulate/trace-events.ts'
import { makeWorld } from '../../src/simulate/world.ts'
import type { World } from '../../src/simulate/world.ts'
import { assumedTopology } from '../../src/topology/assumed.ts'
import { readPacketFile } from '../../src/topology/packet-file.ts'
import type { PacketFlow } from '../../src/topology/packet-file.ts'
import { makeChance } from '../chance.ts'
import { randomRules } from './random-rules.ts'
import { manySeeds } from './seeds.ts'
import { everyPacket, rulesetOf, smallTopology, somePackets } from './small-universe.ts'

const SEEDS = manySeeds(12)
const PACKETS = 40
const SEARCHES = Number(process.env['SEARCHES'] ?? 1)
const TABLES = [['filter'], ['nat', 'filter'], ['mangle', 'filter'], ['raw', 'mangle', 'nat', 'filter']] as const
const FREE = ['a', 'b'].map(text => `-m string --string "${text}" --algo bm`)

describe('packets for every rule', () => {
  const topology = smallTopology()
  const every = everyPacket()

  test(`meet it, and no other packet meets a dead one, for ${SEEDS.rulesets} random rulesets`, { timeout: SEEDS.timeout }, () => {
    SEEDS.run((seed, count) => {
      const chance = makeChance(seed)
      const text = randomRules(chance, TABLES[seed % TABLES.length] ?? ['filter'])
      const ruleset = rulesetOf(text)
      const witnesses = findWitnesses(ruleReach(ruleset), { backend: 'legacy', mostSearches: SEARCHES, ...(chance.once(3) ? { shared: 'always' } : {}) })
      const { flows, problems } = readPacketFile(writeWitnesses([{ path: 'random.rules', partial: false, tooBig: [], witnesses }]))
      const differences = problems.map(({ line, message }) => `line ${line}: ${message}\n${text}`)
      const reached = witnesses.flatMap(one => (one.kind === 'packets' ? [one] : []))
      const told = reached.filter(one => !one.of)
      if (flows.length !== told.length) differences.push(`${told.length} witnesses are ${flows.length} flows\n${text}`)
      for (const [index, { at: { rule } }] of told.entries()) {
        const flow = flows[index]
        count(flow && flow.packets.length > 1 ? 'flows of several packets' : 'single packets')
        if (!flow || !rulesMet(flow, ruleset).has(rule.id)) differences.push(`its packets do not meet rule ${rule.id}: ${flow?.packets.join(', ')}\n${text}`)
      }
      for (const { at: { rule }, of } of reached) {
        if (!of) continue
        count('rules that packets for others meet')
        const flow = flows[told.findIndex(one => one.at.rule === of.rule)]
        if (!flow || !rulesMet(flow, ruleset).has(rule.id)) differences.push(`the packets for rule ${of.rule.id} do not meet rule ${rule.id}\n${text}`)
      }
      const met = new Set<number>()
      for (const probe of somePackets(chance, every, PACKETS)) {
        const assume = new Map(FREE.map(key => [key, chance.once(2)]))
        const world = makeWorld({ topology, rulesets: [ruleset] })
        const sent = trace(world, probe, { assume })
        for (const id of [...rulesIn(sent), ...laterRules(world, sent, probe, assume)]) met.add(id)
        count('packets')
      }
      for (const one of witnesses) {
        count(one.kind === 'packets' ? 'rules with packets' : one.kind === 'dead' ? 'dead rules' : met.has(one.at.rule.id) ? 'rules without packets that some packet meets' : 'rules without packets')
        if (one.kind === 'dead' && met.has(one.at.rule.id)) differences.push(`rule ${one.at.rule.id} is called dead, and a packet meets it\n${text}`)
      }
      return differences
    })
  })
})

function rulesMet({ packets, host, conditions }: PacketFlow, ruleset: Ruleset): ReadonlySet<number> {
  const probes = packets.flatMap(text => {
    const reading = readPacket(text)
    return reading.ok && reading.value.kind === 'probe' ? [reading.value.probe] : []
  })
  const world = makeWorld({ topology: host ?? assumedTopology([ruleset], probes), rulesets: [ruleset] })
  return new Set(probes.flatMap(probe => rulesIn(trace(world, probe, { assume: conditions }))))
}

function rulesIn({ events }: Trace): readonly number[] {
  return events.flatMap(event => (event.kind === 'rule' ? [event.place.rule.id] : []))
}

/** The rules that the answer to an accepted packet meets, and the sender's next packet. */
function laterRules(world: World, { outcome }: Trace, probe: Probe, assume: ReadonlyMap<string, boolean>): readonly number[] {
  if (outcome.kind !== 'local' && outcome.kind !== 'forward' && outcome.kind !== 'sent') return []
  const { socket: _, ...packet } = replyTo(outcome.packet)
  const answer: Probe = outcome.kind === 'local' ? { packet } : { packet, inDevice: outcome.device }
  return [answer, probe].flatMap(one => rulesIn(trace(world, one, { assume })))
}
