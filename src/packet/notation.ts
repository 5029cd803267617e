/**
 * The packet notation: `eth0 tcp 198.51.100.7:40000 > 203.0.113.2:8080 syn`. Without a device this host makes the packet;
 * `NAMESPACE/DEVICE` and `NAMESPACE/` name another host's. What is left out is usual: source port 40000, `syn`, `echo-request`, ttl 64.
 */

import { familyOf } from '../net/address.ts'
import { PROTOCOL, protocolNames, protocolNumber } from '../net/protocol.ts'
import { readEndpoint } from './endpoint.ts'
import type { Endpoint } from './endpoint.ts'
import { hasIcmpId, icmpNames } from './icmp-names.ts'
import { makePacket } from './packet.ts'
import type { Packet } from './packet.ts'
import { EMPTY_TCP, flagsOfWord, PACKET_WORDS, readNumber, takeFlags, takeIcmpType } from './packet-words.ts'
import type { PacketDraft } from './packet-words.ts'
import type { Probe } from './probe.ts'

/** What a packet text asks for: a packet of its own, or one made from the packet before it. */
export type PacketRequest =
  | { readonly kind: 'probe'; readonly probe: Probe }
  /** `reply`: the reverse of the previous packet as it was last seen; `again`: the previous one; both with changes. */
  | { readonly kind: 'reply' | 'again'; readonly change: (packet: Packet) => Packet }

/** What is wrong with a packet text; offsets into it. */
export interface PacketProblem {
  readonly message: string
  readonly help: string
  readonly start: number
  readonly end: number
  /** What could stand there, for "did you mean". */
  readonly candidates?: readonly string[]
}

/** A request, or the problem. */
export type PacketReading = { readonly ok: true; readonly value: PacketRequest } | { readonly ok: false; readonly problem: PacketProblem }

/** A packet text that is right, for messages and help. */
export const PACKET_EXAMPLE = 'eth0 tcp 198.51.100.7:40000 > 203.0.113.2:80 syn'

/** The source port of a packet that names none. */
export const USUAL_SOURCE_PORT = 40000

interface Word {
  readonly text: string
  readonly start: number
  readonly end: number
}

interface Reader {
  readonly words: readonly Word[]
  readonly length: number
}

/** Thrown inside this file only: `readPacket` turns it into a `PacketProblem`. */
interface Refusal {
  readonly refused: PacketProblem
}

/** Reads a packet text. */
export function readPacket(text: string): PacketReading {
  const words = [...text.matchAll(/->|>|(?:(?!->)[^\s>])+/g)].map(match => ({ text: match[0], start: match.index, end: match.index + match[0].length }))
  try {
    return { ok: true, value: readRequest({ words, length: text.length }) }
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'refused' in error) return { ok: false, problem: (error as Refusal).refused }
    throw error
  }
}

/** Tells whether a command line argument is meant as a packet rather than a file: it has blanks or is `reply` or `again`. */
export function looksLikePacket(text: string): boolean {
  return /^(reply|again)$/.test(text) || (/\s/.test(text.trim()) && (text.includes('>') || /^\s*(reply|again)\s/.test(text) || text.split(/\s+/).some(word => readProtocol(word) !== undefined)))
}

function readRequest(reader: Reader): PacketRequest {
  const [first] = reader.words
  if (!first) throw refusal(reader, 0, 'the packet is empty')
  if (first.text !== 'reply' && first.text !== 'again') return { kind: 'probe', probe: readProbe(reader, 0) }
  const { words } = reader
  takeWords({ words, length: reader.length }, 1, { protocol: anyProtocolFor(words), tcp: EMPTY_TCP })
  return { kind: first.text, change: packet => changePacket(packet, reader) }
}

/** The words of `reply` are read before the protocol is known: any that has all of them will do. */
function anyProtocolFor(words: readonly Word[]): number {
  return words.some(word => ['id', 'type', 'code', 'mtu'].includes(word.text)) ? PROTOCOL.icmp : PROTOCOL.tcp
}

function changePacket(packet: Packet, reader: Reader): Packet {
  const draft: PacketDraft = { ...packet }
  takeWords(reader, 1, draft)
  return { ...packet, ...defined(draft) }
}

function readProbe(reader: Reader, from: number): Probe {
  const { words } = reader
  let at = from
  const isBare = readProtocol(words[at]?.text ?? '') !== undefined && readEndpoint(words[at + 1]?.text ?? '').ok
  const place = isBare ? undefined : words[at++]
  const protocolWord = words[at]
  const protocol = readProtocol(protocolWord?.text ?? '')
  if (protocol === undefined) throw protocolRefusal(reader, at, place)
  const source = readEnd(reader, at + 1, 'source')
  const arrow = words[at + 2]?.text
  if (arrow !== '>' && arrow !== '->') throw refusal(reader, at + 2, '`>` and the destination should follow the source')
  const destination = readEnd(reader, at + 3, 'destination')
  if (familyOf(source.address) !== familyOf(destination.address)) throw refusal(reader, at + 3, 'source and destination are of different families')
  const packet = readBody(reader, at + 4, protocol, source, destination)
  return { packet, ...readPlace(reader, place) }
}

function readPlace(reader: Reader, place: Word | undefined): { readonly inDevice?: string; readonly namespace?: string } {
  if (!place) return {}
  const [before = '', after] = place.text.split('/')
  const device = after ?? before
  if (device.length > 15) throw refusal(reader, reader.words.indexOf(place), `device name \`${device}\` is longer than 15 characters`)
  return { ...(device === '' ? {} : { inDevice: device }), ...(after === undefined ? {} : { namespace: before }) }
}

function readEnd(reader: Reader, at: number, which: 'source' | 'destination'): Endpoint {
  const end = readEndpoint(reader.words[at]?.text ?? '')
  if (!end.ok) throw refusal(reader, at, reader.words[at] === undefined ? `the ${which} is missing` : end.problem)
  return end.value
}

function readBody(reader: Reader, from: number, protocol: number, source: Endpoint, destination: Endpoint): Packet {
  const draft: PacketDraft = { protocol }
  takeWords(reader, from, draft)
  const isFirst = (draft.fragmentOffset ?? 0) === 0
  if (PORT_PROTOCOLS.includes(protocol)) {
    if (isFirst && destination.port === undefined) throw refusal(reader, from - 1, 'the destination has no port', typeof destination.address === 'bigint' ? 'an IPv6 address with a port stands in brackets: `[2001:db8::1]:443`' : undefined)
    if (isFirst) Object.assign(draft, { sport: source.port ?? USUAL_SOURCE_PORT, dport: destination.port })
  } else if (destination.port !== undefined || source.port !== undefined) throw refusal(reader, destination.port === undefined ? from - 3 : from - 1, 'this protocol has no ports')
  if (isFirst) completeHeader(draft)
  return makePacket({ ...defined(draft), protocol, src: source.address, dst: destination.address })
}

const PORT_PROTOCOLS: readonly number[] = [PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.udplite, PROTOCOL.sctp, PROTOCOL.dccp]

/** Gives a transport header what the text leaves out. */
function completeHeader(draft: PacketDraft): void {
  const { protocol } = draft
  if (protocol === PROTOCOL.tcp) draft.tcp ??= EMPTY_TCP
  else if (protocol === PROTOCOL.icmp || protocol === PROTOCOL.icmpv6) {
    const header = draft.icmp ?? { type: protocol === PROTOCOL.icmp ? 8 : 128, code: 0 }
    draft.icmp = hasIcmpId(header.type, protocol) ? { id: 1, sequence: 1, ...header } : header
  } else if (protocol === PROTOCOL.sctp) draft.sctp ??= { chunk: 1, vtag: 0 }
  else if (protocol === PROTOCOL.gre) draft.greKey ??= 0
  else if (protocol === PROTOCOL.esp || protocol === PROTOCOL.ah) draft.spi ??= 256
}

function takeWords(reader: Reader, from: number, draft: PacketDraft): void {
  let flagWords = 0
  for (let at = from; at < reader.words.length; at++) {
    const word = reader.words[at]?.text.toLowerCase() ?? ''
    const row = PACKET_WORDS.get(word)
    const flags = flagsOfWord(word)
    if (word === 'quoting') return takeQuoted(reader, at + 1, draft)
    if (flags !== undefined) {
      const problem = takeFlags(draft, flags, flagWords++ === 0)
      if (problem !== undefined) throw refusal(reader, at, problem)
    } else if (row) {
      if (row.value !== undefined) at++
      if (row.value !== undefined && !reader.words[at]) throw refusal(reader, at, `\`${word}\` needs ${row.value}`)
      const problem = row.take(draft, reader.words[at]?.text ?? '')
      if (problem !== undefined) throw refusal(reader, at, problem)
    } else if (!takeIcmpType(draft, word)) throw unknownWord(reader, at, draft.protocol)
  }
}

/** The packet that an ICMP error quotes: the rest of the text. */
function takeQuoted(reader: Reader, from: number, draft: PacketDraft): void {
  if (draft.protocol !== PROTOCOL.icmp && draft.protocol !== PROTOCOL.icmpv6) throw refusal(reader, from - 1, 'only icmp packets quote another')
  draft.icmp = { type: 3, code: 3, ...draft.icmp, inner: readProbe(reader, from).packet }
}

/** Returns the protocol number of a notation word, undefined where it names none. */
function readProtocol(word: string): number | undefined {
  const lower = word.toLowerCase()
  if (lower === 'icmp6') return PROTOCOL.icmpv6
  const number = readNumber(lower)
  return number !== undefined && number <= 255 ? number : protocolNumber(lower)
}

function protocolRefusal(reader: Reader, at: number, place: Word | undefined): Refusal {
  const word = reader.words[at]
  if (!word) return refusal(reader, at, 'the protocol is missing')
  const refused = refusal(reader, at, `\`${word.text}\` is not a protocol`, place && readEndpoint(word.text).ok ? `the protocol is missing: \`${place.text} tcp ${word.text} > ...\`` : undefined)
  return withCandidates(refused, [...protocolNames(), 'icmp6'])
}

function unknownWord(reader: Reader, at: number, protocol: number): Refusal {
  const words = [...PACKET_WORDS.keys()]
  const refused = refusal(reader, at, `\`${reader.words[at]?.text}\` is not a word about packets`, `words are: tcp flags (\`syn\`, \`syn,ack\`, \`fin\`, \`rst\`, \`psh\`), icmp types (\`echo-request\`), ${words.slice(0, 12).map(name => `\`${name}\``).join(', ')}`)
  return withCandidates(refused, [...words, ...icmpNames(protocol), 'quoting', 'syn', 'ack', 'fin', 'rst', 'psh', 'syn,ack'])
}

function withCandidates({ refused }: Refusal, candidates: readonly string[]): Refusal {
  return { refused: { ...refused, candidates } }
}

function refusal(reader: Reader, at: number, message: string, help?: string): Refusal {
  const word = reader.words[at]
  const end = reader.words.at(-1)?.end ?? 0
  return { refused: { message, help: help ?? `a packet reads like \`${PACKET_EXAMPLE}\``, start: word?.start ?? end, end: word?.end ?? end + 1 } }
}

function defined(draft: PacketDraft): Partial<Packet> {
  return Object.fromEntries(Object.entries(draft).filter(([, value]) => value !== undefined))
}

