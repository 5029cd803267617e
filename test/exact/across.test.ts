/**
 * What other tables leave without packets is exactly that: of random rulesets with nat no packet of a small universe, first or later of its
 * connection, matches a rule that is called so. RULESETS=5000 runs more, FIRST begins elsewhere.
 */

import { describe, expect, test } from 'vitest'
import { findDead } from '../../src/analyze/dead.ts'
import type { DeadFinding } from '../../src/analyze/dead.ts'
import type { Ruleset } from '../../src/ir/ruleset.ts'
import { CT_STATE } from '../../src/meaning/fields.ts'
import { makePacket } from '../../src/packet/packet.ts'
import type { Probe } from '../../src/packet/probe.ts'
import { replyTo } from '../../src/packet/reply.ts'
import { trace } from '../../src/simulate/trace.ts'
import type { Outcome, TraceEvent } from '../../src/simulate/trace-events.ts'
import { makeWorld } from '../../src/simulate/world.ts'
import { asSent } from '../../src/analyze/replay.ts'
import type { PacketSet } from '../../src/packetset/packet-sets.ts'
import { makeSpace, reachableSets } from '../../src/symbolic/reachable-sets.ts'
import type { Space } from '../../src/symbolic/reachable-sets.ts'
import { prepareRuleset } from '../../src/symbolic/prepare-rules.ts'
import { makeChance } from '../chance.ts'
import type { Chance } from '../chance.ts'
import { randomRules } from './random-rules.ts'
import { everyPacket, rulesetOf, smallTopology, somePackets } from './small-universe.ts'

const RULESETS = Number(process.env['RULESETS'] ?? 4)
const FIRST = Number(process.env['FIRST'] ?? 21)
const PACKETS = Number(process.env['PACKETS'] ?? 120)
const FLOWS = 40

/** Rules that packets matched: `followed` with a connection or untracked, `invalid` without. */
interface Met {
  readonly followed: Set<number>
  readonly invalid: Set<number>
}

describe('rules that other tables leave without packets', () => {
  const topology = smallTopology()
  const [namespace] = topology.namespaces
  const every = everyPacket()

  test(`are met by no packet, for ${RULESETS} random rulesets`, () => {
    const tally = { called: 0, invalidOnly: 0, open: 0, met: 0, unmet: 0 }
    for (let seed = FIRST; seed < FIRST + RULESETS; seed++) {
      const chance = makeChance(seed)
      const text = randomRules(chance, ['raw', 'mangle', 'nat', 'filter']).replace(/-j NETMAP --to \S+/g, '-j ACCEPT')
      const ruleset = rulesetOf(text)
      const { findings, notes, undecided } = findDead(ruleset, { mostForRedundant: 0, ...(namespace ? { namespace } : {}) })
      const met = everyMet(chance, ruleset)
      const found = findings.filter(finding => finding.kind === 'acrossTables')
      for (const { at, isInvalidOnly } of found) {
        const wrong = met.followed.has(at.rule.id) || (!isInvalidOnly && met.invalid.has(at.rule.id))
        if (wrong) expect.fail(`seed ${seed}: a packet matches rule ${at.number} in ${at.chain.name} of ${at.chain.table}\n${text}`)
      }
      tally.called += found.length
      tally.invalidOnly += found.filter(({ isInvalidOnly }) => isInvalidOnly).length
      tally.open += notes.length + undecided.filter(words => words.includes('other tables')).length
      liveIsMet(ruleset, seed, text)
      if (RULESETS > 100) missed(seed, ruleset, text, findings, met, tally)
    }
    if (RULESETS > 4) console.log(JSON.stringify(tally))
    expect(tally.called).toBeGreaterThan(0)
  }, 60_000 + RULESETS * 20_000)

  /** What the sets say is met by first packets is: a sample of them gets there. */
  function liveIsMet(ruleset: Ruleset, seed: number, text: string): void {
    const space = makeSpace({ family: 'ipv4', rulesets: [ruleset], ...(namespace ? { namespace } : {}) })
    for (const start of ['arrive', 'make'] as const) {
      const first = new Map<number, PacketSet>()
      const { variables } = reachableSets(space, ruleset, { start, within: betweenHosts(space), onMatch: (rule, { set }) => void (first.has(rule.id) || first.set(rule.id, set)) })
      for (const [id, set] of [...first].slice(0, 12)) {
        const sample = space.sets.sample(set)
        if (!sample) throw new Error('the set is not empty')
        const assume = new Map([...variables.values()].flatMap(({ key, decisions }) => decisions.map(decision => [decision, sample.decisions.get(key) ?? false] as const)))
        const { events } = trace(makeWorld({ topology, rulesets: [ruleset] }), { packet: asSent(sample), ...(start === 'make' ? {} : { inDevice: sample.inDevice }) }, { assume })
        if (!events.some(event => event.kind === 'rule' && event.place.rule.id === id)) expect.fail(`seed ${seed}: ${JSON.stringify(sample.packet)} does not come to rule ${id}\n${text}`)
      }
    }
  }

  function everyMet(chance: Chance, ruleset: Ruleset): Met {
    const met: Met = { followed: new Set(), invalid: new Set() }
    const keys = [...prepareRuleset(ruleset, 'legacy').variables.values()].flatMap(({ decisions }) => decisions)
    const send = (world: ReturnType<typeof makeWorld>, probe: Probe): Outcome => {
      const { events, outcome } = trace(world, probe, { assume: new Map(keys.map(key => [key, chance.once(2)])) })
      note(events, met)
      return outcome
    }
    const openers = somePackets(chance, every, PACKETS)
    const accepted = openers.filter(probe => ['local', 'forward', 'sent'].includes(send(makeWorld({ topology, rulesets: [ruleset] }), probe).kind))
    for (const opener of accepted.slice(0, FLOWS)) {
      for (const later of [answers, again]) {
        const world = makeWorld({ topology, rulesets: [ruleset] })
        for (const probe of later(chance, opener, send(world, opener))) send(world, probe)
      }
    }
    return met
  }
})

/** Whole packets from host to host: neither groups nor 127.0.0.0/8, nor a fragment that waits for the rest of its packet. */
function betweenHosts({ sets }: Pick<Space, 'sets'>): PacketSet {
  const hosts = (field: 'ip.src' | 'ip.dst'): PacketSet => sets.setOfRanges(field, [{ low: 0x01000000n, high: 0x7effffffn }, { low: 0x80000000n, high: 0xdfffffffn }])
  return sets.intersect(hosts('ip.src'), hosts('ip.dst'), sets.setOfField('ip.fragmentOffset', 0, 0))
}

function note(events: readonly TraceEvent[], met: Met): void {
  let isInvalid = false
  for (const event of events) {
    if (event.kind === 'conntrack') isInvalid = (event.ctState & CT_STATE.INVALID) !== 0
    else if (event.kind === 'rule') (isInvalid ? met.invalid : met.followed).add(event.place.rule.id)
    else if (event.kind === 'answer') note(event.trace.events, met)
  }
}

/** The answer as the receiver sends it, the sender's next packet, and an ICMP error about the first. */
function answers(_chance: Chance, opener: Probe, outcome: Outcome): readonly Probe[] {
  if (outcome.kind !== 'local' && outcome.kind !== 'forward' && outcome.kind !== 'sent') return []
  const { socket: _, ...reply } = replyTo(outcome.packet)
  const back = (packet: Probe['packet']): Probe => (outcome.kind === 'local' ? { packet: { ...packet, socket: { uid: 0, gid: 0 } } } : { packet, inDevice: outcome.device })
  const { tcp } = opener.packet
  const next = tcp ? { ...opener.packet, tcp: { ...tcp, flags: 16, seq: 1, ack: 1 } } : opener.packet
  const { socket: __, ...inner } = outcome.packet
  const error = makePacket({ protocol: 1, ttl: 64, src: outcome.packet.dst, dst: outcome.packet.src, icmp: { type: 3, code: 1, inner } })
  return [back(error), back(reply), { ...opener, packet: next }, back(error)]
}

/** The first packet once more while nobody has answered, otherwise than before: by another device, with another ttl. */
function again(chance: Chance, opener: Probe): readonly Probe[] {
  const { packet, inDevice } = opener
  const others: readonly Probe[] = inDevice === undefined ? [opener] : [{ packet, inDevice: inDevice === 'eth0' ? 'eth1' : 'eth0' }, { packet: { ...packet, ttl: chance.pick([2, 9, 64]) }, inDevice }]
  return [...others, opener]
}

/** Counts rules that packets match in their own table alone, and none matches in all of them though they are not called so. */
function missed(seed: number, ruleset: Ruleset, text: string, findings: readonly DeadFinding[], met: Met, tally: { met: number; unmet: number }): void {
  const called = new Set(findings.flatMap(finding => ('at' in finding ? [finding.at.rule.id] : [])))
  for (const { chains, name } of ruleset.tables) {
    for (const { rules } of chains) {
      for (const rule of rules) {
        if (met.followed.has(rule.id) || met.invalid.has(rule.id)) tally.met += 1
        else if (!called.has(rule.id) && name !== 'raw') {
          tally.unmet += 1
          if (process.env['SHOW']) console.log(`seed ${seed} ${name} ${text.split('\n')[0]} ${rule.span.source.text.slice(rule.span.start, rule.span.end)}`)
        }
      }
    }
  }
}
