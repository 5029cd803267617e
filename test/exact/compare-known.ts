/** Compares what the sets say of later packets of connections with what the simulator does with the answer to a packet, and with the next one. */

import { CT_STATE, CT_STATUS, fieldRow } from '../../src/meaning/fields.ts'
import type { NumberField } from '../../src/meaning/fields.ts'
import { all, equals, not, onDevice, opaque } from '../../src/meaning/predicate.ts'
import type { Predicate } from '../../src/meaning/predicate.ts'
import type { Subject } from '../../src/meaning/subject.ts'
import type { Probe } from '../../src/packet/probe.ts'
import { replyTo } from '../../src/packet/reply.ts'
import type { Connection } from '../../src/simulate/connection.ts'
import { trace } from '../../src/simulate/trace.ts'
import type { Outcome, Trace } from '../../src/simulate/trace-events.ts'
import { makeWorld } from '../../src/simulate/world.ts'
import type { World } from '../../src/simulate/world.ts'
import type { Fate } from '../../src/symbolic/fate.ts'
import { knownPackets } from '../../src/symbolic/known-connections.ts'
import { makeSpace, reachableSets } from '../../src/symbolic/reachable-sets.ts'
import type { Space } from '../../src/symbolic/reachable-sets.ts'
import { constantOf, valueFor } from '../../src/symbolic/value.ts'
import { makeChance } from '../chance.ts'
import { randomRules } from './random-rules.ts'
import { endOf, everyPacket, rulesetOf, smallTopology } from './small-universe.ts'

const FLOWS = 12
const topology = smallTopology()
const [namespace] = topology.namespaces
const openers = everyPacket().filter(({ packet: { tcp, icmp, ttl } }) => ttl === 64 && (tcp === undefined || tcp.flags === 2) && (icmp === undefined || icmp.type === 8))

/** What was compared. */
export interface KnownCounts {
  compared: number
  /** Packets of rulesets of which the analysis says that it does not follow them. */
  open: number
}

/** Returns the first later packet of a random ruleset whose end the sets do not tell, with all that it takes to see why; counts the others. */
export function compareKnown(seed: number, counts: KnownCounts): string | undefined {
  const chance = makeChance(seed)
  const text = randomRules(chance, ['mangle', 'nat', 'filter'])
  const ruleset = rulesetOf(text)
  const space = makeSpace({ family: 'ipv4', rulesets: [ruleset], ...(namespace ? { namespace } : {}) })
  const begun = (['arrive', 'make'] as const).map(start => reachableSets(space, ruleset, { start }))
  const notes: string[] = []
  const known = knownPackets({ ...space, note: words => void notes.push(words) }, begun.flatMap(({ fates }) => fates)) ?? []
  const fates = { arrive: reachableSets(space, ruleset, { start: 'arrive', state: 'known', known }).fates, make: reachableSets(space, ruleset, { start: 'make', state: 'known', known }).fates }
  const decisions = new Map(begun.flatMap(({ variables }) => [...variables.keys()]).map(key => [key, chance.once(2)]))
  for (let flow = 0; flow < FLOWS; flow++) {
    const world = makeWorld({ topology, rulesets: [ruleset] })
    const opener: Probe = chance.pick(openers)
    const first: Trace = trace(world, opener, { record: 'none', assume: decisions })
    const connection = connectionOf(world)
    const later = connection && laterProbes(opener, first.outcome)
    // Over lo both directions are made here.
    if (!later || ('device' in first.outcome && first.outcome.device === 'lo')) continue
    for (const [direction, probe] of later.entries()) {
      const { outcome } = trace(world, probe, { record: 'none', assume: decisions })
      const set = space.sets.setOf(predicateOf(probe, connection, direction === 0 ? 1 : 0, decisions))
      const found = fates[probe.inDevice === undefined ? 'make' : 'arrive'].filter(fate => space.sets.meets(fate.set, set) && isOf(space, fate, probe, connection))
      const texts: readonly string[] = [...new Set(found.map((fate): string => fateText(space, fate, probe, connection)))]
      // Another prefix is not followed, and said.
      if (notes.length > 0) {
        counts.open += 1
        continue
      }
      counts.compared += 1
      if (texts.length !== 1 || texts[0] !== outcomeText(outcome)) return `seed ${seed} ${direction === 0 ? 'reply' : 'next'}\n${JSON.stringify(opener.packet)}\n${JSON.stringify(probe.packet)}\nsimulator: ${outcomeText(outcome)}\nsets:      ${texts.join(' | ') || 'nothing'}\n${text}`
    }
  }
  return undefined
}

/** The confirmed connection of a fresh world's first packet. */
function connectionOf(world: World): Connection | undefined {
  return [...(world.hosts.values().next().value?.connections.all ?? [])][0]
}

/** The answer as the receiver sends it, and the next packet of the sender; tcp's with ACK. */
function laterProbes(opener: Probe, outcome: Outcome): readonly Probe[] | undefined {
  if (outcome.kind !== 'local' && outcome.kind !== 'forward' && outcome.kind !== 'sent') return undefined
  const { socket: _, ...reply } = replyTo(outcome.packet)
  const answer: Probe = outcome.kind === 'local' ? { packet: { ...reply, socket: { uid: 0, gid: 0 } } } : { packet: reply, inDevice: outcome.device }
  const { tcp } = opener.packet
  const next = tcp ? { ...opener.packet, tcp: { ...tcp, flags: 16, seq: 1, ack: 1 } } : opener.packet
  return [answer, { ...opener, packet: next }]
}

const HEADERS = ['ip.src', 'ip.dst', 'ip.protocol', 'ip.ttl', 'ip.tos', 'ip.length', 'ip.fragmentOffset', 'ip.moreFragments', 'l4.sport', 'l4.dport', 'tcp.flags', 'tcp.options', 'icmp.type', 'icmp.code', 'mark', 'socket.uid', 'socket.gid', 'socket.exists', 'packetType'] as const satisfies readonly NumberField[]

function predicateOf({ packet, inDevice }: Probe, { original, reply, status, mark }: Connection, direction: 0 | 1, decisions: ReadonlyMap<string, boolean>): Predicate {
  const subject = { packet } as unknown as Subject
  const headers = HEADERS.flatMap(field => {
    const value = fieldRow(field).read(subject)
    return value === undefined ? [] : [equals(field, value)]
  })
  const tuples = ([['original', original], ['reply', reply]] as const).flatMap(([side, { src, dst, sport, dport }]) => [
    equals(`ct.${side}.src`, src), equals(`ct.${side}.dst`, dst), ...(packet.sport === undefined ? [] : [equals(`ct.${side}.sport`, sport ?? 0), equals(`ct.${side}.dport`, dport ?? 0)]),
  ])
  const free = [...decisions].map(([key, value]) => (value ? opaque(key, key) : not(opaque(key, key))))
  return all([...headers, ...tuples, ...free, equals('ct.state', CT_STATE.ESTABLISHED), equals('ct.direction', direction), equals('ct.status', status & (CT_STATUS.SRC_NAT | CT_STATUS.DST_NAT)), equals('ct.mark', mark), onDevice('device.in', { name: inDevice ?? '', prefix: false })])
}

/** Fields that nat left alone are said by the header: equal headers may be those of another connection, with another port before or after. */
function isOf({ rewritings }: Space, { rewriting }: Fate, { packet }: Probe, connection: Connection): boolean {
  const subject = { packet, connection } as unknown as Subject
  const isNext = constantOf(rewritings.valueOf(rewriting, 'ct.direction')) === 0n
  const becomes = ([['ip.src', 'ct.reply.dst'], ['ip.dst', 'ct.reply.src'], ['l4.sport', 'ct.reply.dport'], ['l4.dport', 'ct.reply.sport']] as const).every(([field, reply]) => {
    const [said, real] = [valueFor(rewriting.translation.get(field) ?? rewritings.valueOf(rewritings.none, field), from => fieldRow(from).read(subject)), fieldRow(reply).read(subject)]
    return said === undefined || said === BigInt(real ?? 0)
  })
  return (becomes || !isNext) && (['ct.original.src', 'ct.original.dst', 'ct.original.sport', 'ct.original.dport'] as const).every(field => {
    const [said, real] = [valueFor(rewritings.valueOf(rewriting, field), from => fieldRow(from).read(subject)), fieldRow(field).read(subject)]
    return said === undefined || (field.endsWith('port') && packet.sport === undefined) || said === BigInt(real ?? 0)
  })
}

function outcomeText(outcome: Outcome): string {
  const { packet } = outcome
  const kind = outcome.kind === 'reject' || outcome.kind === 'drop' ? 'ended' : outcome.kind
  return `${kind} ${endOf(outcome)} ${packet.src} ${packet.dst} ${packet.sport ?? ''} ${packet.dport ?? ''} ttl ${packet.ttl}`
}

function fateText({ rewritings }: Space, { kind, by, rewriting }: Fate, { packet }: Probe, connection: Connection): string {
  const end = !by ? '' : by.kind === 'rule' ? `rule ${by.rule.id} in ${by.hook} of ${by.table}` : by.kind === 'policy' ? `policy of ${by.chain.name} in ${by.table}` : by.reason
  const subject = { packet, connection } as unknown as Subject
  const now = (field: NumberField): bigint | undefined => valueFor(rewritings.valueOf(rewriting, field), from => fieldRow(from).read(subject))
  return `${kind === 'drop' || kind === 'reject' ? 'ended' : kind} ${end} ${now('ip.src')} ${now('ip.dst')} ${now('l4.sport') ?? ''} ${now('l4.dport') ?? ''} ttl ${now('ip.ttl')}`
}
