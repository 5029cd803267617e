/** Routing of what this host sends, and routing anew after OUTPUT changed a packet. Source: net/ipv4/route.c ip_route_output_key_hash_rcu(). */

import { ADDRESS_TYPE } from '../meaning/fields.ts'
import type { Address } from '../net/address.ts'
import { addressType, lookupRoute, selectAddress } from '../topology/fib.ts'
import type { RouteDecision } from '../topology/fib.ts'
import type { Flight } from './flight.ts'
import { isLimitedBroadcast, isMulticast } from './group-address.ts'
import { deviceSysctl } from './world.ts'
import type { Host } from './world.ts'

/** What the lookup goes by; `source` is absent where the kernel would choose it. */
export interface OutputQuery {
  readonly destination: Address
  readonly source?: Address
  readonly mark: number
  readonly tos: number
  /** Only by this device. */
  readonly outDevice?: string
}

/** Returns the route for a packet of this host; undefined where there is none it could be sent by. `device` is where it leaves, `lo` for own addresses. */
export function routeOutput(host: Host, query: OutputQuery): RouteDecision | undefined {
  if (query.outDevice !== undefined && !host.devices.get(query.outDevice)?.up) return undefined
  if (isLimitedBroadcast(query.destination) || isMulticast(query.destination)) return routeGroup(host, query)
  const found = lookupRoute(host.fib, query)
  switch (found.kind) {
    case 'local':
      return { ...found, device: 'lo' }
    case 'unicast':
    case 'broadcast':
    case 'multicast':
      return mayCarry(host, found, query.source) ? found : undefined
    default:
      return found.kind === 'none' ? assumedOnLink(host, query) : undefined
  }
}

/** Kernel: for a socket that is bound to a device a destination without a route is on the link. Source: route.c "Apparently, routing tables are wrong". */
function assumedOnLink(host: Host, { destination, outDevice }: OutputQuery): RouteDecision | undefined {
  if (outDevice === undefined || typeof destination === 'bigint' || !host.devices.get(outDevice)?.up) return undefined
  return { kind: 'unicast', destination, device: outDevice }
}

/** Looks the packet's route up again; false where there is none, and then it is dropped. Source: net/ipv4/netfilter.c ip_route_me_harder(). */
export function reroute(flight: Flight): boolean {
  const { packet, host } = flight
  const type = addressType(host.fib, packet.src)
  const keepsSource = packet.family === 'ipv6' || type === ADDRESS_TYPE.LOCAL || type === ADDRESS_TYPE.UNICAST
  const decision = routeOutput(host, { destination: packet.dst, ...(keepsSource ? { source: packet.src } : {}), mark: packet.mark, tos: packet.tos, ...(flight.boundTo === undefined ? {} : { outDevice: flight.boundTo }) })
  if (!decision) return false
  flight.route = decision
  flight.record?.({ kind: 'route', decision, why: 'reroute' })
  return true
}

/** Returns the source address that the host uses on a route. Source: fib_result_prefsrc(). */
export function sourceFor(host: Host, decision: RouteDecision, destination: Address): Address | undefined {
  if (typeof destination === 'number' && decision.source !== undefined) return decision.source
  if (decision.kind === 'local') return destination
  const device = decision.device === undefined ? undefined : host.devices.get(decision.device)
  return selectAddress(host.namespace, device, typeof destination === 'number' ? 'ipv4' : 'ipv6', decision.gateway ?? destination)
}

/** Kernel: a 127.0.0.0/8 source leaves only by lo, or with route_localnet. Source: route.c __mkroute_output(). */
function mayCarry(host: Host, decision: RouteDecision, source: Address | undefined): boolean {
  const { device } = decision
  if (device === undefined || !host.devices.get(device)?.up) return false
  if (typeof source !== 'number' || source >>> 24 !== 127) return true
  return host.devices.get(device)?.kind === 'loopback' || deviceSysctl(host, device, 'route_localnet') !== 0
}

/** Broadcast and multicast go by the device that has the source address, else by the route. */
function routeGroup(host: Host, query: OutputQuery): RouteDecision | undefined {
  const kind = isMulticast(query.destination) ? 'multicast' : 'broadcast'
  const bySource = host.namespace.devices.find(device => device.addresses.some(own => own.address === query.source))
  if (bySource) return { kind, destination: query.destination, device: bySource.name }
  const found = lookupRoute(host.fib, query)
  return found.device === undefined ? undefined : { ...found, kind }
}
