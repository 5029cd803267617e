/** A packet as it lies in memory, from the IP header on: what matches that look at bytes (u32, string) read. */

import { PROTOCOL } from '../net/protocol.ts'
import type { Address } from '../net/address.ts'
import type { IcmpHeader, Packet, TcpHeader } from './packet.ts'

/** A byte, undefined where the packet's description does not say it (checksums, identifications, options). */
export type PacketByte = number | undefined

/** The bytes of a packet. */
export interface PacketBytes {
  readonly bytes: readonly PacketByte[]
  /** Nothing is known of what may follow the headers. */
  readonly isOpen: boolean
}

/** Returns the bytes of a packet, as many as its length says. */
export function packetBytes(packet: Packet): PacketBytes {
  const header = packet.family === 'ipv4' ? header4(packet) : header6(packet)
  if (packet.fragmentOffset > 0) return laterBytes(packet, header)
  const transport = transportBytes(packet)
  const payload: readonly PacketByte[] = packet.payload ? [...packet.payload] : []
  const gap = Math.max(0, packet.length - header.length - transport.length - payload.length)
  const isPadded = packet.protocol === PROTOCOL.tcp
  const body = isPadded ? [...transport, ...unknown(gap), ...payload] : [...transport, ...payload, ...unknown(gap)]
  return { bytes: [...header, ...body].slice(0, packet.length), isOpen: packet.payload === undefined && packet.icmp?.inner === undefined }
}

/** A later fragment: what it was cut from says what is in it. */
function laterBytes({ cutFrom, fragmentOffset, length, payload }: Packet, header: readonly PacketByte[]): PacketBytes {
  const size = length - header.length
  if (!cutFrom) return { bytes: [...header, ...unknown(size)], isOpen: payload === undefined }
  const whole = packetBytes(cutFrom)
  const start = (cutFrom.family === 'ipv4' ? 20 : 40) + fragmentOffset
  return { bytes: [...header, ...whole.bytes.slice(start, start + size)], isOpen: whole.isOpen }
}

function header4({ tos, length, identification, dontFragment, moreFragments, fragmentOffset, ttl, protocol, src, dst }: Packet): readonly PacketByte[] {
  const fragment = (dontFragment ? 0x4000 : 0) | (moreFragments ? 0x2000 : 0) | (fragmentOffset >> 3)
  const id = identification === undefined ? unknown(2) : word(identification)
  return [0x45, tos, ...word(length), ...id, ...word(fragment), ttl, protocol, ...unknown(2), ...addressBytes(src), ...addressBytes(dst)]
}

/** Protocol number of IPv6's fragment header. */
const FRAGMENT_HEADER = 44

function header6({ tos, flowLabel, length, ttl, protocol, src, dst, fragmentOffset, moreFragments, identification }: Packet): readonly PacketByte[] {
  const isFragment = fragmentOffset > 0 || moreFragments
  const id = identification === undefined ? unknown(4) : long(identification)
  const fragment = isFragment ? [protocol, 0, ...word(fragmentOffset | (moreFragments ? 1 : 0)), ...id] : []
  const label = flowLabel === undefined ? unknown(3) : [((tos & 15) << 4) | (flowLabel >> 16), ...word(flowLabel)]
  return [0x60 | (tos >> 4), ...label, ...word(length - 40), isFragment ? FRAGMENT_HEADER : protocol, ttl, ...addressBytes(src), ...addressBytes(dst), ...fragment]
}

function transportBytes(packet: Packet): readonly PacketByte[] {
  const ports = [...word(packet.sport ?? 0), ...word(packet.dport ?? 0)]
  if (packet.tcp) return tcpBytes(packet, packet.tcp)
  if (packet.icmp) return icmpBytes(packet.icmp)
  switch (packet.protocol) {
    case PROTOCOL.udp:
    case PROTOCOL.udplite:
      return [...ports, ...word(packet.length - (packet.family === 'ipv4' ? 20 : 40)), ...unknown(2)]
    case PROTOCOL.sctp:
      return [...ports, ...long(packet.sctp?.vtag ?? 0), ...unknown(4)]
    case PROTOCOL.dccp:
      return [...ports, ...unknown(12)]
    case PROTOCOL.esp:
      return [...long(packet.spi ?? 0), ...unknown(4)]
    case PROTOCOL.ah:
      return [...unknown(4), ...long(packet.spi ?? 0), ...unknown(16)]
    default:
      return []
  }
}

/** Options other than the segment size are not known by their bytes. */
function tcpBytes({ sport = 0, dport = 0, length, family, payload }: Packet, tcp: TcpHeader): readonly PacketByte[] {
  const size = length - (family === 'ipv4' ? 20 : 40) - (payload?.length ?? 0)
  const mss = tcp.mss !== undefined && tcp.optionKinds.length === 1 ? [2, 4, ...word(tcp.mss)] : []
  const offset = payload ? ((size >> 2) << 4) & 0xf0 : undefined
  return [...word(sport), ...word(dport), ...long(tcp.seq), ...long(tcp.ack), offset, tcp.flags, ...word(tcp.window), ...unknown(2), 0, 0, ...mss]
}

function icmpBytes({ type, code, id, sequence, inner, mtu = 0 }: IcmpHeader): readonly PacketByte[] {
  const rest = inner ? long(mtu) : [...word(id ?? 0), ...word(sequence ?? 0)]
  return [type, code, ...unknown(2), ...rest, ...(inner ? packetBytes(inner).bytes : [])]
}

function addressBytes(address: Address): readonly number[] {
  if (typeof address === 'number') return long(address)
  return Array.from({ length: 16 }, (_, index) => Number((address >> BigInt(120 - 8 * index)) & 0xffn))
}

function word(value: number): readonly number[] {
  return [(value >> 8) & 255, value & 255]
}

function long(value: number): readonly number[] {
  return [...word(value >>> 16), ...word(value & 0xffff)]
}

function unknown(count: number): readonly undefined[] {
  return Array.from({ length: Math.max(0, count) }, () => undefined)
}
