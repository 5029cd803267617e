/** Connections as conntrack stores them: two tuples, status bits, and the table that finds a connection by either tuple. */

import { CT_STATUS } from '../meaning/fields.ts'
import type { ConnectionView, ConnectionWatch } from '../meaning/subject.ts'
import type { SctpTracking } from './sctp-state.ts'
import type { TcpTracking } from './tcp-window.ts'
import type { Direction, Tuple } from './tuple.ts'

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
  sctp?: SctpTracking
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

/** Returns what conntrack has of a tuple. Source: net/netfilter/nf_conncount.c get_ct_or_tuple_from_skb(), find_or_evict(), already_closed(). */
export function watchConnection(table: ConnectionTable, tuple: Tuple | undefined, zone: Zone, world: { readonly now: number; readonly moment: number }): ConnectionWatch {
  const { moment } = world
  if (!tuple) return { key: '', isConfirmed: false, isOpen: () => false, moment }
  const look = (of: Tuple): Connection | undefined => {
    const found = table.byTuple.get(tupleKey(of, zone, 0)) ?? table.byTuple.get(tupleKey(of, zone, 1))
    return found && found.connection.expiresAt > world.now ? found.connection : undefined
  }
  const known = look(tuple)
  const original = known?.original ?? tuple
  return {
    moment,
    key: tupleKey(original, zone, 0),
    isConfirmed: known !== undefined,
    isOpen() {
      const found = look(original)
      return found !== undefined && found.tcp?.state !== 'TIME_WAIT' && found.tcp?.state !== 'CLOSE'
    },
  }
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
