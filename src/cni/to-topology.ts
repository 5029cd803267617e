/** Networks and their pods -> the world that packets go through: bridges, veth pairs, a namespace for each pod, sysctls. */

import { addressWidth, familyOf, maskOfLength } from '../net/address.ts'
import type { Address, Family, Prefix } from '../net/address.ts'
import { lengthOf } from '../net/prefix-math.ts'
import { hexDigits, sha256 } from '../net/sha256.ts'
import { LOOPBACK } from '../topology/loopback.ts'
import { makeNamespace, ROUTE_TABLE } from '../topology/topology.ts'
import type { Device, DeviceAddress, Namespace, Route, Topology } from '../topology/topology.ts'
import type { NetworkPart } from './generate.ts'
import { bridgeOf } from './model.ts'
import type { BridgePlugin, CniHost, Pod } from './model.ts'
import type { NetavarkHost } from './netavark.ts'

/** A bridge with the pods on it. */
interface BridgePlan {
  readonly name: string
  readonly mtu: number
  readonly addresses: readonly DeviceAddress[]
  readonly hairpin: boolean
  readonly publishes: boolean
  readonly forwards: readonly Family[]
  readonly pods: readonly PodPlace[]
}

interface PodPlace {
  readonly name: string
  readonly addresses: readonly DeviceAddress[]
  readonly routes: readonly Route[]
}

/** The device of a pod, as runtimes call it. */
const POD_DEVICE = 'eth0'

/** Returns the world: the host's own namespace first. `outside` has the devices and routes that the host has without its networks. */
export function toTopology(parts: readonly NetworkPart[], outside: Namespace): Topology {
  const bridges = parts.flatMap(part => (part.kind === 'cni' ? cniBridges(part.host) : part.kind === 'netavark' ? podmanBridges(part.host) : []))
  const places = bridges.flatMap(bridge => bridge.pods.map(pod => ({ bridge, pod })))
  const main: Namespace = {
    ...outside,
    devices: [...outside.devices, ...bridges.map(bridgeDevice), ...places.map(({ bridge, pod }) => outerDevice(bridge, pod))],
    neighbours: [...outside.neighbours, ...places.flatMap(({ bridge, pod }) => pod.addresses.map(({ address }) => ({ address, device: bridge.name, mac: macOf(pod), port: outerName(pod) })))],
    sysctls: { ...outside.sysctls, ...Object.assign({}, ...bridges.map(sysctlsOf)) },
  }
  return {
    namespaces: [main, ...places.map(({ bridge, pod }) => podNamespace(bridge, pod, main.name))],
    labels: places.flatMap(({ pod }) => pod.addresses.map(({ address }) => ({ address, words: `pod ${pod.name}` }))),
    containers: places.map(({ bridge, pod }) => ({ name: pod.name, namespace: pod.name, mode: bridge.name })),
    assumptions: [],
  }
}

function cniBridges({ networks, pods }: CniHost): readonly BridgePlan[] {
  return networks.flatMap(network => {
    const plugin = bridgeOf(network)
    if (!plugin) return []
    const own = pods.filter(({ joined }) => joined === network)
    const published = own.some(({ mappings }) => mappings.length > 0) && network.plugins.some(other => other.kind === 'portmap' && other.snat && other.takesMappings)
    const families = [...new Set(own.flatMap(({ addresses }) => addresses.map(({ address }) => familyOf(address))))]
    return [{
      name: plugin.bridge, mtu: plugin.mtu, hairpin: plugin.hairpin, publishes: published,
      addresses: plugin.isGateway ? gatewaysOf(own) : [],
      forwards: plugin.isGateway ? families : [],
      pods: own.map(pod => ({ name: pod.name, addresses: pod.addresses, routes: routesOf(pod, plugin) })),
    }]
  })
}

function gatewaysOf(pods: readonly Pod[]): readonly DeviceAddress[] {
  const all = pods.flatMap(({ gateways, addresses }) => addresses.flatMap(({ address, length }) => {
    const gateway = gateways[familyOf(address)]
    return gateway === undefined ? [] : [{ address: gateway, length }]
  }))
  return all.filter(({ address }, index) => all.findIndex(other => other.address === address) === index)
}

/** A default gateway makes a default route where the address plugin names none. */
function routesOf({ gateways, addresses }: Pod, { isDefaultGateway, ipam }: BridgePlugin): readonly Route[] {
  const families = [...new Set(addresses.map(({ address }) => familyOf(address)))]
  const asked = ipam.routes.map(({ destination, gateway }) => ({ destination, gateway: gateway ?? gateways[familyOf(destination.address)] }))
  const defaults = families.filter(() => isDefaultGateway).map(family => ({ destination: anywhere(family), gateway: gateways[family] }))
  const missing = defaults.filter(({ destination }) => !asked.some(other => other.destination.address === destination.address && other.destination.mask === destination.mask))
  return [...asked, ...missing].flatMap(({ destination, gateway }) => (gateway === undefined ? [] : [routeBy(destination, gateway)]))
}

function podmanBridges({ networks }: NetavarkHost): readonly BridgePlan[] {
  return networks.filter(({ containers }) => containers.length > 0).map(({ bridge, subnets, containers }) => {
    const sides = Object.values(subnets)
    const withLength = (address: Address): DeviceAddress => {
      const side = sides.find(({ prefix }) => familyOf(prefix.address) === familyOf(address))
      return { address, length: side ? lengthOf(side.prefix) : addressWidth(familyOf(address)) }
    }
    return {
      name: bridge, mtu: 1500, hairpin: true, publishes: containers.some(({ ports }) => ports.length > 0),
      addresses: sides.map(({ gateway }) => withLength(gateway)),
      forwards: sides.map(({ prefix }) => familyOf(prefix.address)),
      pods: containers.map(({ name, addresses }) => ({
        name, addresses: Object.values(addresses).map(withLength),
        routes: sides.filter(({ gateway }) => addresses[familyOf(gateway)] !== undefined).map(({ gateway }) => routeBy(anywhere(familyOf(gateway)), gateway)),
      })),
    }
  })
}

function anywhere(family: Family): Prefix {
  return { address: family === 'ipv4' ? 0 : 0n, mask: maskOfLength(family, 0) }
}

function routeBy(prefix: Prefix, gateway: Address): Route {
  return { kind: 'unicast', prefix, table: ROUTE_TABLE.main, metric: familyOf(gateway) === 'ipv4' ? 0 : 1024, device: POD_DEVICE, gateway }
}

function sysctlsOf({ name, publishes, forwards }: BridgePlan): Readonly<Record<string, string>> {
  return {
    ...(forwards.includes('ipv4') ? { 'net.ipv4.ip_forward': '1' } : {}),
    ...(forwards.includes('ipv6') ? { 'net.ipv6.conf.all.forwarding': '1' } : {}),
    ...(publishes ? { [`net.ipv4.conf.${name}.route_localnet`]: '1' } : {}),
  }
}

function bridgeDevice({ name, mtu, addresses }: BridgePlan): Device {
  return { name, kind: 'bridge', addresses, mtu, up: true, hairpin: false }
}

function outerDevice({ name, mtu, hairpin }: BridgePlan, pod: PodPlace): Device {
  return { name: outerName(pod), kind: 'veth', addresses: [], master: name, peer: { namespace: pod.name, device: POD_DEVICE }, mtu, up: true, hairpin }
}

/** Real names and MAC addresses are drawn by lot: those made from the pod's name stand for them. */
function outerName({ name }: PodPlace): string {
  return `veth${hexDigits(sha256(`pod:${name}`)).slice(0, 8)}`
}

function macOf({ name }: PodPlace): string {
  return `02${hexDigits(sha256(`mac:${name}`)).slice(0, 10)}`
}

function podNamespace({ mtu }: BridgePlan, pod: PodPlace, hostName: string): Namespace {
  const device: Device = { name: POD_DEVICE, kind: 'veth', addresses: pod.addresses, peer: { namespace: hostName, device: outerName(pod) }, mac: macOf(pod), mtu, up: true, hairpin: false }
  return makeNamespace({ name: pod.name, devices: [LOOPBACK, device], routes: [...pod.routes], sysctls: { 'net.ipv4.ip_forward': '0', 'net.ipv6.conf.all.forwarding': '0' } })
}
