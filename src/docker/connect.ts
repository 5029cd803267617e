/**
 * One container joins its networks, one after the other. With each of them the gateways may change, and the published ports move:
 * rules of the old gateway go, those of the new one come at the end. Source: daemon/libnetwork/endpoint.go sbJoin().
 */

import { familyOf } from '../net/address.ts'
import type { Family } from '../net/address.ts'
import type { PortProtocol } from '../net/protocol.ts'
import { publishPorts, releaseBindings } from './bindings.ts'
import { isAtLeast, isClassic } from './engine.ts'
import type { Engine } from './engine.ts'
import { gatewaysOf } from './gateway.ts'
import type { Gateways } from './gateway.ts'
import type { HostPorts } from './host-ports.ts'
import type { Endpoint, PortBinding, PortRequest } from './model.ts'

/** A container that joins. */
export interface Joining {
  readonly owner: string
  /** In join order. */
  readonly endpoints: readonly Endpoint[]
  readonly requests: readonly PortRequest[]
  readonly exposed: readonly { readonly protocol: PortProtocol; readonly port: number }[]
  readonly engine: Engine
  readonly userlandProxy: boolean
}

/** The bindings that hold in the end, by the join with which they were made; or the request that stopped the container. */
export type JoinAnswer =
  | { readonly ok: true; readonly bindings: readonly (readonly PortBinding[])[] }
  | { readonly ok: false; readonly request: PortRequest; readonly owner: string | undefined }

/** Joins all endpoints; the host's ports of a container that is stopped are given back. */
export function joinAll(joining: Joining, ports: HostPorts): JoinAnswer {
  const state: JoinState = { joining, ports, published: new Map(), modes: new Map(), join: 0 }
  let before: Gateways = { ipv4: undefined, ipv6: undefined }
  for (const [index, endpoint] of joining.endpoints.entries()) {
    state.join = index
    const after = gatewaysOf(joining.endpoints.slice(0, index + 1), joining.engine)
    const stop = update(state, endpoint, before, after)
    if (stop) {
      for (const made of state.published.values()) releaseBindings(made.map(({ binding }) => binding), ports)
      return stop
    }
    before = after
  }
  const all = [...state.published.values()].flat()
  return { ok: true, bindings: joining.endpoints.map((_, index) => all.filter(made => made.join === index).map(({ binding }) => binding)) }
}

interface JoinState {
  readonly joining: Joining
  readonly ports: HostPorts
  readonly published: Map<Endpoint, readonly MadeBinding[]>
  /** What an endpoint has published so far, since 29. */
  readonly modes: Map<Endpoint, PublishMode>
  join: number
}

interface MadeBinding {
  readonly binding: PortBinding
  readonly join: number
}

interface PublishMode {
  readonly ipv4: boolean
  readonly ipv6: boolean
}

type Stop = Extract<JoinAnswer, { ok: false }>

function update(state: JoinState, endpoint: Endpoint, before: Gateways, after: Gateways): Stop | undefined {
  const { engine } = state.joining
  if (isAtLeast(engine, 29)) return updateByMode(state, endpoint, before, after)
  return isClassic(engine) ? updateOne(state, endpoint, before, after) : updatePair(state, endpoint, before, after)
}

/** Since 29 every endpoint publishes what it is the gateway for, and whatever is routed. */
function updateByMode(state: JoinState, endpoint: Endpoint, before: Gateways, after: Gateways): Stop | undefined {
  const isGateway = endpoint === after.ipv4 || endpoint === after.ipv6
  const others = isGateway ? [before.ipv4, before.ipv6] : []
  for (const one of new Set([...others, endpoint])) {
    const stop = one && setMode(state, one, after)
    if (stop) return stop
  }
  return undefined
}

function setMode(state: JoinState, endpoint: Endpoint, { ipv4, ipv6 }: Gateways): Stop | undefined {
  const had = state.modes.get(endpoint)
  const wants: PublishMode = { ipv4: ipv4 === endpoint, ipv6: ipv6 === endpoint || (ipv6 === undefined && ipv4 === endpoint) }
  if (had && had.ipv4 === wants.ipv4 && had.ipv6 === wants.ipv6) return undefined
  state.modes.set(endpoint, wants)
  const isRouted = (family: Family): boolean => endpoint.network.sides[family]?.mode === 'routed'
  withdraw(state, endpoint, family => !wants[family] && !isRouted(family))
  const adds = (family: Family): boolean => (wants[family] && !had?.[family]) || (isRouted(family) && !had)
  return publish(state, endpoint, FAMILIES.filter(adds), wants.ipv4 && state.joining.userlandProxy)
}

const FAMILIES: readonly Family[] = ['ipv4', 'ipv6']

/** Up to 27 one gateway publishes everything. */
function updateOne(state: JoinState, _endpoint: Endpoint, before: Gateways, after: Gateways): Stop | undefined {
  if (before.ipv4 === after.ipv4) return undefined
  if (before.ipv4) withdraw(state, before.ipv4, () => true)
  return after.ipv4 && publish(state, after.ipv4, FAMILIES, state.joining.userlandProxy)
}

/** In 28 each gateway publishes what it has addresses for; the IPv4 one serves IPv6 by the proxy only where nobody else does. */
function updatePair(state: JoinState, endpoint: Endpoint, before: Gateways, after: Gateways): Stop | undefined {
  if (endpoint !== after.ipv4 && endpoint !== after.ipv6) return undefined
  const isSplit = ({ ipv4, ipv6 }: Gateways): boolean => ipv4 !== undefined && ipv6 !== undefined && ipv4 !== ipv6
  const restarts = endpoint !== after.ipv4 && isSplit(before) !== isSplit(after)
  if (before.ipv4 && (endpoint === after.ipv4 || restarts)) withdraw(state, before.ipv4, () => true)
  if (before.ipv6 && endpoint === after.ipv6 && before.ipv6 !== before.ipv4) withdraw(state, before.ipv6, () => true)
  const proxies6 = state.joining.userlandProxy && !isSplit(after)
  const stop = publish(state, endpoint, FAMILIES, proxies6)
  return stop ?? (restarts && after.ipv4 ? publish(state, after.ipv4, FAMILIES, proxies6) : undefined)
}

function withdraw(state: JoinState, endpoint: Endpoint, isGone: (family: Family) => boolean): void {
  const made = state.published.get(endpoint) ?? []
  releaseBindings(made.filter(({ binding }) => isGone(familyOf(binding.hostAddress))).map(({ binding }) => binding), state.ports)
  state.published.set(endpoint, made.filter(({ binding }) => !isGone(familyOf(binding.hostAddress))))
}

function publish({ joining, ports, published, join }: JoinState, endpoint: Endpoint, families: readonly Family[], proxies6: boolean): Stop | undefined {
  const { requests, exposed, owner, engine } = joining
  if (requests.length === 0 || families.length === 0) return undefined
  const answer = publishPorts({ endpoint, requests, exposed, families, proxies6, owner, engine }, ports)
  if (!answer.ok) return answer
  published.set(endpoint, [...(published.get(endpoint) ?? []), ...answer.bindings.map(binding => ({ binding, join }))])
  return undefined
}
