/** Connections as conntrack stores them: two tuples, status bits, and the table that finds a connection by either tuple. */

import { CT_STATUS } from '../meaning/fields.ts'
import type { ConnectionView, ConnectionWatch } from '../meaning/subject.ts'
import type { Address } from '../net/address.ts'
import type { SctpTracking } from './sctp-state.ts'
import type { TcpTracking } from './tcp-window.ts'
import { sameTuple } from './tuple.ts'
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
  /** What matches see of it, by direction; made by `viewOf`. */
  readonly views: [ConnectionView | undefined, ConnectionView | undefined]
}

/** A connection as found by one of its tuples. */
export interface TableEntry {
  readonly connection: Connection
  readonly direction: Direction
}

/** All confirmed connections of a namespace, by a hash of both tuples. */
export interface ConnectionTable {
  readonly byHash: Map<number, TableEntry[]>
  readonly all: Set<Connection>
}

/** Returns an empty table. */
export function makeConnectionTable(): ConnectionTable {
  return { byHash: new Map(), all: new Set() }
}

/** Returns the newest entry that has this tuple, looked for in one direction of the zone: its id counts where the zone counts in that direction. */
export function lookupTuple(table: ConnectionTable, tuple: Tuple, zone: Zone, direction: Direction): TableEntry | undefined {
  const entries = table.byHash.get(hashOf(tuple))
  if (!entries) return undefined
  const id = zoneIn(zone, direction)
  return entries.findLast(({ connection, direction: stored }) => zoneIn(connection.zone, stored) === id && sameTuple(stored === 0 ? connection.original : connection.reply, tuple))
}

/** Returns the connection that a packet of this tuple belongs to. Source: nf_conntrack_core.c resolve_normal_ct(). */
export function findConnection(table: ConnectionTable, tuple: Tuple, zone: Zone, now: number): TableEntry | undefined {
  const found = lookupTuple(table, tuple, zone, 0) ?? (zone.direction === 'both' ? undefined : lookupTuple(table, tuple, zone, 1))
  if (!found) return undefined
  if (found.connection.expiresAt > now) return found
  removeConnection(table, found.connection)
  return undefined
}

function zoneIn(zone: Zone, direction: Direction): number {
  return zone.direction === 'both' || zone.direction === (direction === 0 ? 'original' : 'reply') ? zone.id : 0
}

function hashOf({ protocol, src, dst, sport, dport }: Tuple): number {
  const addresses = typeof src === 'number' && typeof dst === 'number' ? Math.imul(src, 0x9e3779b1) ^ Math.imul(dst, 0x85ebca6b) : foldAddress(src) ^ Math.imul(foldAddress(dst), 0x85ebca6b)
  return Math.imul(addresses ^ (sport * 65536 + dport), 0xc2b2ae35) ^ protocol
}

function foldAddress(address: Address): number {
  return Number(BigInt.asIntN(32, BigInt(address) ^ (BigInt(address) >> 32n) ^ (BigInt(address) >> 64n) ^ (BigInt(address) >> 96n)))
}

/**
 * Returns what conntrack has of a packet's tuple; `tracked` is the packet's own connection, which may have left the table already. Kernel: a
 * packet that conntrack has not seen yet counts by its own tuple, be it the connection's reply; zones do not keep
 * equal tuples apart (`nf_ct_zone_equal(found_ct, zone, zone->dir)` takes a mask for a direction).
 * Source: net/netfilter/nf_conncount.c get_ct_or_tuple_from_skb(), find_or_evict(), already_closed().
 */
export function watchConnection(table: ConnectionTable, { tracked, tuple, zone: asked }: { readonly tracked: Connection | undefined; readonly tuple: Tuple | undefined; readonly zone: Zone | undefined }, world: { readonly now: number; readonly moment: number }): ConnectionWatch {
  const { moment } = world
  const first = tracked?.original ?? tuple
  if (!first) return { key: '', isConfirmed: false, isAssured: false, state: () => 'gone', moment }
  const zone = tracked?.zone ?? asked ?? DEFAULT_ZONE
  const look = (of: Tuple): Connection | undefined => {
    const found = lookupTuple(table, of, zone, 0) ?? lookupTuple(table, of, zone, 1)
    return found && found.connection.expiresAt > world.now ? found.connection : undefined
  }
  const status = (tracked ?? look(first))?.status ?? 0
  return {
    moment,
    key: `${first.protocol} ${first.src} ${first.sport} ${first.dst} ${first.dport}`,
    isConfirmed: (status & CT_STATUS.CONFIRMED) !== 0,
    isAssured: (status & CT_STATUS.ASSURED) !== 0,
    state() {
      const found = look(first)
      if (!found) return 'gone'
      return found.tcp?.state === 'TIME_WAIT' || found.tcp?.state === 'CLOSE' ? 'closed' : 'open'
    },
  }
}

/** Enters a connection under both its tuples. */
export function addConnection(table: ConnectionTable, connection: Connection): void {
  connection.status |= CT_STATUS.CONFIRMED
  enter(table, connection.original, { connection, direction: 0 })
  enter(table, connection.reply, { connection, direction: 1 })
  table.all.add(connection)
}

/** Takes a connection out of the table; packets that carry it keep it. */
export function removeConnection(table: ConnectionTable, connection: Connection): void {
  connection.dying = true
  if (!table.all.delete(connection)) return
  leave(table, connection.original, connection)
  leave(table, connection.reply, connection)
}

function enter(table: ConnectionTable, tuple: Tuple, entry: TableEntry): void {
  const hash = hashOf(tuple)
  const entries = table.byHash.get(hash)
  if (entries) entries.push(entry)
  else table.byHash.set(hash, [entry])
}

function leave(table: ConnectionTable, tuple: Tuple, connection: Connection): void {
  const hash = hashOf(tuple)
  table.byHash.set(hash, (table.byHash.get(hash) ?? []).filter(entry => entry.connection !== connection))
}

/** Returns what matches and traces see of a connection; it follows later changes. One view serves all packets of a direction. */
export function viewOf(connection: Connection, direction: Direction, clock: { readonly now: number }): ConnectionView {
  connection.views[direction] ??= makeView(connection, direction, clock)
  return connection.views[direction]
}

interface LiveView extends ConnectionView {
  connection: Connection
  direction: Direction
  clock: { readonly now: number }
}

/** What all views have in common: an object with getters of its own takes too long to make. */
const VIEW: Omit<ConnectionView, 'direction'> & ThisType<LiveView> = {
  get protocol() {
    return this.connection.original.protocol
  },
  get original() {
    return this.connection.original
  },
  get reply() {
    return this.connection.reply
  },
  get status() {
    return this.connection.status
  },
  get mark() {
    return this.connection.mark
  },
  get expires() {
    return Math.max(0, Math.floor((this.connection.expiresAt - this.clock.now) / 1000))
  },
}

function makeView(connection: Connection, direction: Direction, clock: { readonly now: number }): ConnectionView {
  const view: LiveView = Object.create(VIEW)
  view.connection = connection
  view.direction = direction
  view.clock = clock
  return view
}
