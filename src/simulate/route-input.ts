/** Routing of packets that arrive: for us, through us, or refused. Source: net/ipv4/route.c ip_route_input_slow(), fib_frontend.c fib_validate_source(). */

import type { Address, Family } from '../net/address.ts'
import { lookupRoute } from '../topology/fib.ts'
import type { RouteDecision } from '../topology/fib.ts'
import type { Device } from '../topology/topology.ts'
import type { Flight } from './flight.ts'
import { isLimitedBroadcast, isMulticast } from './group-address.ts'
import type { KernelReason } from './trace-events.ts'
import { deviceSysctl } from './world.ts'

/** Where an arrived packet goes; `refused` with the kernel's reason, `answered` where an ICMP error says so. */
export type InputRoute =
  | { readonly kind: 'local' | 'forward'; readonly decision: RouteDecision }
  | { readonly kind: 'refused'; readonly decision: RouteDecision; readonly reason: KernelReason; readonly icmpCode?: number }

/** What routing looks at. */
export type ArrivedPacket = Pick<Flight, 'host' | 'packet' | 'inDevice'>

/** Returns the way of a packet that came in. */
export function routeInput(flight: ArrivedPacket): InputRoute {
  return flight.packet.family === 'ipv4' ? routeInput4(flight) : routeInput6(flight)
}

/** The group of all hosts, which every device is in. */
export const ALL_HOSTS = 0xe0000001

function routeInput4(flight: ArrivedPacket): InputRoute {
  const { host, packet, inDevice } = flight
  const { src, dst } = packet
  if (isMulticast(dst) && dst !== ALL_HOSTS) return refused(dst, 'multicast', 'not-for-this-host')
  if (isMulticast(src) || isLimitedBroadcast(src)) return refused(dst, 'martian', 'martian-source')
  if (dst === ALL_HOSTS) return deliverGroup(flight, { kind: 'multicast', destination: dst })
  if (isLimitedBroadcast(dst) || (src === 0 && dst === 0)) return deliverGroup(flight, { kind: 'broadcast', destination: dst })
  if (isZeroNet(src)) return refused(dst, 'martian', 'martian-source')
  if (isZeroNet(dst)) return refused(dst, 'martian', 'martian-destination')
  const mayRouteLoopback = deviceSysctl(host, inDevice, 'route_localnet') !== 0
  if (isLoopback(dst) && !mayRouteLoopback) return refused(dst, 'martian', 'martian-destination')
  if (!isLoopback(dst) && isLoopback(src) && !mayRouteLoopback) return refused(dst, 'martian', 'martian-source')
  const decision = lookupRoute(host.fib, { destination: dst, source: src, mark: packet.mark, tos: packet.tos, inDevice })
  switch (decision.kind) {
    case 'broadcast':
      return deliverGroup(flight, decision)
    case 'local': {
      const problem = sourceProblem(flight, src)
      return problem ? refused(dst, 'martian', problem) : { kind: 'local', decision }
    }
    case 'unicast':
      return forward4(flight, decision)
    default:
      return noRoute(flight, decision)
  }
}

function forward4(flight: ArrivedPacket, decision: RouteDecision): InputRoute {
  if (!flight.host.sysctls.forward4) return { kind: 'refused', decision, reason: 'forwarding-off' }
  const problem = sourceProblem(flight, flight.packet.src)
  if (problem) return refused(flight.packet.dst, 'martian', problem)
  return { kind: 'forward', decision }
}

/** Kernel: where forwarding is on, the sender is told by ICMP. Source: route.c ip_error(). */
function noRoute(flight: ArrivedPacket, decision: RouteDecision): InputRoute {
  const reason = decision.kind === 'blackhole' ? 'blackhole-route' : decision.kind === 'prohibit' ? 'prohibit-route' : decision.kind === 'unreachable' ? 'unreachable-route' : 'no-route'
  if (!flight.host.sysctls.forward4) return { kind: 'refused', decision, reason: 'forwarding-off' }
  if (decision.kind === 'blackhole') return { kind: 'refused', decision, reason }
  return { kind: 'refused', decision, reason, icmpCode: decision.kind === 'prohibit' ? 13 : decision.kind === 'unreachable' ? 1 : 0 }
}

function deliverGroup(flight: ArrivedPacket, decision: RouteDecision): InputRoute {
  const { src, dst } = flight.packet
  const problem = isZeroNet(src) ? undefined : sourceProblem(flight, src)
  return problem ? refused(dst, 'martian', problem) : { kind: 'local', decision }
}

/** Returns why the source address is not believed. Source: fib_frontend.c __fib_validate_source(). */
function sourceProblem(flight: ArrivedPacket, source: Address): KernelReason | undefined {
  const { host, inDevice } = flight
  const filter = deviceSysctl(host, inDevice, 'rp_filter')
  const acceptsLocal = deviceSysctl(host, inDevice, 'accept_local') !== 0
  if (filter === 0 && !host.fib.hasCustomRules) return !acceptsLocal && host.fib.ownAddresses.has(source) ? 'martian-source' : undefined
  const isMarked = deviceSysctl(host, inDevice, 'src_valid_mark') !== 0
  const back = lookupRoute(host.fib, { destination: source, source: flight.packet.dst, mark: isMarked ? flight.packet.mark : 0, tos: flight.packet.tos })
  const isStrict = filter === 1
  if (back.kind === 'local' || back.kind === 'broadcast') return back.kind === 'local' && acceptsLocal ? undefined : 'martian-source'
  if (back.kind !== 'unicast') return filter === 0 ? undefined : 'reverse-path'
  if (back.device === inDevice) return undefined
  const hasAddress = host.devices.get(inDevice)?.addresses.some(own => typeof own.address === 'number')
  return isStrict || (!hasAddress && filter !== 0) ? 'reverse-path' : undefined
}

function routeInput6(flight: ArrivedPacket): InputRoute {
  const { host, packet, inDevice } = flight
  const { src, dst } = packet
  if (typeof dst === 'bigint' && isMulticast(dst)) {
    if (isJoined6(flight, dst)) return { kind: 'local', decision: { kind: 'multicast', destination: dst } }
    return refused(dst, 'multicast', 'not-for-this-host')
  }
  if (dst === 1n && inDevice !== 'lo') return refused(dst, 'martian', 'martian-destination')
  const decision = lookupRoute(host.fib, { destination: dst, source: src, mark: packet.mark, tos: packet.tos, inDevice })
  if (decision.kind === 'local') return { kind: 'local', decision }
  if (refusesOnLoopback('ipv6', decision, host.devices.get(decision.device ?? ''))) return { kind: 'refused', decision, reason: 'unreachable-route', icmpCode: 0 }
  if (!host.sysctls.forward6) return { kind: 'refused', decision, reason: 'forwarding-off' }
  if (decision.kind === 'unicast') return { kind: 'forward', decision }
  const reason = decision.kind === 'blackhole' ? 'blackhole-route' : decision.kind === 'prohibit' ? 'prohibit-route' : 'no-route'
  return decision.kind === 'blackhole' ? { kind: 'refused', decision, reason } : { kind: 'refused', decision, reason, icmpCode: decision.kind === 'prohibit' ? 1 : 0 }
}

/** Whether a route over lo refuses: in IPv6 all but those to own addresses. Source: net/ipv6/route.c fib6_is_reject(). */
export function refusesOnLoopback(family: Family, route: RouteDecision | undefined, device: Device | undefined): boolean {
  return family === 'ipv6' && route?.kind === 'unicast' && device?.kind === 'loopback'
}

/** All nodes, all routers, and the solicited-node groups of the device's own addresses. */
function isJoined6(flight: ArrivedPacket, group: bigint): boolean {
  const scope = Number((group >> 112n) & 0xfn)
  const rest = group & ((1n << 112n) - 1n)
  if ((scope === 1 || scope === 2) && (rest === 1n || (rest === 2n && flight.host.sysctls.forward6))) return true
  const own = flight.host.devices.get(flight.inDevice)?.addresses ?? []
  return scope === 2 && own.some(({ address }) => typeof address === 'bigint' && rest === ((0x1ffn << 24n) | (address & 0xffffffn)))
}

function refused(destination: Address, kind: RouteDecision['kind'], reason: KernelReason): InputRoute {
  return { kind: 'refused', decision: { kind, destination }, reason }
}

function isLoopback(address: Address): boolean {
  return typeof address === 'number' && address >>> 24 === 127
}

function isZeroNet(address: Address): boolean {
  return typeof address === 'number' && address >>> 24 === 0
}
