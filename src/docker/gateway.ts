/** Which endpoints of a container lead to the world. Source: daemon/libnetwork/sandbox.go Endpoint.Less(), default_gateway.go getGatewayEndpoint(). */

import type { Family } from '../net/address.ts'
import { SWARM_GATEWAY } from './default-network.ts'
import { isAtLeast, isClassic } from './engine.ts'
import type { Engine } from './engine.ts'
import type { Endpoint } from './model.ts'

/** The endpoints through which ports are mapped and default routes go. */
export interface Gateways {
  readonly ipv4: Endpoint | undefined
  readonly ipv6: Endpoint | undefined
}

/** Returns the gateways among the endpoints that have joined. Up to 27 one endpoint serves both families. */
export function gatewaysOf(endpoints: readonly Endpoint[], engine: Engine): Gateways {
  const ranked = endpoints.toSorted((one, other) => compare(one, other, engine))
  const [ipv4, ipv6] = [ranked.find(endpoint => hasGateway(endpoint, 'ipv4')), ranked.find(endpoint => hasGateway(endpoint, 'ipv6'))]
  if (isClassic(engine)) return { ipv4, ipv6: ipv4 }
  const both = isAtLeast(engine, 29) ? undefined : ranked.find(endpoint => hasGateway(endpoint, 'ipv4') && hasGateway(endpoint, 'ipv6'))
  return both ? { ipv4: both, ipv6: both } : { ipv4, ipv6 }
}

/** Tells whether an endpoint leads to the world in a family: internal networks do not. */
export function hasGateway({ network, addresses }: Endpoint, family: Family): boolean {
  return !network.isInternal && addresses[family] !== undefined && network.sides[family]?.gateway !== undefined
}

function compare(one: Endpoint, other: Endpoint, engine: Engine): number {
  const priority = isAtLeast(engine, 28) ? other.gatewayPriority - one.gatewayPriority : 0
  if (priority !== 0) return priority
  const swarm = Number(one.network.name === SWARM_GATEWAY) - Number(other.network.name === SWARM_GATEWAY)
  if (swarm !== 0) return swarm
  const internal = Number(one.network.isInternal) - Number(other.network.isInternal)
  if (internal !== 0) return internal
  const weight = weightOf(other, engine) - weightOf(one, engine)
  if (weight !== 0) return weight
  return one.network.name < other.network.name ? -1 : one.network.name > other.network.name ? 1 : 0
}

/** More families come first; up to 27 IPv6 counts twice. */
function weightOf(endpoint: Endpoint, engine: Engine): number {
  const [ipv4, ipv6] = [Number(hasGateway(endpoint, 'ipv4')), Number(hasGateway(endpoint, 'ipv6'))]
  return isAtLeast(engine, 28) ? ipv4 + ipv6 : ipv4 + 2 * ipv6
}
