/**
 * The way of a frame that comes in by a bridge port: up into the IP stack, or across the bridge. With bridge-nf-call-iptables the
 * IP hooks see both. Source: net/bridge/br_netfilter_hooks.c, net/bridge/br_input.c br_handle_frame_finish().
 */

import type { Address } from '../net/address.ts'
import { isOwnAddress, lookupRoute } from '../topology/fib.ts'
import type { Device } from '../topology/topology.ts'
import { confirmConnection } from './conntrack.ts'
import { copyFlight } from './flight.ts'
import type { Flight } from './flight.ts'
import { withoutPieces } from './fragments.ts'
import { endedOutcome, goOn, receive } from './ip-path.ts'
import { isOwnMac, knownPort } from './frames.ts'
import { findNeighbour } from './neighbours.ts'
import { routeInput } from './route-input.ts'
import type { InputRoute } from './route-input.ts'
import { isMulticast } from './group-address.ts'
import { runHook } from './run-hook.ts'
import type { Outcome, TraceEvent } from './trace-events.ts'
import { byKernel } from './verdict.ts'

/** A frame on port `port` of `bridge`; `flight.macDestination` is whom it is addressed to, where that is known. */
export function receiveOnBridge(flight: Flight, port: string, bridge: Device): Outcome {
  flight.inDevice = bridge.name
  const { bridgeCallsIptables, bridgeCallsIp6tables } = flight.host.sysctls
  const callsTables = flight.packet.family === 'ipv4' ? bridgeCallsIptables : bridgeCallsIp6tables
  const isForUs = isAddressedTo(flight, bridge)
  const isForAll = flight.packet.packetType !== 'unicast'
  if (!callsTables) {
    if (isForAll) sendCopies(flight, portsTo(flight, port, bridge, undefined), copy => bridgeOutcome(copy, bridge))
    return isForUs ? receive(flight) : crossSilently(flight, port, bridge, targetPort(flight, bridge, flight.packet.dst))
  }
  flight.bridgeIn = port
  const before = flight.packet.dst
  const ended = runHook(flight, 'PREROUTING')
  if (ended) return endedOutcome(flight, ended)
  if (flight.packet.dst !== before) return goTranslated(flight, port, bridge)
  if (isForAll) {
    sendCopies(flight, portsTo(flight, port, bridge, undefined), copy => crossTo(copy, bridge))
    // Kernel: the connection of a broadcast or multicast frame is confirmed before INPUT. Source: br_nf_local_in().
    confirmConnection(flight)
  }
  return isForUs ? goUp(flight, routeInput(flight)) : cross(flight, port, bridge, targetPort(flight, bridge, flight.packet.dst))
}

/** Kernel: what br_netfilter put together is in one piece for the IP stack; only across the bridge it leaves in the old pieces. Source: br_nf_pre_routing_finish() `frag_max_size`. */
function goUp(flight: Flight, way: InputRoute): Outcome {
  flight.packet = withoutPieces(flight.packet)
  return goOn(flight, way)
}

/**
 * Kernel: a packet whose new destination lies on the same bridge crosses it, though it was addressed to the router: the TTL stays.
 * Source: br_nf_pre_routing_finish() `bridged_dnat`.
 */
function goTranslated(flight: Flight, port: string, bridge: Device): Outcome {
  const way = routeInput(flight)
  if (way.kind !== 'forward' || way.decision.device !== bridge.name) {
    flight.packet = { ...flight.packet, packetType: 'unicast' }
    return goUp(flight, way)
  }
  flight.route = way.decision
  flight.record?.({ kind: 'route', decision: way.decision, why: 'arrival' })
  const nextHop = way.decision.gateway ?? flight.packet.dst
  const neighbour = flight.world.links && findNeighbour(flight.world, flight.host, { device: bridge.name, nextHop, source: flight.packet.src })
  if (neighbour?.kind === 'none') return endedOutcome(flight, byKernel('neighbour-unknown'))
  flight.macDestination = neighbour?.kind === 'mac' ? neighbour.mac : undefined
  const exit = neighbour?.kind === 'outside' ? neighbour.port : undefined
  return cross(flight, port, bridge, exit ?? targetPort(flight, bridge, nextHop))
}

/** FORWARD and POSTROUTING with the bridge as both devices; the ports are what physdev sees. */
function cross(flight: Flight, port: string, bridge: Device, target: string | undefined): Outcome {
  const ports = portsTo(flight, port, bridge, target)
  const last = ports.at(-1)
  if (last === undefined) return endedOutcome(flight, byKernel('bridge-same-port'))
  sendCopies(flight, ports.slice(0, -1), copy => crossTo(copy, bridge))
  flight.bridgeOut = last
  return crossTo(flight, bridge)
}

/** To the port `flight.bridgeOut`. */
function crossTo(flight: Flight, bridge: Device): Outcome {
  flight.outDevice = bridge.name
  flight.bridged = true
  const stopped = runHook(flight, 'FORWARD')
  if (stopped) return endedOutcome(flight, stopped)
  flight.inDevice = ''
  const ended = runHook(flight, 'POSTROUTING')
  return ended ? endedOutcome(flight, ended) : bridgeOutcome(flight, bridge)
}

/** Each port gets a copy of its own; they share their connection. The port that was added last comes first. Source: net/bridge/br_forward.c br_flood(). */
function sendCopies(flight: Flight, ports: readonly string[], send: (copy: Flight) => Outcome): void {
  for (const port of ports) {
    const events: TraceEvent[] = []
    const copy = copyFlight(flight, flight.record && (event => void events.push(event)))
    copy.bridgeOut = port
    const outcome = send(copy)
    flight.way.copies.push(outcome)
    flight.record?.({ kind: 'copy', port, trace: { events, outcome, way: copy.way, assumed: [], answers: [] } })
  }
}

function crossSilently(flight: Flight, port: string, bridge: Device, target: string | undefined): Outcome {
  const ports = portsTo(flight, port, bridge, target)
  return ports.length === 0 ? endedOutcome(flight, byKernel('bridge-same-port')) : bridgeOutcome(flight, bridge, ports)
}

function bridgeOutcome(flight: Flight, bridge: Device, ports: readonly string[] = [flight.bridgeOut]): Outcome {
  return { kind: 'bridge', namespace: flight.host.namespace.name, device: bridge.name, ports, ...(flight.macDestination === undefined ? {} : { macDestination: flight.macDestination }), packet: flight.packet }
}

/** A frame goes back out of the port it came from in hairpin mode only; to an unknown neighbour it goes to all other ports. */
function portsTo(flight: Flight, port: string, bridge: Device, target: string | undefined): readonly string[] {
  const all = flight.host.namespace.devices.filter(device => device.master === bridge.name && device.up)
  return all.filter(device => (target === undefined || device.name === target) && (device.name !== port || device.hairpin)).map(device => device.name).reverse()
}

/** Without a MAC address: a destination on the bridge's own network that is not ours belongs to a neighbour. Broadcast and multicast go up too. */
function isAddressedTo(flight: Flight, bridge: Device): boolean {
  const { packet: { dst, packetType }, macDestination } = flight
  if (packetType !== 'unicast') return true
  if (macDestination !== undefined) return isOwnMac(flight.host, bridge, macDestination)
  if (isMulticast(dst) || isOwnAddress(flight.host.namespace, dst)) return true
  const route = lookupRoute(flight.host.fib, { destination: dst, mark: 0, tos: 0 })
  return !(route.kind === 'unicast' && route.device === bridge.name && route.gateway === undefined)
}

/** By the MAC address where it is known, else by the neighbour that has the IP address. */
function targetPort(flight: Flight, bridge: Device, address: Address): string | undefined {
  const { host, macDestination } = flight
  if (macDestination !== undefined) return knownPort(host, bridge.name, macDestination)
  return host.namespace.neighbours.find(neighbour => neighbour.device === bridge.name && neighbour.address === address)?.port
}
