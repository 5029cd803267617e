/** Rewrites packets as their connection's translation says. Source: net/netfilter/nf_nat_proto.c, nf_nat_core.c nf_nat_packet(). */

import { CT_STATUS } from '../meaning/fields.ts'
import { PROTOCOL } from '../net/protocol.ts'
import type { Hook } from '../ir/hooks.ts'
import type { Packet } from '../packet/packet.ts'
import type { Connection } from './connection.ts'
import type { Flight } from './flight.ts'
import type { NatSide } from './nat-range.ts'
import type { Change } from './trace-events.ts'
import { invertTuple } from './tuple.ts'
import type { Tuple } from './tuple.ts'

/** Returns the side that nat rewrites at a hook: the source where packets leave or are delivered. */
export function sideOfHook(hook: Hook): NatSide {
  return hook === 'POSTROUTING' || hook === 'INPUT' ? 'source' : 'destination'
}

/** Rewrites the packet where its connection is translated on this side of its direction; tells the rewrite. */
export function translatePacket(flight: Flight, connection: Connection, hook: Hook): void {
  const side = sideOfHook(hook)
  const tuple = translationFor(flight, connection, side)
  const target = tuple && invertTuple(tuple)
  if (target) setPacket(flight, rewriteSide(flight.packet, target, side), hook)
}

/**
 * Rewrites an ICMP error about a connection, outside and inside. Source: nf_nat_proto.c nf_nat_icmp_reply_translation().
 * Kernel: the error's own source is replaced even where it came from a router in between.
 */
export function translateIcmpError(flight: Flight, connection: Connection, hook: Hook): void {
  const side = sideOfHook(hook)
  const tuple = translationFor(flight, connection, side)
  const { icmp } = flight.packet
  if (!tuple || !icmp) return
  const target = invertTuple(tuple)
  if (!target) return
  const inner = icmp.inner && rewriteSide(icmp.inner, tuple, side === 'source' ? 'destination' : 'source')
  const outer = rewriteAddress(flight.packet, target, side)
  setPacket(flight, inner ? { ...outer, icmp: { ...icmp, inner } } : outer, hook)
}

/** The tuple of the other direction, where this direction and side is translated at all. */
function translationFor(flight: Flight, connection: Connection, side: NatSide): Tuple | undefined {
  const wantsSource = (side === 'source') === (flight.direction === 0)
  if (!(connection.status & (wantsSource ? CT_STATUS.SRC_NAT : CT_STATUS.DST_NAT))) return undefined
  return flight.direction === 0 ? connection.reply : connection.original
}

function rewriteSide(packet: Packet, target: Tuple, side: NatSide): Packet {
  const moved = rewriteAddress(packet, target, side)
  switch (packet.protocol) {
    case PROTOCOL.tcp:
    case PROTOCOL.udp:
    case PROTOCOL.udplite:
    case PROTOCOL.sctp:
    case PROTOCOL.dccp:
      return packet.sport === undefined ? moved : side === 'source' ? { ...moved, sport: target.sport } : { ...moved, dport: target.dport }
    case PROTOCOL.icmp:
    case PROTOCOL.icmpv6:
      return packet.icmp?.id === undefined ? moved : { ...moved, icmp: { ...packet.icmp, id: target.sport } }
    default:
      return moved
  }
}

function rewriteAddress(packet: Packet, target: Tuple, side: NatSide): Packet {
  return side === 'source' ? { ...packet, src: target.src } : { ...packet, dst: target.dst }
}

function setPacket(flight: Flight, packet: Packet, hook: Hook): void {
  const before = flight.packet
  flight.packet = packet
  if (!flight.record) return
  const changes: Change[] = []
  if (before.src !== packet.src) changes.push({ field: 'ip.src', before: before.src, after: packet.src })
  if (before.dst !== packet.dst) changes.push({ field: 'ip.dst', before: before.dst, after: packet.dst })
  if (before.sport !== packet.sport && packet.sport !== undefined) changes.push({ field: 'l4.sport', before: before.sport, after: packet.sport })
  if (before.dport !== packet.dport && packet.dport !== undefined) changes.push({ field: 'l4.dport', before: before.dport, after: packet.dport })
  if (before.icmp?.id !== packet.icmp?.id && packet.icmp?.id !== undefined) changes.push({ field: 'icmp.id', before: before.icmp?.id, after: packet.icmp.id })
  const inner = packet.icmp?.inner
  if (inner && before.icmp?.inner && (inner.src !== before.icmp.inner.src || inner.dst !== before.icmp.inner.dst)) {
    changes.push({ field: 'quoted packet', before: before.icmp.inner.dst, after: inner.dst })
  }
  if (changes.length > 0) flight.record({ kind: 'rewrite', by: { kind: 'nat', hook }, changes, packet })
}
