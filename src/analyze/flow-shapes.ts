/** Literals -> flows whose last packet may fulfil them: single packets, answers, packets of known connections, errors about them. */

import { CT_STATE } from '../meaning/fields.ts'
import type { DeviceField, NumberField } from '../meaning/fields.ts'
import { PROTOCOL } from '../net/protocol.ts'
import { TCP_FLAG } from '../packet/packet.ts'
import type { Packet } from '../packet/packet.ts'
import type { Probe } from '../packet/probe.ts'
import { allHold, literalsOn } from './field-values.ts'
import type { Literal } from './literals.ts'
import { draftProbes } from './probe-drafts.ts'
import type { DraftOptions } from './probe-drafts.ts'
import type { Flow } from './probe-flow.ts'
import type { Surroundings } from './surroundings.ts'

/** Packets of a repeated flow: more than the bursts, hit counts and cycles that rules usually have. */
const REPEATS = 8

/** Returns flows of many packets that are alike but for their source ports: for rules behind matches that count. */
export function repeatedFlows(literals: readonly Literal[], surroundings: Surroundings, options: DraftOptions): readonly Flow[] {
  return draftProbes(literals, surroundings, { ...options, count: 6 }).map(probe => Array.from({ length: REPEATS }, (_, index) => ({ kind: 'probe', probe: renumbered(probe, options.turn * REPEATS + index) })))
}

/** A port that a rule names stays. */
function renumbered(probe: Probe, index: number): Probe {
  const { packet } = probe
  const { sport, icmp } = packet
  if (icmp?.id !== undefined) return { ...probe, packet: { ...packet, icmp: { ...icmp, id: 30_000 + (index % 30_000) } } }
  return sport === undefined || sport < 40_000 ? probe : { ...probe, packet: { ...packet, sport: 60_001 + (index % 5_000) } }
}

/** Returns flows, likelier ones first. */
export function draftFlows(literals: readonly Literal[], surroundings: Surroundings, options: DraftOptions): readonly Flow[] {
  const states = literalsOn(literals, 'ct.state')
  const mayBe = (bits: number): boolean => allHold(states, bits) || allHold(states, bits | CT_STATE.DNAT) || allHold(states, bits | CT_STATE.SNAT)
  return [
    ...(mayBe(CT_STATE.NEW) || mayBe(CT_STATE.UNTRACKED) ? single(literals, surroundings, options) : []),
    ...(mayBe(CT_STATE.ESTABLISHED) ? established(literals, surroundings, options) : []),
    ...(mayBe(CT_STATE.RELATED) ? related(literals, surroundings, options) : []),
    ...(mayBe(CT_STATE.INVALID) ? invalid(literals, surroundings, options) : []),
    ...(options.origins === 'local' && (mayBe(CT_STATE.ESTABLISHED) || mayBe(CT_STATE.RELATED)) ? answered(literals, surroundings, options) : []),
  ]
}

function single(literals: readonly Literal[], surroundings: Surroundings, options: DraftOptions): readonly Flow[] {
  return draftProbes(literals, surroundings, options).map(probe => [{ kind: 'probe', probe }])
}

/** The wanted packet as an answer to one that goes the other way, or as a later one of its own connection. */
function established(literals: readonly Literal[], surroundings: Surroundings, options: DraftOptions): readonly Flow[] {
  const drafts = draftProbes(literals, surroundings, { ...options, origins: 'any', count: Math.ceil(options.count / 2) })
  return drafts.flatMap((probe): Flow[] => {
    const flags = literalsOn(literals, 'tcp.flags').length > 0 ? probe.packet.tcp?.flags : undefined
    const openers = openersFor(probe.packet, surroundings)
    return [
      ...openers.map((opener): Flow => [{ kind: 'probe', probe: opener }, { kind: 'answer', flags: flags ?? (opener.inDevice === undefined ? TCP_FLAG.RST | TCP_FLAG.ACK : TCP_FLAG.SYN | TCP_FLAG.ACK) }]),
      ...(probe.inDevice === undefined ? [] : [[{ kind: 'probe', probe: asOpener(probe) }, { kind: 'answer' }, { kind: 'again', flags: flags ?? TCP_FLAG.ACK }]] satisfies Flow[]),
    ]
  })
}

/** The packet turned round, from wherever its destination may be. */
function openersFor(packet: Packet, { origins, own }: Surroundings): readonly Probe[] {
  const { src, dst, sport, dport } = packet
  const icmp = packet.icmp && (packet.icmp.type === 0 ? { ...packet.icmp, type: 8 } : packet.icmp.type === 129 ? { ...packet.icmp, type: 128 } : packet.icmp)
  const turned: Packet = asFirst({ ...packet, src: dst, dst: src, ...(icmp ? { icmp } : {}), ...(dport === undefined ? {} : { sport: dport }), ...(sport === undefined ? {} : { dport: sport }) })
  const isOwn = own.includes(dst)
  const fitting = origins.filter(origin => (origin.kind === 'own') === isOwn && (origin.kind !== 'neighbour' || origin.addresses.includes(dst)))
  return fitting.slice(0, 4).map(origin => place(turned, origin.device, origin.namespace))
}

function asOpener(probe: Probe): Probe {
  return { ...probe, packet: asFirst(probe.packet) }
}

function asFirst(packet: Packet): Packet {
  return packet.tcp ? { ...packet, tcp: { ...packet.tcp, flags: TCP_FLAG.SYN, seq: 1000, ack: 0 } } : packet
}

/** An error about a connection that opens one way or the other. */
function related(literals: readonly Literal[], surroundings: Surroundings, options: DraftOptions): readonly Flow[] {
  const isIpv4 = surroundings.family === 'ipv4'
  const wanted = literalsOn(literals, isIpv4 ? 'icmp.type' : 'icmp6.type')
  const codes = literalsOn(literals, isIpv4 ? 'icmp.code' : 'icmp6.code')
  const errors = (isIpv4 ? [[3, 3], [3, 1], [11, 0], [3, 4]] : [[1, 4], [1, 0], [3, 0], [2, 0]]).filter(([type, code]) => allHold(wanted, type) && allHold(codes, code))
  const [type, code] = errors[0] ?? []
  if (type === undefined || code === undefined || !allHold(literalsOn(literals, 'ip.protocol'), isIpv4 ? PROTOCOL.icmp : PROTOCOL.icmpv6)) return []
  const openers = draftProbes(turnedRound(literals), surroundings, { ...options, origins: 'any', towards: options.towards === 'host' ? 'others' : options.towards, count: Math.ceil(options.count / 2) })
  return openers.map((probe): Flow => [{ kind: 'probe', probe }, { kind: 'error', type, code }])
}

/** What must hold of a packet, as it holds of what it answers: ends and devices change places, all else is its own affair. */
function turnedRound(literals: readonly Literal[]): readonly Literal[] {
  return literals.flatMap(({ term, negated }): Literal[] => {
    if (term.kind === 'device') {
      const field = OTHER_DEVICE[term.field]
      return [{ negated, term: { ...term, field } }]
    }
    const field = 'field' in term ? OTHER_END[term.field] : undefined
    return field === undefined || !('field' in term) ? [] : [{ negated, term: { ...term, field } }]
  })
}

const OTHER_DEVICE: Readonly<Record<DeviceField, DeviceField>> = { 'device.in': 'device.out', 'device.out': 'device.in', 'bridge.in': 'bridge.out', 'bridge.out': 'bridge.in' }
const OTHER_END: Readonly<Partial<Record<NumberField, NumberField>>> = { 'ip.src': 'ip.dst', 'ip.dst': 'ip.src', 'l4.sport': 'l4.dport', 'l4.dport': 'l4.sport' }

/** Packets for the host: what it answers by itself (resets, errors, echo replies) is a packet that it sends. */
function answered(literals: readonly Literal[], surroundings: Surroundings, options: DraftOptions): readonly Flow[] {
  const protocol = literals.filter(({ term }) => 'field' in term && term.field === 'ip.protocol')
  return single([...turnedRound(literals), ...protocol], surroundings, { ...options, origins: 'arriving', towards: 'host', count: Math.ceil(options.count / 2) })
}

/** TCP without any flag, and with flags that contradict each other. */
function invalid(literals: readonly Literal[], surroundings: Surroundings, options: DraftOptions): readonly Flow[] {
  const drafts = draftProbes(literals, surroundings, { ...options, count: Math.ceil(options.count / 2) })
  return drafts.flatMap(({ packet, ...rest }): Flow[] => {
    if (packet.icmp) return [[{ kind: 'probe', probe: { ...rest, packet } }]]
    if (!packet.tcp) return packet.protocol === PROTOCOL.udp ? [[{ kind: 'probe', probe: { ...rest, packet: { ...packet, malformed: 'checksum' } } }]] : []
    const { tcp } = packet
    const flags = [0, TCP_FLAG.SYN | TCP_FLAG.FIN, TCP_FLAG.FIN | TCP_FLAG.ACK, TCP_FLAG.RST].filter(one => allHold(literalsOn(literals, 'tcp.flags'), one))
    return flags.map((one): Flow => [{ kind: 'probe', probe: { ...rest, packet: { ...packet, tcp: { ...tcp, flags: one } } } }])
  })
}

function place({ macSource: _, socket: __, ...packet }: Packet, device: string | undefined, namespace: string): Probe {
  return device === undefined ? { packet: { ...packet, socket: { uid: 0, gid: 0 } }, namespace } : { packet: { ...packet, macSource: '02aa000000fe' }, inDevice: device, namespace }
}
