/** The way of an IP packet through one host: in, through, out. Source: net/ipv4/ip_input.c, ip_forward.c, ip_output.c and their IPv6 twins. */

import type { Packet } from '../packet/packet.ts'
import type { RouteDecision } from '../topology/fib.ts'
import { answerClosedPort, answerIcmp } from './answers.ts'
import { copyFlight } from './flight.ts'
import type { Flight } from './flight.ts'
import { isFragment, piecesOf, withPieces } from './fragments.ts'
import { gatherFragments, keepsFragments } from './gather-fragments.ts'
import { portsFor } from './frames.ts'
import { findNeighbour } from './neighbours.ts'
import { ALL_HOSTS, refusesOnLoopback, routeInput } from './route-input.ts'
import type { InputRoute } from './route-input.ts'
import { routeOutput } from './route-output.ts'
import { runHook } from './run-hook.ts'
import { takerOf } from './sockets.ts'
import type { KernelReason, Outcome } from './trace-events.ts'
import { byKernel } from './verdict.ts'
import type { Ended } from './verdict.ts'

/** A packet that arrives on `flight.inDevice` as IP; `kept`: over lo, with the route that it was sent or forwarded by. */
export function receive(flight: Flight, kept?: 'sent' | 'forwarded'): Outcome {
  const { route, packet: { dst } } = flight
  const ended = runHook(flight, 'PREROUTING')
  if (ended) return endedOutcome(flight, ended)
  if (kept && route && flight.packet.dst === dst) {
    if (kept === 'forwarded' && flight.packet.family === 'ipv4') return forward(flight, route)
    if (kept === 'sent' && isTakenFromLoopback(flight.packet, route)) return deliver(flight)
  }
  return goOn(flight, routeInput(flight))
}

/** Kernel: what was sent by lo is for this host wherever it is addressed to, groups that lo is not in excepted. Source: net/ipv4/route.c __mkroute_output(). */
function isTakenFromLoopback({ family, dst }: Packet, { kind }: RouteDecision): boolean {
  return kind === 'local' || (family === 'ipv4' && (kind !== 'multicast' || dst === ALL_HOSTS))
}

/** What comes after PREROUTING: delivery, forwarding, or an end. */
export function goOn(flight: Flight, way: InputRoute): Outcome {
  flight.route = way.decision
  flight.record?.({ kind: 'route', decision: way.decision, why: 'arrival' })
  switch (way.kind) {
    case 'local':
      return deliver(flight)
    case 'forward':
      return forward(flight, way.decision)
    default:
      return refuse(flight, way)
  }
}

/** A packet that this host made. `keepsSource`: its source address is its own affair, as in answers. */
export function sendLocal(flight: Flight, options: { readonly keepsSource: boolean }): Outcome {
  const { packet, host } = flight
  const tos = options.keepsSource ? packet.tos : 0
  const decision = routeOutput(host, { destination: packet.dst, source: packet.src, mark: packet.mark, tos, ...(flight.boundTo === undefined ? {} : { outDevice: flight.boundTo }) })
  if (!decision) return endedOutcome(flight, byKernel('no-output-route'))
  flight.route = decision
  flight.outDevice = decision.device ?? ''
  flight.record?.({ kind: 'route', decision, why: 'output' })
  const ended = runHook(flight, 'OUTPUT')
  if (ended) return endedOutcome(flight, ended)
  return leave(flight, 'sent')
}

function forward(flight: Flight, decision: RouteDecision): Outcome {
  const { packet } = flight
  const isIpv4 = packet.family === 'ipv4'
  if (packet.packetType !== 'unicast') return endedOutcome(flight, byKernel('not-unicast-frame'))
  if (packet.ttl <= 1) return answered(flight, 'ttl-exceeded', isIpv4 ? 11 : 3, 0)
  flight.outDevice = decision.device ?? ''
  const mtu = flight.host.devices.get(flight.outDevice)?.mtu ?? 1500
  const largest = packet.pieces ? Math.max(...packet.pieces) : packet.length
  if (largest > mtu && (packet.dontFragment || !isIpv4)) return answered(flight, 'too-big', isIpv4 ? 3 : 2, isIpv4 ? 4 : 0)
  const priority = isIpv4 ? priorityOfTos(packet.tos) : packet.priority
  setPacket(flight, { ...packet, ttl: packet.ttl - 1, priority })
  const ended = runHook(flight, 'FORWARD')
  if (ended) return endedOutcome(flight, ended)
  return leave(flight, 'forward')
}

/** POSTROUTING and out; over lo it comes in again. */
function leave(flight: Flight, kind: 'forward' | 'sent'): Outcome {
  flight.outDevice = flight.route?.device ?? ''
  const device = flight.host.devices.get(flight.outDevice)
  if (refusesOnLoopback(flight.packet.family, flight.route, device)) return answered(flight, 'unreachable-route', 1, 0)
  const ended = runHook(flight, 'POSTROUTING')
  if (ended) return endedOutcome(flight, ended)
  if (device?.kind === 'loopback') return loopBack(flight, kind === 'forward' ? 'forwarded' : 'sent')
  const { world, host, outDevice, route } = flight
  const gateway = route?.gateway
  const neighbour = world.links && findNeighbour(world, host, { device: outDevice, nextHop: gateway ?? flight.packet.dst, source: flight.packet.src })
  if (neighbour?.kind === 'none') return answered(flight, 'neighbour-unknown', flight.packet.family === 'ipv4' ? 3 : 1, flight.packet.family === 'ipv4' ? 1 : 3)
  const macDestination = neighbour?.kind === 'mac' ? neighbour.mac : undefined
  const ports = macDestination !== undefined && device?.kind === 'bridge' ? portsFor(host, device, macDestination) : portsOf(flight)
  return { kind, namespace: host.namespace.name, device: outDevice, ports, gateway, macDestination, packet: withPieces(flight.packet, device?.mtu ?? 1500) }
}

/** Kernel: the packet keeps connection, mark and route over lo, so conntrack and nat have done their work. */
function loopBack(flight: Flight, kept: 'sent' | 'forwarded'): Outcome {
  if (flight.loops >= MOST_LOOPS) return endedOutcome(flight, byKernel('endless-loop'))
  flight.loops += 1
  flight.record?.({ kind: 'loop', device: flight.outDevice })
  flight.inDevice = flight.outDevice
  flight.outDevice = ''
  return flight.packet.pieces && keepsFragments(flight) ? receivePieces(flight, kept) : receive(flight, kept)
}

/** Each time over lo takes one from the ttl: what has come so often has a rule that gives it back, and goes on until its device does. */
export const MOST_LOOPS = 256

/** Each piece goes through the rules. */
function receivePieces(flight: Flight, kept: 'sent' | 'forwarded'): Outcome {
  const pieces = piecesOf(flight.packet)
  for (const piece of pieces.slice(0, -1)) {
    const copy = copyFlight(flight, flight.record)
    copy.packet = piece
    flight.way.copies.push(receive(copy, kept))
  }
  flight.packet = pieces.at(-1) ?? flight.packet
  return receive(flight, kept)
}

function deliver(flight: Flight): Outcome {
  flight.outDevice = ''
  if (flight.packet.family === 'ipv4' && isFragment(flight.packet) && !gatherFragments(flight, 'INPUT')) return endedOutcome(flight, byKernel('fragment-waits', 'INPUT'))
  const ended = runHook(flight, 'INPUT')
  if (ended) return endedOutcome(flight, ended)
  return handOver(flight)
}

/** To the sockets, where it is told who listens: the stack answers for a port that nobody has. */
function handOver(flight: Flight): Outcome {
  const { host, packet, inDevice } = flight
  const isClosed = host.namespace.sockets !== undefined && packet.fragmentOffset === 0 && takerOf(host, packet) === 'nobody'
  if (!isClosed) return { kind: 'local', namespace: host.namespace.name, device: inDevice, packet }
  if (!packet.tcp) return answered(flight, 'no-listener', packet.family === 'ipv4' ? 3 : 1, packet.family === 'ipv4' ? 3 : 4)
  return { kind: answerClosedPort(flight) ? 'reject' : 'drop', by: { kind: 'kernel', reason: 'no-listener' }, packet }
}

function refuse(flight: Flight, way: Extract<InputRoute, { kind: 'refused' }>): Outcome {
  if (way.icmpCode === undefined) return endedOutcome(flight, byKernel(way.reason))
  return answered(flight, way.reason, flight.packet.family === 'ipv4' ? 3 : 1, way.icmpCode)
}

function answered(flight: Flight, reason: KernelReason, type: number, code: number): Outcome {
  const isAnswered = answerIcmp(flight, reason, type, code)
  return { kind: isAnswered ? 'reject' : 'drop', by: { kind: 'kernel', reason }, packet: flight.packet }
}

/** Returns the outcome of a packet whose way ended. */
export function endedOutcome(flight: Flight, ended: Ended): Outcome {
  return { kind: ended.kind, by: ended.by, packet: flight.packet }
}

function setPacket(flight: Flight, packet: Packet): void {
  const before = flight.packet.ttl
  flight.packet = packet
  flight.record?.({ kind: 'rewrite', by: { kind: 'forwarding' }, changes: [{ field: 'ip.ttl', before, after: packet.ttl }], packet })
}

/** The wires behind a bridge: the neighbour's port where it is known, else all of them but the one it came from. */
function portsOf(flight: Flight): readonly string[] {
  const { host, outDevice, route, packet } = flight
  const device = host.devices.get(outDevice)
  if (device?.kind !== 'bridge') return [outDevice]
  const nextHop = route?.gateway ?? packet.dst
  const known = host.namespace.neighbours.find(neighbour => neighbour.device === outDevice && neighbour.address === nextHop)
  if (known?.port !== undefined) return [known.port]
  return host.namespace.devices.filter(port => port.master === outDevice && port.up).map(port => port.name)
}

/** Source: net/ipv4/route.c ip_tos2prio[]. */
function priorityOfTos(tos: number): number {
  return [0, 2, 6, 4][(tos & 0x1e) >> 3] ?? 0
}
