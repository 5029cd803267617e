/** Packets in the JSON shape of the kernel oracle: reading requests, writing answers. */

import { readAddress, writeAddress } from '../../src/net/address.ts'
import type { Address } from '../../src/net/address.ts'
import { PROTOCOL, protocolNumber } from '../../src/net/protocol.ts'
import { TCP_FLAG } from '../../src/packet/packet.ts'
import type { Packet, PacketType, TcpHeader } from '../../src/packet/packet.ts'
import type { Probe } from '../../src/packet/probe.ts'
import { withoutTransport } from '../../src/simulate/fragments.ts'

/** A JSON object whose values have not been looked at. */
export type JsonObject = Readonly<Record<string, unknown>>

const NAMES: Readonly<Record<number, string>> = { 1: 'icmp', 2: 'igmp', 6: 'tcp', 17: 'udp', 33: 'dccp', 47: 'gre', 50: 'esp', 51: 'ah', 58: 'icmpv6', 132: 'sctp', 136: 'udplite' }
const FLAG_BITS: ReadonlyMap<string, number> = new Map(Object.entries(TCP_FLAG))

/** Reads a packet of a request. */
export function readProbe(json: JsonObject): Probe {
  const inDevice = typeof json['in'] === 'string' ? json['in'] : undefined
  const packet = readPacket(json)
  if (inDevice !== undefined && json['dmac'] === undefined && json['smac'] === undefined) return { inDevice, packet }
  const dmac = typeof json['dmac'] === 'string' ? json['dmac'].toLowerCase().replaceAll(':', '') : undefined
  if (inDevice === undefined) {
    const socket = { uid: numberOr(json['uid'], 0), gid: numberOr(json['gid'], 0) }
    return { packet: { ...packet, mark: numberOr(json['mark'], 0), socket } }
  }
  const smac = typeof json['smac'] === 'string' ? { macSource: json['smac'].toLowerCase().replaceAll(':', '') } : {}
  return { inDevice, packet: { ...packet, packetType: packetTypeOf(dmac), ...smac }, ...(dmac === undefined ? {} : { macDestination: dmac }) }
}

/** Bytes of the shortest header. */
const HEADER_BYTES: Readonly<Record<number, number>> = { 1: 8, 6: 20, 17: 8, 58: 8, 132: 12, 136: 8 }

/** Reads the header fields of a packet; what is missing has the oracle's default. */
export function readPacket(json: JsonObject): Packet {
  const src = addressOf(json['src'])
  const dst = addressOf(json['dst'])
  const family = typeof src === 'number' ? ('ipv4' as const) : ('ipv6' as const)
  const protocol = protocolOf(json['proto'])
  const payload = payloadOf(json)
  const transport = transportOf(json, protocol, payload)
  const options = typeof json['ipOptions'] === 'string' ? Math.ceil(json['ipOptions'].length / 8) * 4 : 0
  const packet: Packet = {
    family, protocol, src, dst, payload,
    ttl: numberOr(json['ttl'], 64),
    tos: numberOr(json['tos'], 0),
    length: (family === 'ipv4' ? 20 : 40) + options + transport.length,
    fragmentOffset: 0,
    moreFragments: false,
    dontFragment: json['df'] === true,
    mark: 0,
    priority: 0,
    packetType: 'unicast',
    ...transport.fields,
  }
  if (typeof json['id'] !== 'number' && !isObject(json['frag']) && json['badCsum'] !== true) return packet
  const rest = readRest(json, packet, transport.length)
  return (rest.fragmentOffset ?? 0) > 0 ? { ...withoutTransport(packet), ...rest } : { ...packet, ...rest }
}

/** Identification, what is wrong with the packet, and which part of its datagram a fragment is. */
function readRest(json: JsonObject, packet: Packet, whole: number): Partial<Packet> {
  const frag = isObject(json['frag']) ? json['frag'] : undefined
  const slice = Array.isArray(frag?.['slice']) ? frag['slice'].map(Number) : undefined
  const cut = slice ? Math.min(slice[1] ?? 0, whole) - (slice[0] ?? 0) : whole
  const header = whole - (packet.payload?.length ?? 0)
  const isTruncated = slice?.[0] === 0 && cut < (HEADER_BYTES[packet.protocol] ?? 0)
  const payload = slice && packet.payload?.subarray(Math.max(0, (slice[0] ?? 0) - header), Math.max(0, (slice[1] ?? 0) - header))
  return {
    length: packet.length - whole + cut + (frag && packet.family === 'ipv6' ? 8 : 0),
    ...(payload ? { payload } : {}),
    fragmentOffset: numberOr(frag?.['off'], 0),
    moreFragments: frag?.['mf'] === true,
    ...(typeof json['id'] === 'number' ? { identification: json['id'] } : {}),
    ...(typeof json['id'] === 'number' && packet.family === 'ipv6' ? { flowLabel: json['id'] & 0xfffff } : {}),
    ...(isTruncated ? { malformed: 'truncated' as const } : json['badCsum'] === true ? { malformed: 'checksum' as const } : {}),
  }
}

function transportOf(json: JsonObject, protocol: number, payload: Uint8Array): { readonly length: number; readonly fields: Partial<Packet> } {
  const ports = { sport: numberOr(json['sport'], 0), dport: numberOr(json['dport'], 0) }
  switch (protocol) {
    case PROTOCOL.tcp: {
      const header = { flags: flagsOf(json['tcpFlags']), seq: numberOr(json['seq'], 0), ack: numberOr(json['ack'], 0), window: numberOr(json['window'], 29200), optionKinds: optionKindsOf(json['tcpOptions']) }
      const hasMss = typeof json['mss'] === 'number' && json['mss'] > 0
      const tcp = hasMss ? { ...header, optionKinds: [...header.optionKinds, 2], mss: Number(json['mss']) } : header
      const optionBytes = (hasMss ? 4 : 0) + hexLength(json['tcpOptions'])
      return { length: 20 + Math.ceil(optionBytes / 4) * 4 + payload.length, fields: { sport: ports.sport, dport: ports.dport, tcp } }
    }
    case PROTOCOL.udp:
    case PROTOCOL.udplite:
      return { length: 8 + payload.length, fields: ports }
    case PROTOCOL.sctp: {
      const chunk = numberOr(json['sctpChunk'], 1)
      const length = Math.ceil((16 + (chunk === 1 || chunk === 2 ? 16 : payload.length)) / 4) * 4
      return { length, fields: { ...ports, sctp: { chunk, vtag: numberOr(json['vtag'], 0), initTag: numberOr(json['initTag'], 0x1111) } } }
    }
    case PROTOCOL.icmp:
    case PROTOCOL.icmpv6:
      return icmpOf(json, protocol, payload)
    case PROTOCOL.esp:
      return { length: 8 + payload.length, fields: { spi: numberOr(json['spi'], 0) } }
    case PROTOCOL.ah:
      return { length: 24 + payload.length, fields: { spi: numberOr(json['spi'], 0) } }
    case PROTOCOL.dccp:
      return { length: 16 + payload.length, fields: ports }
    default:
      return { length: payload.length, fields: {} }
  }
}

function icmpOf(json: JsonObject, protocol: number, payload: Uint8Array): { readonly length: number; readonly fields: Partial<Packet> } {
  const type = numberOr(json['icmpType'], protocol === PROTOCOL.icmp ? 8 : 128)
  const code = numberOr(json['icmpCode'], 0)
  const inner = isObject(json['inner']) ? readPacket(json['inner']) : undefined
  const icmp = inner
    ? { type, code, inner, ...(typeof json['icmpMtu'] === 'number' ? { mtu: json['icmpMtu'] } : {}) }
    : { type, code, id: numberOr(json['icmpId'], 0), sequence: numberOr(json['icmpSeq'], 0) }
  return { length: 8 + (inner?.length ?? 0) + payload.length, fields: { icmp } }
}

/** Returns the fields of a packet that the oracle compares, as the inside of a JSON object. */
export function writePacket(packet: Packet): string {
  const { tcp, icmp, sport, dport, spi, fragmentOffset, moreFragments } = packet
  let text = `${writeEnds(packet)},"ttl":${packet.ttl},"tos":${packet.tos},"len":${packet.length}${packet.dontFragment ? ',"df":true' : ',"df":false'}`
  if (sport !== undefined) text += `,"sport":${sport}`
  if (dport !== undefined) text += `,"dport":${dport}`
  if (fragmentOffset > 0 || moreFragments) text += `,"frag":{"off":${fragmentOffset},"mf":${moreFragments}}`
  if (tcp && packet.malformed !== 'truncated') text += writeTcp(tcp)
  if (icmp) text += `,"icmpType":${icmp.type},"icmpCode":${icmp.code}`
  if (icmp?.id !== undefined) text += `,"icmpId":${icmp.id}`
  if (icmp?.inner) text += `,"inner":{${writePacket(icmp.inner)}}`
  return spi === undefined ? text : `${text},"spi":${spi}`
}

/** Flags and no MSS, for all combinations of flags. */
const TCP_TEXTS = Array.from({ length: 256 }, (_, flags) => `,"tcpFlags":${JSON.stringify(Object.entries(TCP_FLAG).filter(([, bit]) => flags & bit).map(([name]) => name))},"mss":`)

function writeTcp({ flags, mss }: TcpHeader): string {
  const text = TCP_TEXTS[flags & 255] ?? ''
  return mss === undefined ? `${text}null` : `${text}${mss}`
}

/** What addresses and a protocol have in common, whether of a packet or a tuple. */
interface Ends {
  readonly src: Address
  readonly dst: Address
  readonly protocol: number
}

const endTexts = new Map<Address, Map<Address, string[]>>()
let endsKnown = 0
/** So many pairs of addresses are remembered. */
const MOST_ENDS = 50_000

/** Returns addresses and protocol as the inside of a JSON object; flows have the same ones again and again. */
export function writeEnds({ src, dst, protocol }: Ends): string {
  return endTexts.get(src)?.get(dst)?.[protocol] ?? addEnds(src, dst, protocol)
}

function addEnds(src: Address, dst: Address, protocol: number): string {
  if (++endsKnown > MOST_ENDS) {
    endTexts.clear()
    endsKnown = 0
  }
  const ofSource = endTexts.get(src) ?? new Map<Address, string[]>()
  const ofBoth = ofSource.get(dst) ?? []
  const text = ['"src":"', writeAddress(src), '","dst":"', writeAddress(dst), '","proto":"', protocolName(protocol), '"'].join('')
  endTexts.set(src, ofSource.set(dst, ofBoth))
  ofBoth[protocol] = text
  return text
}

/** Returns the oracle's name of a protocol: a word or the number as text. */
export function protocolName(protocol: number): string {
  return NAMES[protocol] ?? String(protocol)
}

/** Tells whether a JSON value is an object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Returns the number, or the default for anything else. */
export function numberOr(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise
}

function addressOf(value: unknown): Address {
  return (typeof value === 'string' ? readAddress(value) : undefined) ?? 0
}

const NUMBERS: ReadonlyMap<unknown, number> = new Map(Object.entries(NAMES).map(([number, name]) => [name, Number(number)]))

function protocolOf(value: unknown): number {
  const known = NUMBERS.get(value)
  if (known !== undefined) return known
  if (typeof value === 'number') return value
  const text = String(value)
  return /^\d+$/.test(text) ? Number(text) : (protocolNumber(text === 'icmp6' ? 'icmpv6' : text) ?? 0)
}

const NO_BYTES = new Uint8Array()
const PATTERN = Uint8Array.from({ length: 65536 }, (_, index) => (index & 0x3f) + 0x40)

/** `payload` in hex, `payloadText`, or `payloadLen` bytes "@ABC...". */
function payloadOf(json: JsonObject): Uint8Array {
  if (typeof json['payload'] === 'string') return Uint8Array.from(json['payload'].match(/../g) ?? [], byte => Number.parseInt(byte, 16))
  if (typeof json['payloadText'] === 'string') return Uint8Array.from(json['payloadText'], character => character.charCodeAt(0))
  const length = numberOr(json['payloadLen'], 0)
  return length === 0 ? NO_BYTES : PATTERN.subarray(0, length)
}

function flagsOf(value: unknown): number {
  if (typeof value === 'number') return value
  const names: readonly unknown[] = Array.isArray(value) ? value : typeof value === 'string' ? value.split(/[,|]/) : []
  let bits = 0
  for (const name of names) bits |= FLAG_BITS.get(String(name)) ?? FLAG_BITS.get(String(name).toUpperCase()) ?? 0
  return bits
}

const NO_OPTIONS: readonly number[] = []

function optionKindsOf(value: unknown): readonly number[] {
  if (typeof value !== 'string') return NO_OPTIONS
  const bytes = (value.match(/../g) ?? []).map(byte => Number.parseInt(byte, 16))
  const kinds: number[] = []
  for (let at = 0; at < bytes.length; ) {
    const kind = bytes[at] ?? 0
    if (kind === 0) break
    if (kind !== 1) kinds.push(kind)
    at += kind === 1 ? 1 : Math.max(2, bytes[at + 1] ?? 2)
  }
  return kinds
}

function hexLength(value: unknown): number {
  return typeof value === 'string' ? value.length / 2 : 0
}

function packetTypeOf(dmac: string | undefined): PacketType {
  if (dmac === undefined) return 'unicast'
  if (dmac === 'ffffffffffff') return 'broadcast'
  return Number.parseInt(dmac.slice(0, 2), 16) & 1 ? 'multicast' : 'unicast'
}
