/** Tuples: one direction of a connection, and how packets and answers have them. */

import type { Address } from '../net/address.ts'
import { PROTOCOL } from '../net/protocol.ts'
import type { Packet } from '../packet/packet.ts'

/** 0 = original, 1 = reply. */
export type Direction = 0 | 1

/**
 * One direction of a connection. Protocols without ports have 0 in both. ICMP: `sport` is the id, `dport` is type * 256 + code.
 * Source: include/net/netfilter/nf_conntrack_tuple.h.
 */
export interface Tuple {
  readonly protocol: number
  readonly src: Address
  readonly dst: Address
  readonly sport: number
  readonly dport: number
}

const ICMP_REPLY_TYPE: Readonly<Record<number, number>> = { 8: 0, 0: 8, 13: 14, 14: 13, 15: 16, 16: 15, 17: 18, 18: 17 }
const ICMPV6_REPLY_TYPE: Readonly<Record<number, number>> = { 128: 129, 129: 128, 139: 140, 140: 139 }

/** Returns the tuple of a packet, undefined where its header is cut short or a later fragment's. */
export function tupleOf(packet: Packet): Tuple | undefined {
  if (packet.malformed === 'truncated') return undefined
  const { protocol, src, dst } = packet
  if (packet.icmp && (protocol === PROTOCOL.icmp || protocol === PROTOCOL.icmpv6)) {
    return { protocol, src, dst, sport: packet.icmp.id ?? 0, dport: packet.icmp.type * 256 + packet.icmp.code }
  }
  return { protocol, src, dst, sport: packet.sport ?? 0, dport: packet.dport ?? 0 }
}

/** Returns the tuple of the answer; undefined for an ICMP type that has none. Source: nf_conntrack_core.c nf_ct_invert_tuple(). */
export function invertTuple(tuple: Tuple): Tuple | undefined {
  const { protocol, src, dst, sport, dport } = tuple
  if (protocol !== PROTOCOL.icmp && protocol !== PROTOCOL.icmpv6) return { protocol, src: dst, dst: src, sport: dport, dport: sport }
  const type = (protocol === PROTOCOL.icmp ? ICMP_REPLY_TYPE : ICMPV6_REPLY_TYPE)[dport >> 8]
  return type === undefined ? undefined : { protocol, src: dst, dst: src, sport, dport: type * 256 + (dport & 255) }
}

/** Tells whether two tuples are equal. */
export function sameTuple(one: Tuple, other: Tuple): boolean {
  return one.src === other.src && one.dst === other.dst && one.sport === other.sport && one.dport === other.dport && one.protocol === other.protocol
}
