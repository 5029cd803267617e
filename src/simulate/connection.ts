/** Connections as conntrack stores them: two tuples, status bits, and the table that finds a connection by either tuple. */

import { CT_STATUS } from '../meaning/fields.ts'
import type { ConnectionView } from '../meaning/subject.ts'
import type { Address } from '../net/address.ts'
import { PROTOCOL } from '../net/protocol.ts'
import type { Packet } from '../packet/packet.ts'
import type { TcpTracking } from './tcp-window.ts'

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

/** A conntrack zone and the directions it counts in. Source: net/netfilter/xt_CT.c; nf_conntrack_zones.h. */
export interface Zone {
  readonly id: number
  readonly direction: 'both' | 'original' | 'reply'
}

/** The zone of packets that no CT rule gave one. */
export const DEFAULT_ZONE: Zone = { id: 0, direction: 'both' }

/** A connection; conntrack and nat change it. */
export interface Connection {
  readonly original: Tuple
  reply: Tuple
  readonly zone: Zone
  /** Bits of `CT_STATUS`. */
  status: number
  mark: number
  /** In milliseconds of the world's clock. */
  expiresAt: number
  /** Removed from the table, or to be removed: it is never found again. */
  dying: boolean
  readonly startedAt: number
  tcp?: TcpTracking
  sctp?: number
  /** The device that MASQUERADE took the address of. */
  masqueradeDevice?: string
}

/** All confirmed connections of a namespace, by the text of both tuples. */
export interface ConnectionTable {
  readonly byTuple: Map<string, { readonly connection: Connection; readonly direction: Direction }>
  readonly all: Set<Connection>
}

/** Returns an empty table. */
export function makeConnectionTable(): ConnectionTable {
  return { byTuple: new Map(), all: new Set() }
}

/** Returns the text under which a tuple is found; the zone's id counts where the zone counts in that direction. */
export function tupleKey(tuple: Tuple, zone: Zone, direction: Direction): string {
  const inZone = zone.direction === 'both' || zone.direction === (direction === 0 ? 'original' : 'reply')
  return `${tuple.protocol} ${tuple.src} ${tuple.sport} ${tuple.dst} ${tuple.dport} ${inZone ? zone.id : 0}`
}

/** Returns the connection that a packet of this tuple belongs to. Source: nf_conntrack_core.c resolve_normal_ct(). */
export function findConnection(table: ConnectionTable, tuple: Tuple, zone: Zone, now: number) {
  const found = table.byTuple.get(tupleKey(tuple, zone, 0)) ?? (zone.direction === 'both' ? undefined : table.byTuple.get(tupleKey(tuple, zone, 1)))
  if (!found) return undefined
  if (found.connection.expiresAt > now) return found
  removeConnection(table, found.connection)
  return undefined
}

/** Enters a connection under both its tuples. */
export function addConnection(table: ConnectionTable, connection: Connection): void {
  connection.status |= CT_STATUS.CONFIRMED
  table.byTuple.set(tupleKey(connection.original, connection.zone, 0), { connection, direction: 0 })
  table.byTuple.set(tupleKey(connection.reply, connection.zone, 1), { connection, direction: 1 })
  table.all.add(connection)
}

/** Takes a connection out of the table; packets that carry it keep it. */
export function removeConnection(table: ConnectionTable, connection: Connection): void {
  connection.dying = true
  if (!table.all.delete(connection)) return
  table.byTuple.delete(tupleKey(connection.original, connection.zone, 0))
  table.byTuple.delete(tupleKey(connection.reply, connection.zone, 1))
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

/** Returns what matches and traces see of a connection; it follows later changes. */
export function viewOf(connection: Connection, direction: Direction, now: number): ConnectionView {
  return {
    protocol: connection.original.protocol,
    original: connection.original,
    get reply() {
      return connection.reply
    },
    get status() {
      return connection.status
    },
    direction,
    get mark() {
      return connection.mark
    },
    get expires() {
      return Math.max(0, Math.floor((connection.expiresAt - now) / 1000))
    },
  }
}
