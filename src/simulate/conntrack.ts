/** Connection tracking: what a packet is to the connections known so far. Source: net/netfilter/nf_conntrack_core.c. */

import type { Hook } from '../ir/hooks.ts'
import { CT_STATUS } from '../meaning/fields.ts'
import { PROTOCOL } from '../net/protocol.ts'
import type { Packet } from '../packet/packet.ts'
import { addConnection, DEFAULT_ZONE, findConnection, lookupTuple, removeConnection } from './connection.ts'
import type { Connection } from './connection.ts'
import { attachConnection, detachConnection, refreshState } from './flight.ts'
import type { Flight } from './flight.ts'
import { beginTcp, hasValidFlags, trackTcp } from './tcp-state.ts'
import { trackSctp } from './sctp-state.ts'
import { invertTuple, sameTuple, tupleOf } from './tuple.ts'
import type { Direction } from './tuple.ts'

/** Seconds. Source: nf_conntrack_proto_{udp,icmp,icmpv6,generic,gre,sctp}.c. */
const TIMEOUT = { udp: 30, udpStream: 120, icmp: 30, generic: 600, gre: 30, greStream: 180 }
const STREAM_AFTER = 2000

const ICMP_ERRORS: ReadonlySet<number> = new Set([3, 4, 5, 11, 12])
const ICMPV6_ERRORS: ReadonlySet<number> = new Set([1, 2, 3, 4])
const ICMP_NEW: ReadonlySet<number> = new Set([8, 13, 15, 17])
const ICMPV6_NEW: ReadonlySet<number> = new Set([128, 139])
/** Neighbour and router discovery and group management are not tracked at all. Source: nf_conntrack_proto_icmpv6.c noct_valid_new[]. Kernel: Linux 6.18 has 151 and 152 (MRDISC) in it too. */
const ICMPV6_UNTRACKED: ReadonlySet<number> = new Set([130, 131, 132, 133, 134, 135, 136, 143, 151, 152])

/** Gives the packet its connection and state. A packet that has one already (loopback, REJECT's answer) keeps it. Source: nf_conntrack_in(). */
export function trackPacket(flight: Flight, hook: Hook): void {
  if (!flight.tracked && !flight.untracked) classify(flight, hook)
  flight.zone = undefined
  flight.way.states.push({ ctState: flight.ctState, direction: flight.direction })
  flight.record?.({ kind: 'conntrack', hook, ctState: flight.ctState, connection: flight.connection })
}

/** Tells whether a packet is an ICMP or ICMPv6 error message. */
export function isIcmpError(flight: Flight): boolean {
  const { protocol, icmp } = flight.packet
  if (!icmp) return false
  return protocol === PROTOCOL.icmp ? ICMP_ERRORS.has(icmp.type) : protocol === PROTOCOL.icmpv6 && ICMPV6_ERRORS.has(icmp.type)
}

function classify(flight: Flight, hook: Hook): void {
  const { packet } = flight
  detachConnection(flight, false)
  if (packet.malformed === 'checksum' && hook === 'PREROUTING' && hasChecksum(packet.protocol)) return
  if (isIcmpProtocol(flight) && packet.icmp) {
    if (packet.protocol === PROTOCOL.icmpv6 && ICMPV6_UNTRACKED.has(packet.icmp.type)) {
      detachConnection(flight, true)
      return
    }
    if (packet.protocol === PROTOCOL.icmp && packet.icmp.type > 18) return
    if (isIcmpError(flight)) {
      relate(flight)
      return
    }
  }
  resolve(flight, hook)
}

function resolve(flight: Flight, hook: Hook): void {
  const { host, world, packet } = flight
  const tuple = tupleOf(packet)
  if (!tuple) return
  const zone = flight.zone ?? DEFAULT_ZONE
  const found = findConnection(host.connections, tuple, zone, world.now)
  const reply = found ? undefined : invertTuple(tuple)
  if (!found && !reply) return
  const connection: Connection = found?.connection ?? {
    original: tuple, reply: reply ?? tuple, zone, status: 0, mark: 0, expiresAt: world.now, dying: false, startedAt: world.now, views: [undefined, undefined],
  }
  const direction: Direction = found?.direction ?? 0
  const verdict = trackProtocol(flight, hook, connection, direction)
  if (verdict === 'reopen') {
    removeFromHost(flight, connection)
    resolve(flight, hook)
    return
  }
  // Kernel: what a protocol's tracker refuses may be untracked later. Source: nf_conntrack_in() `skb->_nfct = 0`.
  if (verdict === 'invalid') {
    flight.isTrackingFixed = false
    return
  }
  const isEstablished = direction === 1 || (connection.status & CT_STATUS.SEEN_REPLY) !== 0
  attachConnection(flight, connection, direction, isEstablished ? 'established' : 'new')
  if (verdict === 'kill') removeFromHost(flight, connection)
  if (direction === 1) connection.status |= CT_STATUS.SEEN_REPLY
  refreshState(flight)
}

/** An ICMP error belongs to the connection that it quotes a packet of. Source: nf_conntrack_inet_error(). */
function relate(flight: Flight): void {
  const { host, world, packet } = flight
  const quoted = packet.icmp?.inner && tupleOf(packet.icmp.inner)
  const answer = quoted && invertTuple(quoted)
  const found = answer && findConnection(host.connections, answer, flight.zone ?? DEFAULT_ZONE, world.now)
  if (!found) return
  const { connection, direction } = found
  const seen = direction === 0 ? connection.original : connection.reply
  if (packet.dst === seen.dst) attachConnection(flight, connection, direction, 'related')
}

type ProtocolVerdict = 'valid' | 'invalid' | 'kill' | 'reopen'

/** Kernel: arriving UDP-Lite is always invalid, since its checksum is verified as if it were UDP's. Source: udplite_error(). */
function trackProtocol(flight: Flight, hook: Hook, connection: Connection, direction: Direction): ProtocolVerdict {
  const { packet, world } = flight
  const isNew = !(connection.status & CT_STATUS.CONFIRMED)
  const renew = (seconds: number): ProtocolVerdict => {
    connection.expiresAt = world.now + seconds * 1000
    return 'valid'
  }
  switch (packet.protocol) {
    case PROTOCOL.tcp:
      return trackTcpPacket(flight, connection, direction)
    case PROTOCOL.udp:
      return renew(trackUdp(flight, connection))
    case PROTOCOL.udplite:
      if (hook === 'PREROUTING') return 'invalid'
      if (connection.status & CT_STATUS.SEEN_REPLY) connection.status |= CT_STATUS.ASSURED
      return renew(connection.status & CT_STATUS.SEEN_REPLY ? TIMEOUT.udpStream : TIMEOUT.udp)
    case PROTOCOL.icmp:
      return packet.family !== 'ipv4' || (isNew && !ICMP_NEW.has(packet.icmp?.type ?? -1)) ? 'invalid' : renew(TIMEOUT.icmp)
    case PROTOCOL.icmpv6:
      return packet.family !== 'ipv6' || (isNew && !ICMPV6_NEW.has(packet.icmp?.type ?? -1)) ? 'invalid' : renew(TIMEOUT.icmp)
    case PROTOCOL.sctp:
      return trackSctpPacket(connection, direction, packet, renew)
    case PROTOCOL.gre:
      if (!(connection.status & CT_STATUS.SEEN_REPLY)) return renew(TIMEOUT.gre)
      connection.status |= CT_STATUS.ASSURED
      return renew(TIMEOUT.greStream)
    default:
      return renew(TIMEOUT.generic)
  }
}

function trackTcpPacket(flight: Flight, connection: Connection, direction: Direction): ProtocolVerdict {
  const { packet, host, world } = flight
  const { tcp } = packet
  if (!tcp || !hasValidFlags(tcp)) return 'invalid'
  if (!(connection.status & CT_STATUS.CONFIRMED)) {
    const begun = beginTcp(packet, tcp, host.sysctls.tcpLoose)
    if (!begun) return 'invalid'
    connection.tcp = begun
  }
  if (!connection.tcp) return 'invalid'
  const verdict = trackTcp(connection, connection.tcp, direction, packet, tcp)
  if (verdict.kind === 'valid' && verdict.timeout !== undefined) connection.expiresAt = world.now + verdict.timeout * 1000
  return verdict.kind
}

function trackSctpPacket(connection: Connection, direction: Direction, packet: Packet, renew: (seconds: number) => ProtocolVerdict): ProtocolVerdict {
  const verdict = trackSctp(connection, direction, packet)
  return verdict.kind === 'valid' && verdict.timeout !== undefined ? renew(verdict.timeout) : verdict.kind
}

/** Source: nf_conntrack_proto_udp.c nf_conntrack_udp_packet(). */
function trackUdp(flight: Flight, connection: Connection): number {
  if (!(connection.status & CT_STATUS.SEEN_REPLY)) return TIMEOUT.udp
  if (flight.world.now <= connection.startedAt + STREAM_AFTER) return TIMEOUT.udp
  connection.status |= CT_STATUS.ASSURED
  return TIMEOUT.udpStream
}

/**
 * Enters a new connection into the table, at the end of POSTROUTING and INPUT; returns false where its tuples were taken meanwhile,
 * and then the packet is dropped. Source: __nf_conntrack_confirm().
 */
export function confirmConnection(flight: Flight): boolean {
  const { tracked, host } = flight
  if (!tracked || tracked.status & CT_STATUS.CONFIRMED || flight.direction !== 0) return true
  if (tracked.dying) return false
  const table = host.connections
  const clash = lookupTuple(table, tracked.original, tracked.zone, 0) ?? lookupTuple(table, tracked.reply, tracked.zone, 1)
  if (clash) return resolveClash(flight, clash.connection, tracked)
  addConnection(table, tracked)
  if (tracked.status & CT_STATUS.SRC_NAT_DONE) host.bySource.add(tracked)
  if (flight.record && flight.connection) flight.record({ kind: 'confirm', connection: flight.connection })
  return true
}

/** Source: nf_ct_resolve_clash(): equal tuples of protocols without a handshake share the older entry. */
function resolveClash(flight: Flight, older: Connection, tracked: Connection): boolean {
  const mayClash = tracked.original.protocol !== PROTOCOL.tcp && tracked.original.protocol !== PROTOCOL.sctp
  if (!mayClash || !sameTuple(older.original, tracked.original) || !sameTuple(older.reply, tracked.reply)) return false
  attachConnection(flight, older, 0, flight.info)
  return true
}

/** Takes a connection out of the host's tables. */
export function removeFromHost(flight: Flight, connection: Connection): void {
  removeConnection(flight.host.connections, connection)
  flight.host.bySource.delete(connection)
}

function isIcmpProtocol(flight: Flight): boolean {
  return flight.packet.protocol === PROTOCOL.icmp || flight.packet.protocol === PROTOCOL.icmpv6
}

/** Source: nf_checksum() is asked for tcp, udp, udplite, icmp, icmpv6, sctp and dccp only. */
function hasChecksum(protocol: number): boolean {
  return protocol === PROTOCOL.tcp || protocol === PROTOCOL.udp || protocol === PROTOCOL.udplite || protocol === PROTOCOL.icmp || protocol === PROTOCOL.icmpv6 || protocol === PROTOCOL.sctp || protocol === PROTOCOL.dccp
}
