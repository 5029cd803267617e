/** Sets of packets through a host are exactly what the simulator makes of each packet: random rulesets, every packet of a small universe. */

import { describe, expect, test } from 'vitest'
import { makeWorld } from '../../src/simulate/world.ts'
import { trace } from '../../src/simulate/trace.ts'
import { makeSpace, reachableSets } from '../../src/symbolic/reachable-sets.ts'
import { differenceOf, setOfProbe } from './enumerate.ts'
import { makeChance } from '../chance.ts'
import { randomRules } from './random-rules.ts'
import { everyPacket, rulesetOf, smallTopology, somePackets } from './small-universe.ts'

/** How many rulesets; 10,000 were run once and are reported in src/symbolic/README.md. */
const RULESETS = Number(process.env['RULESETS'] ?? 60)
const FIRST = Number(process.env['FIRST'] ?? 1)
const PACKETS = Number(process.env['PACKETS'] ?? 150)
const TABLES = [['filter'], ['nat', 'filter'], ['mangle', 'filter'], ['raw', 'mangle', 'nat', 'filter']] as const

describe('sets through a host', () => {
  const topology = smallTopology()
  const [namespace] = topology.namespaces
  const every = everyPacket()

  test(`are what the simulator says, for ${RULESETS} random rulesets`, () => {
    for (let seed = FIRST; seed < FIRST + RULESETS; seed++) {
      const chance = makeChance(seed)
      const text = randomRules(chance, TABLES[seed % TABLES.length] ?? ['filter'])
      const ruleset = rulesetOf(text)
      const space = makeSpace({ family: 'ipv4', rulesets: [ruleset], ...(namespace ? { namespace } : {}) })
      const reached = { arrive: reachableSets(space, ruleset, { start: 'arrive' }), make: reachableSets(space, ruleset, { start: 'make' }) }
      for (const probe of somePackets(chance, every, PACKETS)) {
        const { fates, variables } = probe.inDevice === undefined ? reached.make : reached.arrive
        const decisions = new Map([...variables.keys()].map(key => [key, chance.once(2)]))
        const { outcome } = trace(makeWorld({ topology, rulesets: [ruleset] }), probe, { record: 'none', assume: decisions })
        const difference = differenceOf(space, fates, probe, setOfProbe(space, probe, decisions), outcome)
        if (difference !== undefined) expect.fail(`seed ${seed}\n${JSON.stringify(probe)}\n${difference}\n${text}`)
      }
    }
  })
})
