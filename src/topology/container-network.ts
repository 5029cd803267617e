/**
 * The container network model as plain namespaces and links: a network is a bridge of the host, an endpoint a veth pair between it
 * and the sandbox of a container. The four modes of docker are networks, `host`, `none` and `container:NAME`.
 */

import { addressWidth, familyOf, maskOfLength, prefixOf } from '../net/address.ts'
import type { Address, Family } from '../net/address.ts'
import { DEVICE_NAME_LIMIT } from '../net/device-name.ts'
import { LOOPBACK } from './loopback.ts'
import { makeNamespace, ROUTE_TABLE } from './topology.ts'
import type { Container, Device, DeviceAddress, Label, ListeningSocket, Namespace, Route, RulesetText } from './topology.ts'

/** A network of containers on one host. */
export interface ContainerNetwork {
  readonly name: string
  /** The bridge of the host. */
  readonly bridge: string
  /** The bridge's addresses, which are the gateways; their prefixes are the subnets. */
  readonly gateways: readonly DeviceAddress[]
  /** Without a default route for its containers. */
  readonly internal: boolean
}

/** How a container is attached; `shared` with the sandbox of another container. */
export type ContainerMode =
  | { readonly kind: 'networks'; readonly endpoints: readonly Endpoint[] }
  | { readonly kind: 'host' | 'none' }
  | { readonly kind: 'shared'; readonly container: string }

/** A container's place in a network; addresses that are not given are the next free ones. */
export interface Endpoint {
  readonly network: ContainerNetwork
  readonly addresses: readonly Address[]
}

/** A container to place. */
export interface ContainerPlan {
  readonly name: string
  readonly mode: ContainerMode
  readonly sockets?: readonly ListeningSocket[]
  readonly sysctls: Readonly<Record<string, string>>
  readonly rulesets: readonly RulesetText[]
}

/** A host with its containers: itself first, then the sandboxes. */
export interface ContainerHost {
  readonly namespaces: readonly Namespace[]
  readonly containers: readonly Container[]
  readonly labels: readonly Label[]
}

/** The network of containers that name none. */
export const DEFAULT_NETWORK: ContainerNetwork = { name: 'bridge', bridge: 'docker0', gateways: [{ address: 0xac110001, length: 16 }], internal: false }

/** Returns the host with a bridge for each network and the sandboxes of the containers. A `shared` sandbox must be that of another of these containers. */
export function placeContainers(host: Namespace, networks: readonly ContainerNetwork[], plans: readonly ContainerPlan[]): ContainerHost {
  const used = new Set<Address>(networks.flatMap(network => network.gateways.map(one => one.address)))
  for (const { mode } of plans) if (mode.kind === 'networks') for (const endpoint of mode.endpoints) for (const address of endpoint.addresses) used.add(address)
  const joined = plans.flatMap(plan => (plan.mode.kind === 'networks' ? joinNetworks(plan, plan.mode.endpoints, host.name, used) : []))
  const sandboxes = plans.flatMap(plan => {
    if (plan.mode.kind === 'none') return [sandbox(plan, [LOOPBACK], [])]
    const links = joined.filter(link => link.plan === plan)
    return plan.mode.kind === 'networks' ? [sandbox(plan, [LOOPBACK, ...links.map(link => link.inside)], links.flatMap((link, index) => defaultRoutes(link, index)))] : []
  })
  const places = plans.map(plan => ({ name: plan.name, namespace: placeOf(plan, plans, host.name), mode: modeName(plan.mode) }))
  const all = [{ ...host, devices: [...withBridges(host.devices, networks), ...joined.map(link => link.outside)] }, ...sandboxes]
  const namespaces = all.map(namespace => withSharedSockets(namespace, plans.filter(plan => plan.name !== namespace.name && places.some(place => place.name === plan.name && place.namespace === namespace.name))))
  return { namespaces, containers: places, labels: joined.flatMap(({ plan, inside }) => inside.addresses.map(({ address }) => ({ address, words: `container ${plan.name}` }))) }
}

interface Joint {
  readonly plan: ContainerPlan
  readonly network: ContainerNetwork
  readonly inside: Device
  readonly outside: Device
}

function joinNetworks(plan: ContainerPlan, endpoints: readonly Endpoint[], host: string, used: Set<Address>): readonly Joint[] {
  return endpoints.map(({ network, addresses }, index) => {
    const own = network.gateways.map(gateway => {
      const given = addresses.find(address => familyOf(address) === familyOf(gateway.address))
      return { address: given ?? nextFree(gateway, used), length: gateway.length }
    })
    const inner = `eth${index}`
    const outer = `veth-${plan.name}${index === 0 ? '' : `-${index}`}`.slice(0, DEVICE_NAME_LIMIT)
    const ipv4 = own.map(one => one.address).find(address => typeof address === 'number')
    const common = { kind: 'veth' as const, mtu: 1500, up: true, hairpin: false }
    return {
      plan, network,
      inside: { ...common, name: inner, addresses: own, peer: { namespace: host, device: outer }, ...(ipv4 === undefined ? {} : { mac: macOf(ipv4) }) },
      outside: { ...common, name: outer, addresses: [], master: network.bridge, peer: { namespace: plan.name, device: inner } },
    }
  })
}

/** The lowest address of the subnet that nobody has yet. */
function nextFree(gateway: DeviceAddress, used: Set<Address>): Address {
  const { address: first } = prefixOf(gateway.address, maskOfLength(familyOf(gateway.address), gateway.length))
  let next: Address = typeof first === 'number' ? first + 1 : first + 1n
  while (used.has(next)) next = typeof next === 'number' ? next + 1 : next + 1n
  used.add(next)
  return next
}

/** As docker makes them of the address. */
function macOf(address: number): string {
  return `0242${address.toString(16).padStart(8, '0')}`
}

/** The first network that is not internal has the default routes. */
function defaultRoutes({ network, inside }: Joint, index: number): Route[] {
  if (network.internal || index > 0) return []
  return network.gateways.map(({ address }) => {
    const family: Family = familyOf(address)
    const nowhere: Address = family === 'ipv4' ? 0 : 0n
    return { kind: 'unicast', prefix: { address: nowhere, mask: maskOfLength(family, 0) }, table: ROUTE_TABLE.main, metric: family === 'ipv4' ? 0 : 1024, device: inside.name, gateway: address }
  })
}

function sandbox(plan: ContainerPlan, devices: readonly Device[], routes: readonly Route[]): Namespace {
  return makeNamespace({ name: plan.name, devices, routes, sysctls: plan.sysctls, rulesets: plan.rulesets, ...(plan.sockets ? { sockets: plan.sockets } : {}) })
}

/** A bridge that the host describes itself keeps what it has. */
function withBridges(devices: readonly Device[], networks: readonly ContainerNetwork[]): readonly Device[] {
  const missing = networks.filter(network => !devices.some(device => device.name === network.bridge))
  return [...devices, ...missing.map(networkBridge)]
}

/** Returns the bridge of a network. */
export function networkBridge({ bridge, gateways }: ContainerNetwork): Device {
  return { name: bridge, kind: 'bridge', addresses: gateways, mtu: 1500, up: true, hairpin: false }
}

function placeOf(plan: ContainerPlan, plans: readonly ContainerPlan[], host: string): string {
  const { mode } = plan
  if (mode.kind === 'host') return host
  const other = mode.kind === 'shared' ? plans.find(one => one.name === mode.container && one !== plan) : undefined
  return other && other.mode.kind !== 'shared' ? placeOf(other, plans, host) : mode.kind === 'shared' ? mode.container : plan.name
}

function withSharedSockets(namespace: Namespace, guests: readonly ContainerPlan[]): Namespace {
  const sockets = guests.flatMap(plan => plan.sockets ?? [])
  return sockets.length === 0 ? namespace : { ...namespace, sockets: [...(namespace.sockets ?? []), ...sockets] }
}

function modeName(mode: ContainerMode): string {
  if (mode.kind === 'networks') return mode.endpoints.map(({ network }) => network.name).join(', ')
  return mode.kind === 'shared' ? `container:${mode.container}` : mode.kind
}

/** Returns the first address of a subnet with its length: the usual gateway. */
export function firstAddress(subnet: { readonly address: Address; readonly mask: Address }, length: number): DeviceAddress {
  return { address: typeof subnet.address === 'number' ? subnet.address + 1 : subnet.address + 1n, length: Math.min(length, addressWidth(familyOf(subnet.address))) }
}
