/** Traces and connections -> the oracle's result shape. */

import { CT_STATE, CT_STATUS } from '../../src/meaning/fields.ts'
import { PROTOCOL } from '../../src/net/protocol.ts'
import { writeAddress } from '../../src/net/address.ts'
import type { Connection } from '../../src/simulate/connection.ts'
import type { Outcome, Trace, TraceEvent } from '../../src/simulate/trace-events.ts'
import type { Tuple } from '../../src/simulate/tuple.ts'
import { protocolName, writePacket } from './packet-json.ts'
import type { JsonObject } from './packet-json.ts'

/** One step: table, chain, and the 1-based rule number or `policy`. */
export type Step = readonly [string, string, number | 'policy']

const STATUS_NAMES = ['SEEN_REPLY', 'ASSURED', 'SRC_NAT', 'DST_NAT'] as const

/** Writes what became of one packet. */
export function writeTrace(trace: Trace): JsonObject {
  const { outcome } = trace
  const gen = allAnswers(trace)
  const copies = trace.events.flatMap(event => (event.kind === 'copy' ? [event.trace.outcome] : []))
  return {
    outcome: outcomeOf(outcome, copies),
    path: pathOf(trace.events),
    ctstate: statesOf(trace.events),
    out: [...copies, outcome].flatMap(framesOut),
    local: outcome.kind === 'local' ? [{ iif: outcome.device, mark: outcome.packet.mark, ...writePacket(outcome.packet) }] : [],
    ...(trace.assumed.length > 0 ? { assumed: trace.assumed.map(one => one.words) } : {}),
    replies: gen.flatMap(answer => repliesOf(answer.outcome)),
    gen: gen.filter(answer => pathOf(answer.events).length > 0 || repliesOf(answer.outcome).length > 0).map(answer => ({ path: pathOf(answer.events), ctstate: statesOf(answer.events) })),
  }
}

function outcomeOf(outcome: Outcome, copies: readonly Outcome[]): string {
  const kind = outcome.kind === 'queue' || outcome.kind === 'stolen' ? 'drop' : outcome.kind
  if (!copies.some(copy => copy.kind === 'bridge')) return kind
  return kind === 'local' ? 'local+bridge' : 'bridge'
}

/** Returns how often each rule and policy was hit, keyed as `filter FORWARD 2`. */
export function countHits(traces: readonly Trace[]): Readonly<Record<string, number>> {
  const counters: Record<string, number> = {}
  for (const trace of traces.flatMap(one => [one, ...allAnswers(one)])) {
    for (const step of pathOf(trace.events)) counters[step.join(' ')] = (counters[step.join(' ')] ?? 0) + 1
  }
  return counters
}

/** Writes a connection as an entry of the table. */
export function writeConnection(connection: Connection): JsonObject {
  const { zone } = connection
  const state = connection.tcp?.state ?? connection.sctp?.state
  return {
    orig: writeTuple(connection.original),
    reply: writeTuple(connection.reply),
    status: STATUS_NAMES.filter(name => connection.status & CT_STATUS[name]),
    mark: connection.mark,
    ...(state === undefined ? {} : { state }),
    ...(zone.id === 0 ? {} : { zone: zone.id }),
  }
}

function allAnswers(trace: Trace): readonly Trace[] {
  return trace.answers.flatMap(answer => [answer, ...allAnswers(answer)])
}

function pathOf(events: readonly TraceEvent[]): readonly Step[] {
  return events.flatMap((event): Step[] => {
    if (event.kind === 'rule') return [[event.place.table, event.place.chain.name, event.place.number]]
    if (event.kind === 'copy') return [...pathOf(event.trace.events)]
    return event.kind === 'policy' ? [[event.place.table, event.place.chain.name, 'policy']] : []
  })
}

function statesOf(events: readonly TraceEvent[]): readonly string[] {
  return events.flatMap(event => {
    if (event.kind !== 'conntrack') return []
    if (event.ctState & CT_STATE.UNTRACKED) return ['UNTRACKED']
    if (event.ctState & CT_STATE.INVALID) return ['INVALID']
    if (event.ctState & CT_STATE.NEW) return ['NEW']
    const direction = event.connection?.direction === 1 ? 'REPLY' : 'ORIGINAL'
    return [`${event.ctState & CT_STATE.RELATED ? 'RELATED' : 'ESTABLISHED'}/${direction}`]
  })
}

function framesOut(outcome: Outcome): readonly JsonObject[] {
  if (outcome.kind !== 'forward' && outcome.kind !== 'sent' && outcome.kind !== 'bridge') return []
  const { packet } = outcome
  const bridged = outcome.kind === 'bridge' ? { bridged: true } : { oif: outcome.device }
  return outcome.ports.map(iface => ({ iface, ...bridged, mark: packet.mark, prio: packet.priority, ...writePacket(packet) }))
}

function repliesOf(outcome: Outcome): readonly JsonObject[] {
  if (outcome.kind === 'local') return [{ iface: 'lo', ...writePacket(outcome.packet) }]
  return outcome.kind === 'sent' || outcome.kind === 'forward' ? outcome.ports.map(iface => ({ iface, ...writePacket(outcome.packet) })) : []
}

function writeTuple(tuple: Tuple): JsonObject {
  const base = { src: writeAddress(tuple.src), dst: writeAddress(tuple.dst), proto: protocolName(tuple.protocol) }
  if (tuple.protocol === PROTOCOL.icmp || tuple.protocol === PROTOCOL.icmpv6) return { ...base, icmpId: tuple.sport, icmpType: tuple.dport >> 8, icmpCode: tuple.dport & 255 }
  const hasPorts = [PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.udplite, PROTOCOL.sctp, PROTOCOL.dccp].some(protocol => protocol === tuple.protocol)
  return hasPorts ? { ...base, sport: tuple.sport, dport: tuple.dport } : base
}
