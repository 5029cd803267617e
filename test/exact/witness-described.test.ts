/** What `witness --topology` says of random rulesets on described hosts: packets that it gives meet their rule there when its file is read back; a rule that it calls dead is met by no packet of a small universe. */

import { describe, test } from 'vitest'
import { ruleReach } from '../../src/analyze/rule-reach.ts'
import { closedDevices, findWitnesses } from '../../src/analyze/witness.ts'
import type { WitnessPlace } from '../../src/analyze/witness-flow.ts'
import type { Ruleset } from '../../src/ir/ruleset.ts'
import { readPacket } from '../../src/packet/notation.ts'
import type { Probe } from '../../src/packet/probe.ts'
import { writeWitnesses } from '../../src/report/witness-text.ts'
import { converse, legsOf, sendThrough } from '../../src/simulate/journey.ts'
import type { Journey, Leg } from '../../src/simulate/journey.ts'
import { makeWorld } from '../../src/simulate/world.ts'
import type { World } from '../../src/simulate/world.ts'
import { readPacketFile } from '../../src/topology/packet-file.ts'
import { makeChance } from '../chance.ts'
import type { Chance } from '../chance.ts'
import { randomRules } from './random-rules.ts'
import { randomPacket, randomWorld } from './random-worlds.ts'
import { manySeeds } from './seeds.ts'
import type { Count } from './seeds.ts'
import { everyPacket, rulesetOf, smallTopology, somePackets } from './small-universe.ts'

const SEEDS = manySeeds(3)
const PACKETS = 40
const SEARCHES = Number(process.env['SEARCHES'] ?? 1)
const TABLES = [['filter'], ['nat', 'filter'], ['mangle', 'filter'], ['raw', 'mangle', 'nat', 'filter']] as const
const FREE = ['a', 'b'].map(text => `-m string --string "${text}" --algo bm`)

describe('packets for every rule on a described host', () => {
  const every = everyPacket()
  const topology = smallTopology()

  test(`meet it there, and no other packet meets a dead one, for ${SEEDS.rulesets} random rulesets`, { timeout: SEEDS.timeout }, () => {
    SEEDS.run((seed, count) => {
      const chance = makeChance(seed)
      const text = randomRules(chance, TABLES[seed % TABLES.length] ?? ['filter'])
      const ruleset = rulesetOf(text)
      const [namespace] = topology.namespaces
      if (!namespace) throw new Error('the small topology has a namespace')
      const probes = somePackets(chance, every, PACKETS)
      return compare({ place: { topology, namespace, rulesetsOf: new Map([[namespace.name, [ruleset]]]) }, ruleset, chance, probes, count, text })
    })
  })

  test(`meet it in worlds of three hosts, for ${SEEDS.rulesets} random ones`, { timeout: SEEDS.timeout }, () => {
    SEEDS.run((seed, count) => {
      const chance = makeChance(seed)
      const small = randomWorld(chance, chance.once(3) ? 'ipv6' : 'ipv4', chance.once(2) ? 'p1' : 'eth0')
      const probes = Array.from({ length: PACKETS }, () => randomPacket(chance, small))
      return small.topology.namespaces.flatMap(namespace => (small.rulesetsOf.get(namespace.name) ?? []).flatMap(ruleset => compare({ place: { topology: small.topology, namespace, rulesetsOf: small.rulesetsOf }, ruleset, chance, probes, count, text: small.text })))
    })
  })
})

interface Comparison {
  readonly place: WitnessPlace
  readonly ruleset: Ruleset
  readonly chance: Chance
  readonly probes: readonly Probe[]
  readonly count: Count
  readonly text: string
}

function compare({ place, ruleset, chance, probes, count, text }: Comparison): readonly string[] {
  const witnesses = findWitnesses(ruleReach(ruleset, { universe: closedDevices(place) }), { backend: 'legacy', place, mostSearches: SEARCHES, ...(chance.once(3) ? { shared: 'always' } : {}) })
  const { flows, problems } = readPacketFile(writeWitnesses([{ path: 'random.rules', partial: false, tooBig: [], witnesses }]))
  const differences = problems.map(({ line, message }) => `line ${line}: ${message}\n${text}`)
  const reached = witnesses.flatMap(one => (one.kind === 'packets' ? [one] : []))
  const told = reached.filter(one => !one.of)
  if (flows.length !== told.length) differences.push(`${told.length} witnesses are ${flows.length} flows\n${text}`)
  for (const { at: { rule }, of } of reached) {
    const flow = flows[told.findIndex(one => one.at.rule === (of ?? { rule }).rule)]
    count(of ? 'rules that packets for others meet' : flow && flow.packets.length > 1 ? 'flows of several packets' : 'single packets')
    if (flow?.host) differences.push(`a host of its own: ${flow.packets.join(', ')}\n${text}`)
    if (!flow || !rulesMet(place, flow.packets, flow.conditions).has(rule.id)) differences.push(`its packets do not meet rule ${rule.id} in ${place.namespace.name}: ${flow?.packets.join(', ')}\n${text}`)
  }
  const met = new Set<number>()
  for (const probe of probes) {
    const assume = new Map(FREE.map(key => [key, chance.once(2)]))
    const world = worldOf(place)
    for (const id of [...converse(world, probe, { record: 'none', assume, outsideAnswers: true }), sendThrough(world, probe, { record: 'none', assume })].flatMap(journey => [...rulesIn(place, journey)])) met.add(id)
    count('packets')
  }
  for (const one of witnesses) {
    count(one.kind === 'packets' ? 'rules with packets' : one.kind === 'dead' ? 'dead rules' : met.has(one.at.rule.id) ? 'rules without packets that some packet meets' : 'rules without packets')
    if (process.env['SHOW'] && one.kind === 'unconfirmed' && met.has(one.at.rule.id)) console.log(one.at.chain.table, one.at.chain.name, one.at.number, one.why, '\n', text)
    if (one.kind === 'dead' && met.has(one.at.rule.id)) differences.push(`rule ${one.at.rule.id} of ${place.namespace.name} is called dead, and a packet meets it\n${text}`)
  }
  return differences
}

/** The packets as they are read back, all in one world. */
function rulesMet(place: WitnessPlace, packets: readonly string[], assume: ReadonlyMap<string, boolean>): ReadonlySet<number> {
  const world = worldOf(place)
  return new Set(packets.flatMap(text => {
    const reading = readPacket(text)
    return reading.ok && reading.value.kind === 'probe' ? [...rulesIn(place, sendThrough(world, reading.value.probe, { assume }))] : []
  }))
}

function worldOf({ topology, rulesetsOf }: WitnessPlace): World {
  return makeWorld({ topology, rulesets: [], rulesetsOf })
}

function rulesIn({ namespace, rulesetsOf }: WitnessPlace, { start }: Journey): ReadonlySet<number> {
  const legs = (leg: Leg): readonly Leg[] => legsOf(leg).flatMap(one => [one, ...one.answers.flatMap(legs)])
  const here = legs(start).filter(leg => leg.namespace === namespace.name)
  return new Set(here.flatMap(({ trace }) => trace.way.path.flatMap(({ table, chain, number }) => {
    const [ruleset] = rulesetsOf.get(namespace.name) ?? []
    const rule = number === 'policy' ? undefined : ruleset?.tables.find(({ name }) => name === table)?.chainByName.get(chain)?.rules[number - 1]
    return rule ? [rule.id] : []
  })))
}
