/** The difference of two rulesets has exactly the packets that the simulator treats differently: random changes, every packet of a small universe. */

import { describe, expect, test } from 'vitest'
import { diffRulesets } from '../../src/analyze/diff.ts'
import { makeWorld } from '../../src/simulate/world.ts'
import { trace } from '../../src/simulate/trace.ts'
import type { Outcome } from '../../src/simulate/trace-events.ts'
import { setOfProbe } from './enumerate.ts'
import { mutateRules } from './mutate-rules.ts'
import { makeChance } from '../chance.ts'
import { randomRules } from './random-rules.ts'
import { everyPacket, rulesetOf, smallTopology, somePackets } from './small-universe.ts'

/** How many pairs; RULESETS and FIRST run others. */
const RULESETS = Number(process.env['RULESETS'] ?? 40)
const FIRST = Number(process.env['FIRST'] ?? 1)
const PACKETS = Number(process.env['PACKETS'] ?? 100)
const TABLES = [['filter'], ['nat', 'filter'], ['mangle', 'filter'], ['raw', 'mangle', 'nat', 'filter']] as const
const UNDECIDED = new Map(['a', 'b'].map(text => [`-m string --string "${text}" --algo bm`, false]))

describe('the difference of two rulesets', () => {
  const topology = smallTopology()
  const [namespace] = topology.namespaces
  const every = everyPacket()

  test(`is what the simulator says, for ${RULESETS} random changes, and each of its packets is confirmed`, () => {
    for (let seed = FIRST; seed < FIRST + RULESETS; seed++) {
      const chance = makeChance(seed)
      const [before, after] = pairOf(seed, chance)
      const diff = diffRulesets({ before, after, ...(namespace ? { namespace } : {}) })
      const anywhere = diffRulesets({ before, after })
      expect(anywhere.groups.length > 0 || diff.groups.length === 0, `seed ${seed}: what is equal everywhere is equal here`).toBe(true)
      const replays = [...diff.groups, ...anywhere.groups].flatMap(group => [group.before.replay(), group.after.replay()]).filter(replay => replay !== undefined)
      expect(replays.filter(({ isConfirmed }) => !isConfirmed), `seed ${seed}: every packet shown is confirmed`).toEqual([])
      for (const probe of somePackets(chance, every, PACKETS)) {
        const [old, now] = [before, after].map(ruleset => seen(trace(makeWorld({ topology, rulesets: [ruleset] }), probe, { record: 'none' }).outcome))
        const packet = setOfProbe(diff.space, probe, UNDECIDED)
        const start = probe.inDevice === undefined ? 'make' : 'arrive'
        const isFound = diff.groups.some(group => group.state === 'new' && group.start === start && diff.space.sets.meets(group.set, packet))
        if (isFound !== (old !== now)) expect.fail(`seed ${seed}: ${isFound ? 'a false alarm' : 'missed'}\n${JSON.stringify(probe)}\n${old}\n${now}`)
      }
    }
  })
})

/** Two rulesets of which the second is the first with random changes. */
function pairOf(seed: number, chance: ReturnType<typeof makeChance>): readonly [ReturnType<typeof rulesetOf>, ReturnType<typeof rulesetOf>] {
  const tables = TABLES[seed % TABLES.length] ?? ['filter']
  const text = randomRules(chance, tables)
  return [rulesetOf(text), rulesetOf(mutateRules(chance, text, tables))]
}

/** What others see of an outcome; REJECT counts as one whether or not its answer finds a way. */
function seen(outcome: Outcome): string {
  if ('by' in outcome) {
    const { by } = outcome
    return by.kind === 'rule' && by.place.rule.target?.kind === 'target' && by.place.rule.target.name === 'REJECT' ? 'reject' : 'drop'
  }
  const { packet } = outcome
  return JSON.stringify([outcome.kind, outcome.kind === 'local' ? '' : outcome.device, packet.src, packet.dst, packet.sport, packet.dport, packet.tos, packet.ttl, packet.tcp?.flags])
}
