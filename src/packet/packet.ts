/** An IP packet with what the kernel knows of it: the header fields that rules can see, and the metadata of its sk_buff. */

import type { Address, Family } from '../net/address.ts'

/** TCP flag bits as they stand in the header's 14th byte (FIN lowest); ECE and CWR above. */
export const TCP_FLAG = { FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16, URG: 32, ECE: 64, CWR: 128 } as const

/** The TCP header's part of a packet. */
export interface TcpHeader {
  /** Flag bits, see `TCP_FLAG`. */
  readonly flags: number
  /** Sequence and acknowledgement number, 0..2^32-1. */
  readonly seq: number
  readonly ack: number
  readonly window: number
  /** Option kinds present, in order, without end and padding. */
  readonly optionKinds: readonly number[]
  /** The value of the MSS option in bytes, where present. */
  readonly mss?: number
}

/** The ICMP or ICMPv6 header's part of a packet. */
export interface IcmpHeader {
  readonly type: number
  readonly code: number
  /** Identifier and sequence number of an echo, timestamp, mask or information message. */
  readonly id?: number
  readonly sequence?: number
  /** Next-hop MTU in bytes of "fragmentation needed" and "packet too big". */
  readonly mtu?: number
  /** The packet that an error message quotes. */
  readonly inner?: Packet
}

/** The socket that made a packet on this host; a socket of the kernel itself (ICMP errors) has no owner. */
export interface PacketSocket {
  readonly uid?: number
  readonly gid?: number
}

/** How the frame that carried a packet was addressed (skb->pkt_type). */
export type PacketType = 'unicast' | 'broadcast' | 'multicast' | 'otherhost' | 'loopback'

/** A packet. Values are in host byte order; a field that this kind of packet does not have is absent. */
export interface Packet {
  readonly family: Family
  /** IP protocol number; IPv6: of the upper layer. */
  readonly protocol: number
  readonly src: Address
  readonly dst: Address
  /** TTL or hop limit. */
  readonly ttl: number
  /** TOS byte or traffic class. */
  readonly tos: number
  /** IP total length in bytes (IPv6: with its 40-byte header). */
  readonly length: number
  /** The IPv4 header's identification, where it is known. */
  readonly identification?: number
  /** The IPv6 header's flow label, where it is known. */
  readonly flowLabel?: number
  /** Bytes; 0 in what is no fragment and in a first fragment. */
  readonly fragmentOffset: number
  readonly moreFragments: boolean
  readonly dontFragment: boolean
  /** IP lengths of the fragments that it was put together from, or in which it leaves; absent where it is in one piece. */
  readonly pieces?: readonly number[]
  /** The datagram that a later fragment was cut from, where it is known. */
  readonly cutFrom?: Packet
  /** Ports of tcp, udp, udplite, sctp, dccp. */
  readonly sport?: number
  readonly dport?: number
  readonly tcp?: TcpHeader
  readonly icmp?: IcmpHeader
  /** Security parameter index of esp and ah. */
  readonly spi?: number
  /** First SCTP chunk type and verification tag; the tag that INIT and INIT ACK announce. */
  readonly sctp?: { readonly chunk: number; readonly vtag: number; readonly initTag?: number }
  /** GRE key, 0 where it has none. */
  readonly greKey?: number
  /** The transport header is cut short or its checksum is wrong: conntrack calls such a packet invalid. */
  readonly malformed?: 'truncated' | 'checksum'
  /** skb->mark, 0..2^32-1. */
  readonly mark: number
  /** skb->priority. */
  readonly priority: number
  readonly packetType: PacketType
  /** Source MAC address as 12 hex digits, where the packet came in a frame. */
  readonly macSource?: string
  readonly socket?: PacketSocket
  /** Bytes after the transport header, where they are known. */
  readonly payload?: Uint8Array
}

/** Returns a packet with usual values (ttl 64, tos 0, unfragmented, unicast) for all that is not given; `length` defaults to headers only. */
export function makePacket(fields: Pick<Packet, 'protocol' | 'src' | 'dst'> & Partial<Packet>): Packet {
  const family: Family = typeof fields.src === 'number' ? 'ipv4' : 'ipv6'
  return {
    family,
    ttl: 64,
    tos: 0,
    length: (family === 'ipv4' ? 20 : 40) + transportLength(fields) + (fields.payload?.length ?? 0),
    fragmentOffset: 0,
    moreFragments: false,
    dontFragment: false,
    mark: 0,
    priority: 0,
    packetType: 'unicast',
    ...fields,
  }
}

function transportLength(fields: Partial<Packet>): number {
  if (fields.tcp) return 20 + (fields.tcp.mss === undefined ? 0 : 4)
  return fields.sport !== undefined || fields.icmp ? 8 : 0
}
