/** Traces and connections -> the oracle's result shape, as JSON text: most of the time of an answer would else go into objects. */

import { CT_STATE, CT_STATUS } from '../../src/meaning/fields.ts'
import { PROTOCOL } from '../../src/net/protocol.ts'
import type { Connection } from '../../src/simulate/connection.ts'
import { piecesOf } from '../../src/simulate/fragments.ts'
import type { Outcome, PathStep, Trace, Way } from '../../src/simulate/trace-events.ts'
import type { Tuple } from '../../src/simulate/tuple.ts'
import { addressText, protocolName, writePacket } from './packet-json.ts'

/** Returns what became of one packet. */
export function writeTrace(trace: Trace): string {
  const { outcome, way } = trace
  if (isPutTogether6(trace)) return `{"out":[${writeFrames(trace)}]}`
  const answers = allAnswers(trace)
  const local = writeList([...way.copies, outcome].filter(one => one.kind === 'local'), one => `{"iif":${quoted(one.device)},"mark":${one.packet.mark},${writePacket(one.packet)}}`)
  const assumed = trace.assumed.length > 0 ? `,"assumed":${JSON.stringify(trace.assumed.map(one => one.words))}` : ''
  const replies = answers.filter(answer => writeReplies(answer.outcome) !== '')
  const told = answers.filter(answer => answer.way.path.length > 0 || replies.includes(answer))
  const gen = writeList(told, answer => `{"path":${writePath(answer.way)},"ctstate":${writeStates(answer.way)}}`)
  return `{"outcome":"${outcomeOf(outcome, way.copies)}","path":${writePath(way)},"ctstate":${writeStates(way)},"out":[${writeFrames(trace)}],"local":${local}${assumed},"replies":${writeList(replies, answer => writeReplies(answer.outcome))},"gen":${gen}}`
}

/**
 * The oracle knows a packet by its next header, so that one of IPv6 put together from fragments counts with it as another packet that
 * the kernel made. Only the frames and the counters of the flow can be compared.
 */
function isPutTogether6({ outcome: { packet }, way }: Trace): boolean {
  return packet.family === 'ipv6' && way.path.length > 0 && (packet.pieces !== undefined || packet.fragmentOffset > 0)
}

function outcomeOf(outcome: Outcome, copies: readonly Outcome[]): string {
  const isLocal = outcome.kind === 'local' || copies.some(copy => copy.kind === 'local')
  const kind = isLocal ? 'local' : outcome.kind === 'queue' || outcome.kind === 'stolen' ? 'drop' : outcome.kind
  if (!copies.some(copy => copy.kind === 'bridge')) return kind
  return kind === 'local' ? 'local+bridge' : 'bridge'
}

/** Returns a JSON list of texts; long texts are put together only once, when they are sent. */
export function writeList<T>(items: readonly T[], write: (item: T) => string): string {
  let text = ''
  for (const item of items) text = text === '' ? write(item) : `${text},${write(item)}`
  return `[${text}]`
}

/** Returns how often each rule and policy was hit, keyed as `filter FORWARD 2`. */
export function countHits(traces: readonly Trace[]): Readonly<Record<string, number>> {
  return Object.fromEntries([...hitsOf(traces)].map(([{ table, chain, number }, times]) => [`${table} ${chain} ${number}`, times]))
}

/** Returns the same as JSON. */
export function writeCounters(traces: readonly Trace[]): string {
  let text = ''
  for (const [step, times] of hitsOf(traces)) text += `${text === '' ? '' : ','}${textsOf(step).key}:${times}`
  return `{${text}}`
}

function hitsOf(traces: readonly Trace[]): ReadonlyMap<PathStep, number> {
  const hits = new Map<PathStep, number>()
  const count = ({ way, answers }: Trace): void => {
    for (const step of way.path) hits.set(step, (hits.get(step) ?? 0) + 1)
    answers.forEach(count)
  }
  traces.forEach(count)
  return hits
}

/** Returns a connection as an entry of the table. */
export function writeConnection(connection: Connection): string {
  const { zone } = connection
  const state = connection.tcp?.state ?? connection.sctp?.state
  const status = STATUS_NAMES.filter(name => connection.status & CT_STATUS[name])
  const rest = `${state === undefined ? '' : `,"state":"${state}"`}${zone.id === 0 ? '' : `,"zone":${zone.id}`}`
  return `{"orig":{${writeTuple(connection.original)}},"reply":{${writeTuple(connection.reply)}},"status":${writeList(status, name => `"${name}"`)},"mark":${connection.mark}${rest}}`
}

const STATUS_NAMES = ['SEEN_REPLY', 'ASSURED', 'SRC_NAT', 'DST_NAT'] as const

const NO_TRACES: readonly Trace[] = []

function allAnswers(trace: Trace): readonly Trace[] {
  return trace.answers.length === 0 ? NO_TRACES : trace.answers.flatMap(answer => [answer, ...allAnswers(answer)])
}

/** A step as an element of a path, and as the name of its counter. */
interface StepTexts {
  readonly element: string
  readonly key: string
}

const stepTexts = new WeakMap<PathStep, StepTexts>()

/** Steps belong to rules, so their texts are made once. */
function textsOf(step: PathStep): StepTexts {
  const known = stepTexts.get(step)
  if (known) return known
  const { table, chain, number } = step
  const texts = { element: JSON.stringify([table, chain, number]), key: JSON.stringify(`${table} ${chain} ${number}`) }
  stepTexts.set(step, texts)
  return texts
}

/** Table, chain, and the 1-based rule number or `policy`. */
function writePath({ path }: Way): string {
  return writeList(path, step => textsOf(step).element)
}

function writeStates({ states }: Way): string {
  return writeList(states, ({ ctState, direction }) => stateName(ctState, direction))
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

function writeReplies(outcome: Outcome): string {
  if (outcome.kind === 'local') return `{"iface":"lo",${writePacket(outcome.packet)}}`
  return outcome.kind === 'sent' || outcome.kind === 'forward' ? outcome.ports.map(port => `{"iface":${quoted(port)},${writePacket(outcome.packet)}}`).join(',') : ''
}

function writeTuple(tuple: Tuple): string {
  const base = `"src":"${addressText(tuple.src)}","dst":"${addressText(tuple.dst)}","proto":"${protocolName(tuple.protocol)}"`
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
