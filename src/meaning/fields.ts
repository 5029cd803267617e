/** The fields that predicates speak of: one row each with width, reading and words. A new field is a new row. */

import { PROTOCOL } from '../net/protocol.ts'
import type { Packet } from '../packet/packet.ts'
import type { Subject } from './subject.ts'

/** A number field's value: number up to 32 bits, bigint for IPv6 addresses. */
export type FieldValue = number | bigint

/** How a number field is read and said. */
export interface FieldRow {
  /** Width in bits; 'address' is 32 or 128 by family. */
  readonly width: number | 'address'
  /** Reads the value; undefined where the packet has no such field. */
  readonly read: (subject: Subject) => FieldValue | undefined
  /** What a sentence calls it. */
  readonly words: string
  /** How a value is said; plain number where absent. */
  readonly value?: 'address' | 'protocol' | 'port' | 'hex' | 'tcpFlags' | 'ctState' | 'ctStatus' | 'ctDirection' | 'addressType' | 'mac' | 'seconds' | 'packetType'
}

const packetField = (width: number | 'address', words: string, read: (packet: Packet) => FieldValue | undefined, value?: FieldRow['value']): FieldRow => ({
  width,
  words,
  read: subject => read(subject.packet),
  ...(value ? { value } : {}),
})

const portField = (words: string, read: (packet: Packet) => number | undefined): FieldRow => packetField(16, words, read, 'port')

/** All number fields. Units: ports and numbers in host byte order, lengths in bytes. */
export const FIELDS = {
  'ip.src': packetField('address', 'source address', packet => packet.src, 'address'),
  'ip.dst': packetField('address', 'destination address', packet => packet.dst, 'address'),
  'ip.protocol': packetField(8, 'protocol', packet => packet.protocol, 'protocol'),
  'ip.ttl': packetField(8, 'ttl', packet => packet.ttl),
  'ip.tos': packetField(8, 'tos', packet => packet.tos, 'hex'),
  'ip.length': packetField(16, 'packet length', packet => packet.length),
  'ip.fragmentOffset': packetField(16, 'fragment offset', packet => packet.fragmentOffset),
  /** 1 where another fragment follows. */
  'ip.moreFragments': packetField(1, 'more fragments', packet => (packet.moreFragments ? 1 : 0)),
  'l4.sport': portField('source port', packet => (packet.fragmentOffset === 0 ? packet.sport : undefined)),
  'l4.dport': portField('destination port', packet => (packet.fragmentOffset === 0 ? packet.dport : undefined)),
  'l4.spi': packetField(32, 'security parameter index', packet => (packet.fragmentOffset === 0 ? packet.spi : undefined), 'hex'),
  'tcp.flags': packetField(8, 'TCP flags', packet => packet.tcp?.flags, 'tcpFlags'),
  /** Bit n is set where the header has an option of kind n. */
  'tcp.options': packetField(256, 'TCP options', packet => packet.tcp?.optionKinds.reduce((bits, kind) => bits | (1n << BigInt(kind)), 0n)),
  'tcp.mss': packetField(16, 'TCP MSS', packet => packet.tcp?.mss),
  'icmp.type': packetField(8, 'ICMP type', packet => (packet.protocol === PROTOCOL.icmp ? packet.icmp?.type : undefined)),
  'icmp.code': packetField(8, 'ICMP code', packet => (packet.protocol === PROTOCOL.icmp ? packet.icmp?.code : undefined)),
  'icmp6.type': packetField(8, 'ICMPv6 type', packet => (packet.protocol === PROTOCOL.icmpv6 ? packet.icmp?.type : undefined)),
  'icmp6.code': packetField(8, 'ICMPv6 code', packet => (packet.protocol === PROTOCOL.icmpv6 ? packet.icmp?.code : undefined)),
  'mac.src': packetField(48, 'source MAC', packet => (packet.macSource === undefined ? undefined : BigInt(`0x${packet.macSource}`)), 'mac'),
  /** One of `PACKET_TYPE`. */
  packetType: packetField(3, 'packet type', packet => PACKET_TYPE[packet.packetType], 'packetType'),
  mark: packetField(32, 'mark', packet => packet.mark, 'hex'),
  'socket.uid': packetField(32, 'socket owner', packet => packet.socket?.uid),
  'socket.gid': packetField(32, 'socket group', packet => packet.socket?.gid),
  /** 1 where a full socket of this host made the packet, 0 elsewhere. */
  'socket.exists': packetField(1, 'socket', packet => (packet.socket ? 1 : 0)),
  /** Bits, see `CT_STATE`. */
  'ct.state': { width: 7, words: 'connection state', read: subject => subject.ctState, value: 'ctState' },
  /** Bits of nf_conn->status, see `CT_STATUS`. */
  'ct.status': { width: 16, words: 'connection status', read: subject => subject.connection?.status, value: 'ctStatus' },
  /** 0 = original, 1 = reply. */
  'ct.direction': { width: 1, words: 'connection direction', read: subject => subject.connection?.direction, value: 'ctDirection' },
  'ct.mark': { width: 32, words: 'connection mark', read: subject => subject.connection?.mark, value: 'hex' },
  /** Seconds until the connection times out. */
  'ct.expires': { width: 32, words: 'connection expiry', read: subject => subject.connection?.expires, value: 'seconds' },
  'ct.protocol': { width: 8, words: "connection's protocol", read: subject => subject.connection?.protocol, value: 'protocol' },
  'ct.original.src': { width: 'address', words: "connection's original source", read: subject => subject.connection?.original.src, value: 'address' },
  'ct.original.dst': { width: 'address', words: "connection's original destination", read: subject => subject.connection?.original.dst, value: 'address' },
  'ct.original.sport': { width: 16, words: "connection's original source port", read: subject => subject.connection?.original.sport, value: 'port' },
  'ct.original.dport': { width: 16, words: "connection's original destination port", read: subject => subject.connection?.original.dport, value: 'port' },
  'ct.reply.src': { width: 'address', words: "connection's reply source", read: subject => subject.connection?.reply.src, value: 'address' },
  'ct.reply.dst': { width: 'address', words: "connection's reply destination", read: subject => subject.connection?.reply.dst, value: 'address' },
  'ct.reply.sport': { width: 16, words: "connection's reply source port", read: subject => subject.connection?.reply.sport, value: 'port' },
  'ct.reply.dport': { width: 16, words: "connection's reply destination port", read: subject => subject.connection?.reply.dport, value: 'port' },
  /** One bit of `ADDRESS_TYPE`; the plain one asks the whole routing table, `.in` and `.out` only what is on that device. */
  'addressType.src': { width: 12, words: 'source address type', read: subject => subject.addressType(subject.packet.src, 'any'), value: 'addressType' },
  'addressType.dst': { width: 12, words: 'destination address type', read: subject => subject.addressType(subject.packet.dst, 'any'), value: 'addressType' },
  'addressType.src.in': { width: 12, words: 'source address type on the input device', read: subject => subject.addressType(subject.packet.src, 'in'), value: 'addressType' },
  'addressType.dst.in': { width: 12, words: 'destination address type on the input device', read: subject => subject.addressType(subject.packet.dst, 'in'), value: 'addressType' },
  'addressType.src.out': { width: 12, words: 'source address type on the output device', read: subject => subject.addressType(subject.packet.src, 'out'), value: 'addressType' },
  'addressType.dst.out': { width: 12, words: 'destination address type on the output device', read: subject => subject.addressType(subject.packet.dst, 'out'), value: 'addressType' },
  /** 1 where the packet crosses a bridge rather than being routed onto it. */
  'bridge.forwarded': { width: 1, words: 'bridged', read: subject => (subject.bridged ? 1 : 0) },
} as const satisfies Record<string, FieldRow>

/** The name of a number field. */
export type NumberField = keyof typeof FIELDS

/** Device fields and how a subject holds them; no device is ''. */
export const DEVICE_FIELDS = {
  'device.in': { words: 'input device', read: (subject: Subject) => subject.inDevice },
  'device.out': { words: 'output device', read: (subject: Subject) => subject.outDevice },
  'bridge.in': { words: 'bridge port of arrival', read: (subject: Subject) => subject.bridgeIn },
  'bridge.out': { words: 'bridge port of departure', read: (subject: Subject) => subject.bridgeOut },
} as const

/** The name of a device field. */
export type DeviceField = keyof typeof DEVICE_FIELDS

/** Returns the row of a number field. */
export function fieldRow(field: NumberField): FieldRow {
  return FIELDS[field]
}

/** How the frame was addressed, by skb->pkt_type. Source: include/uapi/linux/if_packet.h. */
export const PACKET_TYPE = { unicast: 0, broadcast: 1, multicast: 2, otherhost: 3, loopback: 5 } as const

/** Connection states as bits; several may hold (SNAT and DNAT beside one of the others). */
export const CT_STATE = { INVALID: 1, NEW: 2, ESTABLISHED: 4, RELATED: 8, UNTRACKED: 16, SNAT: 32, DNAT: 64 } as const

/** Connection status bits. Source: include/uapi/linux/netfilter/nf_conntrack_common.h enum ip_conntrack_status. */
export const CT_STATUS = { EXPECTED: 1, SEEN_REPLY: 2, ASSURED: 4, CONFIRMED: 8, SRC_NAT: 16, DST_NAT: 32, SRC_NAT_DONE: 128, DST_NAT_DONE: 256 } as const

/** Address types as bits 1 << RTN_*. Source: include/uapi/linux/rtnetlink.h. */
export const ADDRESS_TYPE = {
  UNSPEC: 1, UNICAST: 2, LOCAL: 4, BROADCAST: 8, ANYCAST: 16, MULTICAST: 32, BLACKHOLE: 64, UNREACHABLE: 128, PROHIBIT: 256, THROW: 512, NAT: 1024, XRESOLVE: 2048,
} as const
