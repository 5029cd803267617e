/** Packets that the kernel makes because of another: ICMP errors and TCP resets, with their own way through OUTPUT. */

import type { RejectAnswer } from '../meaning/effect.ts'
import { PROTOCOL } from '../net/protocol.ts'
import { makePacket, TCP_FLAG } from '../packet/packet.ts'
import type { Packet, TcpHeader } from '../packet/packet.ts'
import { isIcmpError } from './conntrack.ts'
import { attachConnection, makeFlight } from './flight.ts'
import type { Flight } from './flight.ts'
import { routeOutput, sourceFor } from './route-output.ts'
import { closeTcp } from './tcp-state.ts'
import { segmentEnd } from './tcp-window.ts'
import type { KernelReason, RulePlace, Trace, TraceEvent } from './trace-events.ts'

/** Sends what REJECT answers; false where it stays silent. Source: net/ipv4/netfilter/ipt_REJECT.c, nf_reject_ipv4.c. */
export function answerReject(flight: Flight, place: RulePlace, answer: RejectAnswer): boolean {
  if (answer.kind === 'icmp') {
    if (!hasGoodSum(flight.packet)) return false
    return answerIcmp(flight, place, answer.type, answer.code)
  }
  return answerReset(flight, place)
}

/** Sends an ICMP error about the packet; false where the kernel never does. Source: net/ipv4/icmp.c __icmp_send(). */
export function answerIcmp(flight: Flight, cause: RulePlace | KernelReason, type: number, code: number): boolean {
  const { packet, host } = flight
  if (packet.packetType !== 'unicast' || packet.fragmentOffset !== 0 || isIcmpError(flight) || isGroupRoute(flight)) return false
  const isIpv4 = packet.family === 'ipv4'
  const tos = isIpv4 ? (packet.tos & 0x1e) | 0xc0 : 0
  const isForUs = flight.route?.kind === 'local'
  const decision = routeOutput(host, { destination: packet.src, ...(isForUs ? { source: packet.dst } : {}), mark: 0, tos })
  if (!decision) return false
  const source = isForUs ? packet.dst : sourceFor(host, decision, packet.src)
  if (source === undefined) return false
  const quoted = Math.min(packet.length, (isIpv4 ? 576 : 1280) - (isIpv4 ? 28 : 48))
  const error = makePacket({
    protocol: isIpv4 ? PROTOCOL.icmp : PROTOCOL.icmpv6,
    src: source,
    dst: packet.src,
    tos,
    ttl: host.sysctls.defaultTtl,
    length: (isIpv4 ? 28 : 48) + quoted,
    icmp: { type, code, inner: packet },
    socket: {},
  })
  return launch(flight, cause, error)
}

/** Source: nf_reject_ipv4.c nf_send_reset(). */
function answerReset(flight: Flight, place: RulePlace): boolean {
  const { packet, host } = flight
  const { tcp } = packet
  if (!tcp || packet.protocol !== PROTOCOL.tcp || packet.fragmentOffset !== 0 || tcp.flags & TCP_FLAG.RST) return false
  if (packet.malformed !== undefined || packet.moreFragments || isGroupRoute(flight)) return false
  const reset = makePacket({
    protocol: PROTOCOL.tcp,
    src: packet.dst,
    dst: packet.src,
    ttl: host.sysctls.defaultTtl,
    ...(packet.dport === undefined ? {} : { sport: packet.dport }),
    ...(packet.sport === undefined ? {} : { dport: packet.sport }),
    dontFragment: packet.family === 'ipv4',
    tcp: resetHeader(packet, tcp),
  })
  if (!routeOutput(host, { destination: packet.src, source: packet.dst, mark: 0, tos: 0 })) return false
  if (flight.tracked) closeTcp(flight.tracked, flight.world.now)
  return flight.bridgeIn === '' ? launch(flight, place, reset) : putOnPort(flight, place, reset)
}

/** Sends the reset of a TCP without a socket for the packet; false where it stays silent. Source: net/ipv4/tcp_ipv4.c tcp_v4_send_reset(). */
export function answerClosedPort(flight: Flight): boolean {
  const { packet, host } = flight
  const { tcp } = packet
  if (!tcp || tcp.flags & TCP_FLAG.RST || packet.malformed !== undefined || packet.packetType !== 'unicast' || isGroupRoute(flight)) return false
  const ends = { src: packet.dst, dst: packet.src, ...(packet.dport === undefined ? {} : { sport: packet.dport }), ...(packet.sport === undefined ? {} : { dport: packet.sport }) }
  // Kernel: unlike the reset of REJECT this one has the TOS of the packet, in IPv6 without the ECN bits. Source: tcp_v4_send_reset(), tcp_v6_send_response().
  const tos = packet.family === 'ipv4' ? packet.tos : packet.tos & 0xfc
  const reset = makePacket({ protocol: PROTOCOL.tcp, ...ends, tos, ttl: host.sysctls.defaultTtl, dontFragment: packet.family === 'ipv4', tcp: resetHeader(packet, tcp), socket: {} })
  return launch(flight, 'no-listener', reset, 'unrelated')
}

/** Kernel: with bridge-nf-call-iptables a reset for what came in by a bridge port goes straight out of that port, past OUTPUT and POSTROUTING. */
function putOnPort(flight: Flight, cause: RulePlace, packet: Packet): boolean {
  const outcome = { kind: 'sent' as const, namespace: flight.host.namespace.name, device: flight.bridgeIn, ports: [flight.bridgeIn], packet, ...(flight.packet.macSource === undefined ? {} : { macDestination: flight.packet.macSource }) }
  const trace: Trace = { events: [], outcome, way: { path: [], states: [], copies: [] }, assumed: [], answers: [] }
  flight.record?.({ kind: 'answer', cause, packet, trace })
  flight.answers.push(trace)
  return true
}

function resetHeader(packet: Packet, tcp: TcpHeader): TcpHeader {
  const common = { window: 0, optionKinds: [] }
  if (tcp.flags & TCP_FLAG.ACK) return { ...common, flags: TCP_FLAG.RST, seq: tcp.ack, ack: 0 }
  return { ...common, flags: TCP_FLAG.RST | TCP_FLAG.ACK, seq: 0, ack: segmentEnd(packet, tcp) }
}

/** Kernel: the answer belongs to the packet's connection as RELATED, even the reset. Source: nf_conntrack_attach(). */
function launch(flight: Flight, cause: RulePlace | KernelReason, packet: Packet, tie: 'related' | 'unrelated' = 'related'): boolean {
  const events: TraceEvent[] = []
  const answer = makeFlight({
    world: flight.world,
    host: flight.host,
    packet,
    isLocal: true,
    record: flight.record ? event => events.push(event) : undefined,
    recordsMisses: flight.recordsMisses,
    decisions: flight.decisions,
    send: flight.send,
  })
  if (flight.tracked && tie === 'related') attachConnection(answer, flight.tracked, flight.direction === 0 ? 1 : 0, 'related')
  answer.isTrackingFixed = flight.untracked && tie === 'related'
  const outcome = flight.send(answer)
  const trace: Trace = { events, outcome, way: answer.way, assumed: answer.assumed, answers: answer.answers }
  flight.record?.({ kind: 'answer', cause, packet, trace })
  flight.answers.push(trace)
  return outcome.kind !== 'drop'
}

function isGroupRoute(flight: Flight): boolean {
  return flight.route?.kind === 'broadcast' || flight.route?.kind === 'multicast'
}

/**
 * Kernel: REJECT quotes only what adds up as if it had a checksum over all of it, which foreign protocols seldom do.
 * Source: nf_reject_verify_csum(), nf_ip_checksum().
 */
function hasGoodSum(packet: Packet): boolean {
  if (UNVERIFIED.has(packet.protocol)) return true
  if (packet.moreFragments) return false // the sum is over all of the datagram
  if (VERIFIED.has(packet.protocol) || !packet.payload) return packet.malformed !== 'checksum'
  return onesComplementSum(packet) === 0xffff
}

const UNVERIFIED: ReadonlySet<number> = new Set([PROTOCOL.gre, PROTOCOL.esp, PROTOCOL.ah, PROTOCOL.sctp, PROTOCOL.udplite, PROTOCOL.dccp])
const VERIFIED: ReadonlySet<number> = new Set([PROTOCOL.icmp, PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.icmpv6])

function onesComplementSum({ payload = new Uint8Array(), src, dst, protocol }: Packet): number {
  let sum = typeof src === 'bigint' && typeof dst === 'bigint' ? groupSum(src) + groupSum(dst) + payload.length + protocol : 0xffff // the IPv4 header is part of the sum
  for (let at = 0; at < payload.length; at += 2) sum += (payload[at] ?? 0) * 256 + (payload[at + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 65536)
  return sum
}

function groupSum(address: bigint): number {
  return Array.from({ length: 8 }, (_, index) => Number((address >> BigInt(16 * index)) & 0xffffn)).reduce((sum, group) => sum + group, 0)
}
