/** Ethernet frames: a packet -> the bytes on a wire, its checksums right, and such bytes -> the packet's header fields. */

import { PROTOCOL } from '../net/protocol.ts'
import type { Address } from '../net/address.ts'
import { packetBytes } from './packet-bytes.ts'
import { makePacket } from './packet.ts'
import type { Packet, TcpHeader } from './packet.ts'

/** A packet in its frame. MAC addresses are 12 hex digits. */
export interface Frame {
  readonly macDestination: string
  readonly macSource: string
  readonly packet: Packet
}

const ETHERTYPE = { ipv4: 0x0800, ipv6: 0x86dd } as const
const ETHERNET_BYTES = 14

/** Where the checksum lies in the transport header. */
const CHECKSUM_AT: Readonly<Record<number, number>> = { 1: 2, 6: 16, 17: 6, 58: 2, 136: 6 }

/** Returns a frame's bytes. What the packet's description leaves open (identification, padding, options) is zero. Fragments keep their bytes without a checksum. */
export function writeFrame({ macDestination, macSource, packet }: Frame): Uint8Array {
  const type = ETHERTYPE[packet.family]
  return Uint8Array.from([...hexBytes(macDestination), ...hexBytes(macSource), type >> 8, type & 255, ...ipBytes(packet)])
}

/** Reads a frame; undefined where it carries no IP packet, or one whose headers are cut short. */
export function readFrame(bytes: Uint8Array): Frame | undefined {
  if (bytes.length < ETHERNET_BYTES) return undefined
  const type = wordAt(bytes, 12)
  if (type !== ETHERTYPE.ipv4 && type !== ETHERTYPE.ipv6) return undefined
  const packet = readIp(bytes.subarray(ETHERNET_BYTES))
  return packet && { macDestination: hexOf(bytes.subarray(0, 6)), macSource: hexOf(bytes.subarray(6, 12)), packet }
}

function ipBytes(packet: Packet): readonly number[] {
  const quoted = packet.icmp?.inner
  const bytes = packetBytes(packet).bytes.map(byte => byte ?? 0)
  const header = packet.family === 'ipv4' ? 20 : 40
  if (packet.family === 'ipv4') bytes.splice(10, 2, ...pair(checksum(bytes.slice(0, 20))))
  else bytes.splice(1, 1, (packet.tos & 15) << 4)
  if (packet.protocol === PROTOCOL.tcp) bytes[header + 12] = tcpOffset(packet) << 2
  if (quoted) bytes.splice(header + 8, bytes.length, ...ipBytes(quoted).slice(0, Math.max(0, packet.length - header - 8)))
  const at = CHECKSUM_AT[packet.protocol]
  if (at !== undefined && packet.fragmentOffset === 0 && !packet.moreFragments && bytes.length >= header + at + 2) {
    bytes.splice(header + at, 2, 0, 0)
    const pseudo = packet.protocol === PROTOCOL.icmp ? [] : pseudoHeader(bytes, packet, bytes.length - header)
    const sum = checksum([...pseudo, ...bytes.slice(header)])
    bytes.splice(header + at, 2, ...pair(packet.malformed === 'checksum' ? sum ^ 0x5555 : sum === 0 ? 0xffff : sum))
  }
  return bytes
}

/** Bytes of the TCP header with its options, which fill all that is neither header nor payload. */
function tcpOffset({ length, family, payload }: Packet): number {
  return Math.min(60, length - (family === 'ipv4' ? 20 : 40) - (payload?.length ?? 0)) & ~3
}

/** Source: RFC 9293 3.1, RFC 8200 8.1. */
function pseudoHeader(bytes: readonly number[], { family, protocol }: Packet, length: number): readonly number[] {
  return family === 'ipv4' ? [...bytes.slice(12, 20), 0, protocol, ...pair(length)] : [...bytes.slice(8, 40), 0, 0, ...pair(length), 0, 0, 0, protocol]
}

/** The internet checksum. Source: RFC 1071; the bytes of the field itself count as zero. */
function checksum(bytes: readonly number[]): number {
  let sum = 0
  for (let index = 0; index < bytes.length; index += 2) sum += ((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

function readIp(bytes: Uint8Array): Packet | undefined {
  const version = (bytes[0] ?? 0) >> 4
  if (version === 4 && bytes.length >= 20) {
    const header = ((bytes[0] ?? 0) & 15) * 4
    const fragment = wordAt(bytes, 6)
    return readTransport(bytes.subarray(header), {
      protocol: bytes[9] ?? 0, src: longAt(bytes, 12), dst: longAt(bytes, 16), ttl: bytes[8] ?? 0, tos: bytes[1] ?? 0, length: wordAt(bytes, 2),
      fragmentOffset: (fragment & 0x1fff) << 3, moreFragments: (fragment & 0x2000) !== 0, dontFragment: (fragment & 0x4000) !== 0,
    })
  }
  if (version !== 6 || bytes.length < 40) return undefined
  const tos = (((bytes[0] ?? 0) & 15) << 4) | ((bytes[1] ?? 0) >> 4)
  return readTransport(bytes.subarray(40), { protocol: bytes[6] ?? 0, src: address6(bytes, 8), dst: address6(bytes, 24), ttl: bytes[7] ?? 0, tos, length: wordAt(bytes, 4) + 40 })
}

type IpFields = Pick<Packet, 'protocol' | 'src' | 'dst' | 'ttl' | 'tos' | 'length'> & Partial<Packet>

function readTransport(bytes: Uint8Array, ip: IpFields): Packet {
  if ((ip.fragmentOffset ?? 0) > 0) return makePacket(ip)
  const { protocol } = ip
  const hasPorts = [PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.udplite, PROTOCOL.sctp, PROTOCOL.dccp].some(one => one === protocol)
  if (hasPorts && bytes.length >= 4) {
    const ports = { sport: wordAt(bytes, 0), dport: wordAt(bytes, 2) }
    return makePacket({ ...ip, ...ports, ...(protocol === PROTOCOL.tcp && bytes.length >= 20 ? { tcp: readTcp(bytes) } : {}) })
  }
  if ((protocol === PROTOCOL.icmp || protocol === PROTOCOL.icmpv6) && bytes.length >= 8) return makePacket({ ...ip, icmp: readIcmp(bytes, protocol) })
  return makePacket(ip)
}

function readTcp(bytes: Uint8Array): TcpHeader {
  const header = { flags: bytes[13] ?? 0, seq: longAt(bytes, 4), ack: longAt(bytes, 8), window: wordAt(bytes, 14) }
  const kinds: number[] = []
  let mss: number | undefined
  const end = ((bytes[12] ?? 0) >> 4) * 4
  for (let at = 20; at < end && bytes[at] !== 0; at += bytes[at] === 1 ? 1 : Math.max(2, bytes[at + 1] ?? 2)) {
    const kind = bytes[at] ?? 0
    if (kind === 2) mss = wordAt(bytes, at + 2)
    if (kind > 1) kinds.push(kind)
  }
  return { ...header, optionKinds: kinds, ...(mss === undefined ? {} : { mss }) }
}

/** An error message quotes a packet; its types are below 128 in ICMPv6. */
function readIcmp(bytes: Uint8Array, protocol: number): NonNullable<Packet['icmp']> {
  const [type = 0, code = 0] = bytes
  const isError = protocol === PROTOCOL.icmp ? [3, 4, 5, 11, 12].includes(type) : type < 128
  if (!isError) return { type, code, id: wordAt(bytes, 4), sequence: wordAt(bytes, 6) }
  const inner = readIp(bytes.subarray(8))
  return { type, code, ...(inner ? { inner } : {}) }
}

function address6(bytes: Uint8Array, at: number): Address {
  return BigInt(`0x${hexOf(bytes.subarray(at, at + 16))}`)
}

function wordAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
}

function longAt(bytes: Uint8Array, at: number): number {
  return ((wordAt(bytes, at) << 16) | wordAt(bytes, at + 2)) >>> 0
}

function pair(value: number): readonly [number, number] {
  return [(value >> 8) & 255, value & 255]
}

function hexBytes(text: string): readonly number[] {
  return (text.match(/../g) ?? []).map(digits => Number.parseInt(digits, 16))
}

function hexOf(bytes: Uint8Array): string {
  return [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join('')
}
