/** The words of the packet notation that follow the addresses: one row each, read and written. A new word is a new row. */

import { PROTOCOL } from '../net/protocol.ts'
import { icmpTypeOfName } from './icmp-names.ts'
import { TCP_FLAG } from './packet.ts'
import type { IcmpHeader, Packet, TcpHeader } from './packet.ts'

/** A packet while its words are being read. */
export type PacketDraft = { -readonly [K in keyof Packet]?: Packet[K] | undefined } & { protocol: number }

/** Takes a word's value into the draft; returns what is wrong with it, undefined where nothing is. */
type TakeWord = (draft: PacketDraft, value: string) => string | undefined

/** A word: with `value`, what follows it is called so in messages. */
export interface PacketWord {
  readonly value?: string
  readonly take: TakeWord
}

const number = (low: number, high: number, set: (draft: PacketDraft, value: number) => void, syntax = 'a number'): PacketWord => ({
  value: syntax,
  take(draft, value) {
    const read = readNumber(value)
    if (read === undefined) return `\`${value}\` is not a number`
    if (read < low || read > high) return `\`${value}\` is not between ${low} and ${high}`
    set(draft, read)
    return undefined
  },
})

const plain = (set: (draft: PacketDraft) => void): PacketWord => ({ take: draft => (set(draft), undefined) })

const tcpNumber = (high: number, set: (value: number) => Partial<TcpHeader>): PacketWord => ofTcp(number(0, high, (draft, value) => (draft.tcp = { ...EMPTY_TCP, ...draft.tcp, ...set(value) })))

const icmpNumber = (high: number, set: (value: number) => Partial<IcmpHeader>): PacketWord =>
  ofIcmp(number(0, high, (draft, value) => (draft.icmp = { type: 8, code: 0, ...draft.icmp, ...set(value) })))

/** The TCP header of a packet of which nothing is said. */
export const EMPTY_TCP: TcpHeader = { flags: TCP_FLAG.SYN, seq: 0, ack: 0, window: 65535, optionKinds: [] }

const WORD32 = 0xffffffff

/** The words by name. TCP flags and ICMP types are not here: see `takeFlags` and `takeIcmpType`. */
export const PACKET_WORDS: ReadonlyMap<string, PacketWord> = new Map(
  Object.entries({
    ttl: number(0, 255, (draft, value) => (draft.ttl = value)),
    tos: number(0, 255, (draft, value) => (draft.tos = value)),
    len: number(20, 65575, (draft, value) => (draft.length = value), 'the IP length in bytes'),
    mark: number(0, WORD32, (draft, value) => (draft.mark = value)),
    priority: number(0, WORD32, (draft, value) => (draft.priority = value)),
    uid: number(0, WORD32, (draft, value) => (draft.socket = { gid: 0, ...draft.socket, uid: value })),
    gid: number(0, WORD32, (draft, value) => (draft.socket = { uid: 0, ...draft.socket, gid: value })),
    frag: number(0, 65528, (draft, value) => (draft.fragmentOffset = value), 'the fragment offset in bytes'),
    'more-fragments': plain(draft => (draft.moreFragments = true)),
    df: plain(draft => (draft.dontFragment = true)),
    mac: { value: 'a source MAC address', take: takeMac },
    broadcast: plain(draft => (draft.packetType = 'broadcast')),
    multicast: plain(draft => (draft.packetType = 'multicast')),
    otherhost: plain(draft => (draft.packetType = 'otherhost')),
    loopback: plain(draft => (draft.packetType = 'loopback')),
    seq: { value: 'a number', take: takeSequence },
    ackseq: tcpNumber(WORD32, ack => ({ ack })),
    window: tcpNumber(65535, window => ({ window })),
    mss: ofTcp(number(0, 65535, (draft, mss) => (draft.tcp = { ...EMPTY_TCP, ...draft.tcp, mss }))),
    'tcp-options': ofTcp({ value: 'option kinds such as `2,4,8`', take: takeOptionKinds }),
    type: icmpNumber(255, type => ({ type })),
    code: icmpNumber(255, code => ({ code })),
    id: icmpNumber(65535, id => ({ id })),
    mtu: icmpNumber(65535, mtu => ({ mtu })),
    spi: number(0, WORD32, (draft, value) => (draft.spi = value)),
    key: number(0, WORD32, (draft, value) => (draft.greKey = value)),
    chunk: number(0, 255, (draft, chunk) => (draft.sctp = { vtag: 0, ...draft.sctp, chunk })),
    vtag: number(0, WORD32, (draft, vtag) => (draft.sctp = { chunk: 1, ...draft.sctp, vtag })),
    truncated: plain(draft => (draft.malformed = 'truncated')),
    'bad-checksum': plain(draft => (draft.malformed = 'checksum')),
    data: { value: 'bytes in hex', take: takeData },
  } satisfies Record<string, PacketWord>),
)

/** Reads TCP flags such as `syn`, `syn,ack`, `syn-ack` or `noflags`; undefined where the word is none. */
export function flagsOfWord(word: string): number | undefined {
  if (word === 'noflags') return 0
  let flags = 0
  for (const part of word.toUpperCase().split(/[,+-]/)) {
    const bit = Object.entries(TCP_FLAG).find(([name]) => name === part)?.[1]
    if (bit === undefined) return undefined
    flags |= bit
  }
  return flags
}

/** Returns TCP flags as a word: `syn,ack`; `noflags` for none. */
export function wordOfFlags(flags: number): string {
  const names = Object.entries(TCP_FLAG).filter(([, bit]) => (flags & bit) !== 0)
  return names.length === 0 ? 'noflags' : names.map(([name]) => name.toLowerCase()).join(',')
}

/** Takes a flags word into a tcp draft; several add up. */
export function takeFlags(draft: PacketDraft, flags: number, isFirst: boolean): string | undefined {
  if (draft.protocol !== PROTOCOL.tcp) return 'only tcp packets have flags'
  const earlier = isFirst ? 0 : (draft.tcp?.flags ?? 0)
  draft.tcp = { ...EMPTY_TCP, ...draft.tcp, flags: earlier | flags }
  return undefined
}

/** Takes the name of an ICMP type into the draft; returns whether the word is one. */
export function takeIcmpType(draft: PacketDraft, word: string): boolean {
  const found = icmpTypeOfName(word, draft.protocol)
  if (found) draft.icmp = { ...draft.icmp, ...found }
  return found !== undefined
}

/** Reads a number in decimal or hex, undefined where it is none. */
export function readNumber(word: string): number | undefined {
  return /^(0x[0-9a-f]+|\d+)$/i.test(word) ? Number(word) : undefined
}

function ofTcp(word: PacketWord): PacketWord {
  return { ...word, take: (draft, value) => (draft.protocol === PROTOCOL.tcp ? word.take(draft, value) : 'only tcp packets have it') }
}

function ofIcmp(word: PacketWord): PacketWord {
  return { ...word, take: (draft, value) => (isIcmp(draft.protocol) ? word.take(draft, value) : 'only icmp packets have it') }
}

function isIcmp(protocol: number): boolean {
  return protocol === PROTOCOL.icmp || protocol === PROTOCOL.icmpv6
}

/** `seq` is the TCP sequence number or the one of an echo. */
function takeSequence(draft: PacketDraft, value: string): string | undefined {
  const sequence = readNumber(value)
  if (sequence === undefined) return `\`${value}\` is not a number`
  if (draft.protocol === PROTOCOL.tcp) draft.tcp = { ...EMPTY_TCP, ...draft.tcp, seq: sequence >>> 0 }
  else if (isIcmp(draft.protocol)) draft.icmp = { type: 8, code: 0, ...draft.icmp, sequence: sequence & 0xffff }
  else return 'only tcp and icmp packets have it'
  return undefined
}

function takeMac(draft: PacketDraft, value: string): string | undefined {
  const digits = value.toLowerCase().replaceAll(':', '')
  if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(value)) return `\`${value}\` is not a MAC address such as \`02:42:ac:11:00:02\``
  draft.macSource = digits
  return undefined
}

function takeOptionKinds(draft: PacketDraft, value: string): string | undefined {
  const kinds = value.split(',').map(Number)
  if (kinds.some(kind => !Number.isInteger(kind) || kind < 0 || kind > 255)) return `\`${value}\` is not a list of TCP option kinds`
  draft.tcp = { ...EMPTY_TCP, ...draft.tcp, optionKinds: kinds }
  return undefined
}

function takeData(draft: PacketDraft, value: string): string | undefined {
  if (!/^([0-9a-f]{2})+$/i.test(value)) return `\`${value}\` is not bytes in hex`
  draft.payload = Uint8Array.from(value.match(/../g) ?? [], byte => Number.parseInt(byte, 16))
  return undefined
}
