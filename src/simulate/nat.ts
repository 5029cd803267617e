/** Gives connections their translation: the one place where new tuples are chosen. Source: net/netfilter/nf_nat_core.c. */

import { CT_STATUS } from '../meaning/fields.ts'
import { PROTOCOL } from '../net/protocol.ts'
import type { Address } from '../net/address.ts'
import type { NumberRange } from '../net/ranges.ts'
import { lookupTuple } from './connection.ts'
import type { Connection } from './connection.ts'
import { refreshState } from './flight.ts'
import type { Flight } from './flight.ts'
import { pickAddress } from './nat-address.ts'
import type { NatRange, NatSide } from './nat-range.ts'
import type { NatBinding } from './trace-events.ts'
import { invertTuple, sameTuple } from './tuple.ts'
import type { Tuple } from './tuple.ts'

/** Tells whether the connection has had its turn on this side. */
export function isNatDone(connection: Connection, side: NatSide): boolean {
  return (connection.status & (side === 'source' ? CT_STATUS.SRC_NAT_DONE : CT_STATUS.DST_NAT_DONE)) !== 0
}

/** Chooses the translation of one side and notes it in the connection. Source: nf_nat_setup_info(). */
export function setUpBinding(flight: Flight, connection: Connection, side: NatSide, range: NatRange): NatBinding | undefined {
  if (connection.status & CT_STATUS.CONFIRMED) return undefined
  const current = invertTuple(connection.reply)
  if (!current) return undefined
  const chosen = uniqueTuple(flight, connection, current, side, range)
  const hasChanged = !sameTuple(chosen.tuple, current)
  if (hasChanged) {
    connection.reply = invertTuple(chosen.tuple) ?? connection.reply
    connection.status |= side === 'source' ? CT_STATUS.SRC_NAT : CT_STATUS.DST_NAT
  }
  connection.status |= side === 'source' ? CT_STATUS.SRC_NAT_DONE : CT_STATUS.DST_NAT_DONE
  refreshState(flight)
  if (!hasChanged) return undefined
  const { tuple } = chosen
  return {
    side,
    address: side === 'source' ? tuple.src : tuple.dst,
    ...(hasPorts(tuple.protocol) ? { port: side === 'source' ? tuple.sport : tuple.dport } : {}),
    ...(chosen.choice ? { choice: chosen.choice } : {}),
  }
}

/** Gives a connection that no rule translates its null binding: only a clash of tuples changes its port. Source: nf_nat_alloc_null_binding(). */
export function setUpNullBinding(flight: Flight, connection: Connection, side: NatSide): NatBinding | undefined {
  const address = side === 'source' ? connection.reply.dst : connection.reply.src
  return setUpBinding(flight, connection, side, { addresses: { low: address, high: address }, random: false, persistent: false })
}

interface Chosen {
  readonly tuple: Tuple
  readonly choice?: NonNullable<NatBinding['choice']>
}

/** Source: get_unique_tuple(). */
function uniqueTuple(flight: Flight, connection: Connection, original: Tuple, side: NatSide, range: NatRange): Chosen {
  if (side === 'source' && !range.random) {
    if (isInRange(original, range)) {
      if (!isTaken(flight, connection, original)) return { tuple: original }
    } else {
      const known = mappingOfSource(flight, connection, original, range)
      if (known && !isTaken(flight, connection, known)) return { tuple: known }
    }
  }
  const tuple = withAddress(original, side, pickAddress(original, side, range, connection.zone.id))
  if (!range.random) {
    if (!range.ports) {
      if (!isTaken(flight, connection, tuple)) return { tuple }
    } else if (range.ports.base === undefined && isPortInRange(tuple, side, range.ports)) {
      if (range.ports.low === range.ports.high || !isTaken(flight, connection, tuple)) return { tuple }
    }
  }
  return uniquePort(flight, connection, tuple, side, range)
}

/**
 * Source: nf_nat_l4proto_unique_tuple(). Kernel: a source port is searched from a random one on, a destination port from the first
 * of its range. Where the kernel draws by lot the world may know what it drew; else the first free port is taken.
 */
function uniquePort(flight: Flight, connection: Connection, tuple: Tuple, side: NatSide, range: NatRange): Chosen {
  const isIcmp = isIcmpTuple(tuple)
  if (!hasPorts(tuple.protocol) || (!isIcmp && !range.ports && side === 'destination')) return { tuple }
  const key = isIcmp || side === 'source' ? 'sport' : 'dport'
  const { low, size } = portSpan(tuple[key], isIcmp, range)
  const base = range.ports?.base
  const isDrawn = base === undefined && size > 1 && (range.random || side === 'source')
  const why = range.random || range.ports ? ('random' as const) : ('clash' as const)
  const chosen = (port: number): Chosen => ({ tuple: { ...tuple, [key]: port }, ...(isDrawn ? { choice: { ports: [low, low + size - 1] as const, why } } : {}) })
  const known = isDrawn ? flight.world.options.choosePort?.(tuple.protocol, tuple[key]) : undefined
  if (known !== undefined) return chosen(known)
  const offset = base === undefined ? (isDrawn && !range.ports ? tuple[key] : 0) : tuple[key] - base
  for (let attempt = 0; attempt < size; attempt++) {
    const candidate = chosen(low + modulo(offset + attempt, size))
    if (!isTaken(flight, connection, candidate.tuple)) return candidate
  }
  return chosen(low + modulo(offset, size))
}

function portSpan(port: number, isIcmp: boolean, range: NatRange): { readonly low: number; readonly size: number } {
  if (range.ports) {
    const low = Math.min(range.ports.low, range.ports.high)
    return { low, size: Math.max(range.ports.low, range.ports.high) - low + 1 }
  }
  if (isIcmp) return { low: 0, size: 65536 }
  if (port >= 1024) return { low: 1024, size: 65535 - 1024 + 1 }
  return port < 512 ? { low: 1, size: 511 } : { low: 600, size: 1023 - 600 + 1 }
}

/** Source: find_appropriate_src(): the mapping that another connection of the same source has. The newest is found first. */
function mappingOfSource(flight: Flight, connection: Connection, original: Tuple, range: NatRange): Tuple | undefined {
  for (const other of [...flight.host.bySource].reverse()) {
    const sameSource = other.original.protocol === original.protocol && other.original.src === original.src && other.original.sport === original.sport
    if (!sameSource || other.zone.id !== connection.zone.id) continue
    const mapped = invertTuple(other.reply)
    if (!mapped) continue
    const candidate = isIcmpTuple(original) ? { ...mapped, dst: original.dst, dport: original.dport } : { ...original, src: mapped.src, sport: mapped.sport }
    if (isInRange(candidate, range)) return candidate
  }
  return undefined
}

/** Source: nf_conntrack_tuple_taken(): taken is what another connection's packets would be found by. */
function isTaken(flight: Flight, connection: Connection, tuple: Tuple): boolean {
  const reply = invertTuple(tuple)
  const { connections } = flight.host
  const found = reply && (lookupTuple(connections, reply, connection.zone, 1) ?? lookupTuple(connections, reply, connection.zone, 0))
  if (!found || found.connection === connection || found.connection.expiresAt <= flight.world.now) return false
  return !sameTuple(found.connection.original, connection.original)
}

function isInRange(tuple: Tuple, range: NatRange): boolean {
  if (range.addresses && (tuple.src < range.addresses.low || tuple.src > range.addresses.high)) return false
  return !range.ports || isPortInRange(tuple, 'source', range.ports)
}

function isPortInRange(tuple: Tuple, side: NatSide, ports: NumberRange): boolean {
  if (isIcmpTuple(tuple)) return ports.low <= tuple.sport && tuple.sport <= ports.high
  if (!hasPorts(tuple.protocol) && tuple.protocol !== PROTOCOL.gre) return true
  const port = side === 'source' ? tuple.sport : tuple.dport
  return ports.low <= port && port <= ports.high
}

function withAddress(tuple: Tuple, side: NatSide, address: Address): Tuple {
  return side === 'source' ? { ...tuple, src: address } : { ...tuple, dst: address }
}

function isIcmpTuple(tuple: Tuple): boolean {
  return tuple.protocol === PROTOCOL.icmp || tuple.protocol === PROTOCOL.icmpv6
}

/** Tells whether nat can change the protocol's port or ICMP id. */
function hasPorts(protocol: number): boolean {
  return PROTOCOLS_WITH_PORTS.has(protocol)
}

const PROTOCOLS_WITH_PORTS: ReadonlySet<number> = new Set([PROTOCOL.icmp, PROTOCOL.icmpv6, PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.udplite, PROTOCOL.sctp, PROTOCOL.dccp])

function modulo(value: number, size: number): number {
  return ((value % size) + size) % size
}
