/** Traces and connections -> the oracle's result shape, as JSON text: most of the time of an answer would else go into objects. */

import { CT_STATE, CT_STATUS } from '../../src/meaning/fields.ts'
import { PROTOCOL } from '../../src/net/protocol.ts'
import type { Connection } from '../../src/simulate/connection.ts'
import { piecesOf } from '../../src/simulate/fragments.ts'
import type { Outcome, Trace, Way } from '../../src/simulate/trace-events.ts'
import type { Tuple } from '../../src/simulate/tuple.ts'
import { writeEnds, writePacket } from './packet-json.ts'
import { makeFlowPaths, writePath } from './path-texts.ts'
import type { FlowPaths } from './path-texts.ts'

/** Returns what became of one packet; what it met is counted for its flow. */
export function writeTrace(trace: Trace, flow: FlowPaths = makeFlowPaths()): string {
  const { outcome, way } = trace
  const path = writePath(way.path, flow)
  const { replies, gen } = writeAnswers(trace, flow)
  const assumed = trace.assumed.length > 0 ? `,"assumed":${JSON.stringify(trace.assumed.map(one => one.words))}` : ''
  return `{"outcome":"${outcomeOf(outcome, way.copies)}","path":${path},"ctstate":${writeStates(way)},"out":[${writeFrames(trace)}],"local":[${writeLocal(trace)}]${assumed},"replies":[${replies}],"gen":[${gen}]}`
}

/**
 * Returns the same as the oracle tells it. It knows a packet by its next header, so that one of IPv6 put together from fragments counts
 * with it as another packet that the kernel made: its way is in `gen`, and where the packet stays here the oracle takes it for an answer,
 * so that nothing but the frames is comparable then.
 */
export function writeAsOracle(trace: Trace, flow: FlowPaths): string {
  if (!isPutTogether6(trace)) return writeTrace(trace, flow)
  const { outcome, way } = trace
  const path = writePath(way.path, flow)
  const { replies, gen } = writeAnswers(trace, flow)
  const frames = `"out":[${writeFrames(trace)}]`
  if (outcome.kind === 'local' || outcome.packet.fragmentOffset > 0 || way.copies.length > 0) return `{${frames}}`
  const own = `{"path":${path},"ctstate":${writeStates(way)}}`
  return `{"outcome":"${outcomeOf(outcome, way.copies)}",${frames},"replies":[${replies}],"gen":[${own}${gen === '' ? '' : `,${gen}`}]}`
}

function isPutTogether6({ outcome: { packet }, way }: Trace): boolean {
  return packet.family === 'ipv6' && way.path.length > 0 && (packet.pieces !== undefined || packet.fragmentOffset > 0)
}

function outcomeOf(outcome: Outcome, copies: readonly Outcome[]): string {
  const isLocal = outcome.kind === 'local' || (copies.length > 0 && copies.some(copy => copy.kind === 'local'))
  const kind = isLocal ? 'local' : outcome.kind === 'queue' || outcome.kind === 'stolen' ? 'drop' : outcome.kind
  if (copies.length === 0 || !copies.some(copy => copy.kind === 'bridge')) return kind
  return kind === 'local' ? 'local+bridge' : 'bridge'
}

/** Returns a connection as an entry of the table. */
export function writeConnection(connection: Connection): string {
  const { zone } = connection
  const state = connection.tcp?.state ?? connection.sctp?.state
  const rest = `${state === undefined ? '' : `,"state":"${state}"`}${zone.id === 0 ? '' : `,"zone":${zone.id}`}`
  return `{"orig":{${writeTuple(connection.original)}},"reply":{${writeTuple(connection.reply)}},"status":${STATUS_TEXTS[connection.status & SHOWN] ?? ''},"mark":${connection.mark}${rest}}`
}

const STATUS_NAMES = ['SEEN_REPLY', 'ASSURED', 'SRC_NAT', 'DST_NAT'] as const
const SHOWN = STATUS_NAMES.reduce((bits, name) => bits | CT_STATUS[name], 0)
/** The names of all combinations of status bits, as JSON. */
const STATUS_TEXTS = Array.from({ length: SHOWN + 1 }, (_, status) => JSON.stringify(STATUS_NAMES.filter(name => status & CT_STATUS[name])))

/** The packets that the kernel made because of this one, as lists without brackets: those that came out, and the ways of all. */
interface Answers {
  readonly replies: string
  readonly gen: string
}

const NO_ANSWERS: Answers = { replies: '', gen: '' }

function writeAnswers(trace: Trace, flow: FlowPaths): Answers {
  if (trace.answers.length === 0) return NO_ANSWERS
  const answers = allAnswers(trace).map(({ outcome, way }) => ({ reply: writeReplies(outcome), hasPath: way.path.length > 0, gen: `{"path":${writePath(way.path, flow)},"ctstate":${writeStates(way)}}` }))
  const replies = answers.filter(({ reply }) => reply !== '').map(({ reply }) => reply).join(',')
  return { replies, gen: answers.filter(({ reply, hasPath }) => hasPath || reply !== '').map(({ gen }) => gen).join(',') }
}

function allAnswers(trace: Trace): readonly Trace[] {
  return trace.answers.flatMap(answer => [answer, ...allAnswers(answer)])
}

function writeStates({ states }: Way): string {
  let text = ''
  for (const { ctState, direction } of states) text = text === '' ? stateName(ctState, direction) : `${text},${stateName(ctState, direction)}`
  return `[${text}]`
}

function stateName(ctState: number, direction: 0 | 1): string {
  if (ctState & CT_STATE.UNTRACKED) return '"UNTRACKED"'
  if (ctState & CT_STATE.INVALID) return '"INVALID"'
  if (ctState & CT_STATE.NEW) return '"NEW"'
  if (ctState & CT_STATE.RELATED) return direction === 1 ? '"RELATED/REPLY"' : '"RELATED/ORIGINAL"'
  return direction === 1 ? '"ESTABLISHED/REPLY"' : '"ESTABLISHED/ORIGINAL"'
}

function writeFrames({ outcome, way }: Trace): string {
  const own = framesOf(outcome)
  return way.copies.length === 0 ? own : [...way.copies.map(framesOf), own].filter(text => text !== '').join(',')
}

function framesOf(outcome: Outcome): string {
  if (outcome.kind !== 'forward' && outcome.kind !== 'sent' && outcome.kind !== 'bridge') return ''
  const { packet, ports } = outcome
  const bridged = outcome.kind === 'bridge' ? '"bridged":true' : `"oif":${quoted(outcome.device)}`
  if (packet.pieces) return piecesOf(packet).map(piece => framesOf({ ...outcome, packet: piece })).join(',')
  const rest = `${bridged},"mark":${packet.mark},"prio":${packet.priority},${writePacket(packet)}`
  return ports.length === 1 ? `{"iface":${quoted(ports[0] ?? '')},${rest}}` : ports.map(port => `{"iface":${quoted(port)},${rest}}`).join(',')
}

function writeLocal({ outcome, way }: Trace): string {
  const own = localOf(outcome)
  return way.copies.length === 0 ? own : [...way.copies.map(localOf), own].filter(text => text !== '').join(',')
}

function localOf(outcome: Outcome): string {
  return outcome.kind === 'local' ? `{"iif":${quoted(outcome.device)},"mark":${outcome.packet.mark},${writePacket(outcome.packet)}}` : ''
}

function writeReplies(outcome: Outcome): string {
  if (outcome.kind === 'local') return `{"iface":"lo",${writePacket(outcome.packet)}}`
  return outcome.kind === 'sent' || outcome.kind === 'forward' ? outcome.ports.map(port => `{"iface":${quoted(port)},${writePacket(outcome.packet)}}`).join(',') : ''
}

function writeTuple(tuple: Tuple): string {
  const base = writeEnds(tuple)
  if (tuple.protocol === PROTOCOL.icmp || tuple.protocol === PROTOCOL.icmpv6) return `${base},"icmpId":${tuple.sport},"icmpType":${tuple.dport >> 8},"icmpCode":${tuple.dport & 255}`
  return PROTOCOLS_WITH_PORTS.has(tuple.protocol) ? `${base},"sport":${tuple.sport},"dport":${tuple.dport}` : base
}

const PROTOCOLS_WITH_PORTS: ReadonlySet<number> = new Set([PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.udplite, PROTOCOL.sctp, PROTOCOL.dccp])

const quotedNames = new Map<string, string>()

/** Returns a device's name as a JSON string; there are few of them. */
function quoted(name: string): string {
  const known = quotedNames.get(name)
  if (known !== undefined) return known
  const text = JSON.stringify(name)
  quotedNames.set(name, text)
  return text
}
