/** What a program is told that tries to reach somebody: `ping`, or a socket's connect. Source: net/ipv4/icmp.c icmp_err_convert[], net/ipv4/tcp_ipv4.c tcp_v4_err(). */

import type { Address } from '../net/address.ts'
import { familyOf } from '../net/address.ts'
import { PROTOCOL } from '../net/protocol.ts'
import { makePacket, TCP_FLAG } from '../packet/packet.ts'
import type { Packet } from '../packet/packet.ts'
import { converse, legsOf } from './journey.ts'
import type { Journey, Leg } from './journey.ts'
import { lookupRoute } from '../topology/fib.ts'
import { routeOutput, sourceFor } from './route-output.ts'
import type { TraceOptions } from './trace.ts'
import type { Outcome } from './trace-events.ts'
import type { Host, World } from './world.ts'

/** Who tries to reach whom. */
export interface Attempt {
  readonly kind: 'ping' | 'tcp' | 'udp'
  readonly namespace: string
  readonly destination: Address
  /** Absent for a ping. */
  readonly port?: number
  /** The address that the socket is bound to; the host chooses one where it is absent. */
  readonly source?: Address
  /** The device that the socket is bound to. */
  readonly device?: string
}

/** What the program sees. `silence`: nothing comes before its patience ends. `arrived`: the way there and back is free, and the topology does not tell whether anybody listens. */
export type Told = 'answered' | 'connected' | 'refused' | 'unreachable' | 'not permitted' | 'silence' | 'arrived'

/** The packets that went to and fro, and what the program was told. */
export interface Attempted {
  readonly attempt: Attempt
  readonly journeys: readonly Journey[]
  readonly told: Told
}

/** Usual numbers of the first program that asks. */
const SOURCE_PORT = 40000
const ECHO_ID = 1

/** Returns the packet that an attempt begins with; its source is the one the host chooses, all zeros where it has no route. */
export function firstPacket(host: Host, { kind, destination, port, source, device }: Attempt): Packet {
  const isIpv4 = familyOf(destination) === 'ipv4'
  const route = routeOutput(host, { destination, mark: 0, tos: 0, ...(source === undefined ? {} : { source }), ...(device === undefined ? {} : { outDevice: device }) })
  const src = source ?? (route && sourceFor(host, route, destination)) ?? (isIpv4 ? 0 : 0n)
  const ends = { src, dst: destination, ttl: host.sysctls.defaultTtl }
  if (kind === 'ping') return makePacket({ ...ends, protocol: isIpv4 ? PROTOCOL.icmp : PROTOCOL.icmpv6, icmp: { type: isIpv4 ? 8 : 128, code: 0, id: ECHO_ID, sequence: 1 } })
  const ports = { sport: SOURCE_PORT, dport: port ?? 0 }
  if (kind === 'udp') return makePacket({ ...ends, ...ports, protocol: PROTOCOL.udp })
  return makePacket({ ...ends, ...ports, protocol: PROTOCOL.tcp, dontFragment: isIpv4, tcp: { flags: TCP_FLAG.SYN, seq: 0, ack: 0, window: 64240, optionKinds: [2], mss: 1460 } })
}

/** Tries, and follows everything that comes of it. Changes the world. */
export function tryToReach(world: World, attempt: Attempt, host: Host, options: TraceOptions = {}): Attempted {
  const packet = firstPacket(host, attempt)
  if (isRefusedGroup(host, attempt)) return { attempt, journeys: [], told: 'unreachable' }
  const probe = { packet, namespace: attempt.namespace, ...(attempt.device === undefined ? {} : { outDevice: attempt.device }) }
  const journeys = converse(world, probe, options)
  const told = toldOf(journeys, attempt, packet, world)
  if (attempt.kind !== 'tcp' || told !== 'silence') return { attempt, journeys, told }
  world.now += RETRANSMITTED_AFTER
  const again = converse(world, probe, options)
  const toldAgain = toldOf(again, attempt, packet, world)
  return toldAgain === 'silence' ? { attempt, journeys, told } : { attempt, journeys: [...again, ...journeys], told: toldAgain }
}

/** Milliseconds until TCP sends a SYN again, which may meet other rules: to conntrack an unheard answer is an answer. Source: include/net/tcp.h TCP_TIMEOUT_INIT. */
const RETRANSMITTED_AFTER = 1000

/** Kernel: sockets do not send to broadcast addresses unasked, and TCP connects to no group at all. Source: tcp_ipv4.c tcp_v4_connect(), datagram.c __ip4_datagram_connect(). */
function isRefusedGroup(host: Host, { kind, destination }: Attempt): boolean {
  const route = routeOutput(host, { destination, mark: 0, tos: 0 })
  return route?.kind === 'broadcast' || (route?.kind === 'multicast' && kind === 'tcp')
}

/** Returns all legs of a journey and of the kernel's answers on its way. */
export function allLegs(leg: Leg): readonly Leg[] {
  return legsOf(leg).flatMap(one => [one, ...one.answers.flatMap(allLegs)])
}

function toldOf(journeys: readonly Journey[], attempt: Attempt, first: Packet, world: World): Told {
  const [request] = journeys
  if (!request) return 'silence'
  const heard = journeys.flatMap(({ start }) => allLegs(start)).flatMap(({ namespace, trace: { outcome } }) => (namespace === attempt.namespace && outcome.kind === 'local' && isHeardBy(world, attempt, outcome) ? [outcome.packet] : []))
  const isAnswered = heard.some(packet => isAnswer(packet, first))
  if (isAnswered && attempt.kind !== 'ping' && hasUntoldReceiver(request, world)) return 'arrived'
  if (isAnswered) return attempt.kind === 'tcp' ? 'connected' : 'answered'
  if (heard.some(packet => isReset(packet, first))) return 'refused'
  const { outcome } = request.start.trace
  const isKept = outcome.kind === 'drop' && (outcome.by.kind !== 'kernel' ? outcome.by.place.hook === 'OUTPUT' || outcome.by.place.hook === 'POSTROUTING' : false)
  if (isKept && attempt.kind !== 'tcp') return 'not permitted'
  const error = heard.find(packet => isErrorAbout(packet, first))
  if (error?.icmp) return isPortError(error) ? 'refused' : 'unreachable'
  return hasNoRoute(outcome, attempt) ? 'unreachable' : 'silence'
}

/** Kernel: what comes over lo counts as come in by the device that has its destination address. Source: net/ipv4/route.c __ip_route_output_key_hash_rcu() `orig_oif`, inet_iif(). */
function isHeardBy(world: World, { device, namespace }: Attempt, outcome: Extract<Outcome, { kind: 'local' }>): boolean {
  if (device === undefined) return true
  const host = world.hosts.get(namespace)
  const isLooped = host?.devices.get(outcome.device)?.kind === 'loopback'
  const owner = isLooped ? lookupRoute(host.fib, { destination: outcome.packet.dst, mark: 0, tos: 0 }).device : outcome.device
  return owner === device
}

/** Kernel: where OUTPUT changes a packet and its new route is refused, TCP takes it for lost and tries again. */
function hasNoRoute(outcome: Outcome, { kind }: Attempt): boolean {
  if (outcome.kind !== 'drop' || outcome.by.kind !== 'kernel' || outcome.by.reason !== 'no-output-route') return false
  return outcome.by.hook === undefined || kind !== 'tcp'
}

function isAnswer(packet: Packet, first: Packet): boolean {
  if (packet.src !== first.dst || packet.protocol !== first.protocol) return false
  if (packet.icmp && first.icmp) return packet.icmp.id === first.icmp.id && (packet.icmp.type === 0 || packet.icmp.type === 129)
  if (packet.sport !== first.dport || packet.dport !== first.sport) return false
  return packet.tcp === undefined || (packet.tcp.flags & (TCP_FLAG.SYN | TCP_FLAG.ACK)) === (TCP_FLAG.SYN | TCP_FLAG.ACK)
}

function isReset(packet: Packet, first: Packet): boolean {
  return packet.tcp !== undefined && (packet.tcp.flags & TCP_FLAG.RST) !== 0 && packet.src === first.dst && packet.sport === first.dport && packet.dport === first.sport
}

function isErrorAbout({ icmp }: Packet, first: Packet): boolean {
  const inner = icmp?.inner
  return inner !== undefined && inner.protocol === first.protocol && inner.dst === first.dst && inner.dport === first.dport && inner.sport === first.sport && inner.icmp?.id === first.icmp?.id
}

function isPortError({ icmp, protocol }: Packet): boolean {
  return protocol === PROTOCOL.icmp ? icmp?.type === 3 && (icmp.code === 3 || icmp.code === 2) : icmp?.type === 1 && icmp.code === 4
}

/** The topology does not say who listens where the packet ended, so that it is a guess that somebody does. */
function hasUntoldReceiver({ start }: Journey, world: World): boolean {
  return legsOf(start).some(({ namespace, trace: { outcome } }) => outcome.kind === 'local' && world.hosts.get(namespace)?.namespace.sockets === undefined)
}
