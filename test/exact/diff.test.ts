/** The difference of two rulesets has exactly the packets that the simulator treats differently: random changes, every packet of a small universe. */

import { describe, test } from 'vitest'
import { diffRulesets } from '../../src/analyze/diff.ts'
import type { Ruleset } from '../../src/ir/ruleset.ts'
import { writeProbe } from '../../src/packet/write-packet.ts'
import { makeWorld } from '../../src/simulate/world.ts'
import { trace } from '../../src/simulate/trace.ts'
import type { Outcome } from '../../src/simulate/trace-events.ts'
import { keyOfDecider } from '../../src/symbolic/fate.ts'
import { setOfProbe } from './enumerate.ts'
import { mutateRules } from './mutate-rules.ts'
import { makeChance } from '../chance.ts'
import type { Chance } from '../chance.ts'
import { randomRules } from './random-rules.ts'
import { manySeeds } from './seeds.ts'
import { endOf, everyPacket, rulesetOf, smallTopology, somePackets } from './small-universe.ts'

const SEEDS = manySeeds(40)
const PACKETS = Number(process.env['PACKETS'] ?? 100)
const TABLES = [['filter'], ['nat', 'filter'], ['mangle', 'filter'], ['raw', 'mangle', 'nat', 'filter']] as const
const UNDECIDED = new Map(['a', 'b'].map(text => [`-m string --string "${text}" --algo bm`, false]))

describe('the difference of two rulesets', () => {
  const topology = smallTopology()
  const [namespace] = topology.namespaces
  const every = everyPacket()

  test(`is what the simulator says, for ${SEEDS.rulesets} random changes, and each of its packets is confirmed`, { timeout: SEEDS.timeout }, () => {
    SEEDS.run((seed, count) => {
      const differences: string[] = []
      const chance = makeChance(seed)
      const { text, before, after } = pairOf(seed, chance)
      const diff = diffRulesets({ before, after, ...(namespace ? { namespace } : {}) })
      const anywhere = seed % 2 === 0 ? diffRulesets({ before, after }) : undefined
      if (anywhere?.groups.length === 0 && diff.groups.length > 0) differences.push(`equal everywhere, and not here\n${text}`)
      for (const group of [...diff.groups, ...(anywhere?.groups ?? [])]) {
        const replays = [group.before.replay(), group.after.replay()]
        const isConfirmed = replays.every(replay => replay?.isConfirmed)
        count(group.state !== 'new' ? 'groups of known connections' : isConfirmed ? 'groups with an example' : 'groups without an example')
        if (group.state === 'new' && !isConfirmed) differences.push(`an example is not confirmed: ${group.before.kind} ${keyOfDecider(group.before.by)} | ${group.after.kind} ${keyOfDecider(group.after.by)} ${replays.map(replay => replay && `${writeProbe(replay.probe)} ${JSON.stringify(replay.trace.outcome.kind)} ${JSON.stringify('by' in replay.trace.outcome ? endOf(replay.trace.outcome) : '')}`).join(' | ')}\n${diff.groups.includes(group) ? 'here' : 'anywhere'}\n${text}`)
      }
      for (const probe of somePackets(chance, every, PACKETS)) {
        const [old, now] = [before, after].map(ruleset => seen(trace(makeWorld({ topology, rulesets: [ruleset] }), probe, { record: 'none' }).outcome))
        const packet = setOfProbe(diff.space, probe, UNDECIDED)
        const start = probe.inDevice === undefined ? 'make' : 'arrive'
        const isFound = diff.groups.some(group => group.state === 'new' && group.start === start && diff.space.sets.meets(group.set, packet))
        count('packets')
        if (old !== now) count('packets that differ')
        if (isFound !== (old !== now)) differences.push(`${isFound ? 'a false alarm' : 'missed'}\n${JSON.stringify(probe)}\n${old}\n${now}\n${text}`)
      }
      return differences
    })
  })
})

/** Two rulesets of which the second is the first with random changes. */
function pairOf(seed: number, chance: Chance): { readonly text: string; readonly before: Ruleset; readonly after: Ruleset } {
  const tables = TABLES[seed % TABLES.length] ?? ['filter']
  const before = randomRules(chance, tables)
  const after = mutateRules(chance, before, tables)
  return { text: `${before}\n${after}`, before: rulesetOf(before), after: rulesetOf(after) }
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
