/** A host with its engine -> the world that packets go through: bridges, veth pairs, a namespace for each container, sysctls. */

import { addressWidth, familyOf, maskOfLength, writePrefix } from '../net/address.ts'
import type { Address, Family } from '../net/address.ts'
import { lengthOf } from '../net/prefix-math.ts'
import { hexDigits, sha256 } from '../net/sha256.ts'
import { LOOPBACK } from '../topology/loopback.ts'
import { makeNamespace, ROUTE_TABLE } from '../topology/topology.ts'
import type { Container, Device, DeviceAddress, Ipset, Label, Namespace, Neighbour, Route, Topology } from '../topology/topology.ts'
import { BRIDGE_SET } from './chains.ts'
import { gatewaysOf } from './gateway.ts'
import { hostSysctls } from './host-sysctls.ts'
import type { DockerHost, DockerNetwork, Endpoint, Sandbox } from './model.ts'

/** Returns the world: the host's own namespace first. `outside` has the devices and routes that the host has without its engine. */
export function toTopology(host: DockerHost, outside: Namespace): Topology {
  const endpoints = host.sandboxes.flatMap(sandbox => sandbox.endpoints.map(endpoint => ({ sandbox, endpoint })))
  const isHairpin = !host.options.userlandProxy
  const main: Namespace = {
    ...outside,
    devices: [...outside.devices, ...host.networks.map(bridgeOf), ...endpoints.map(({ sandbox, endpoint }) => outerDevice(sandbox, endpoint, isHairpin))],
    neighbours: [...outside.neighbours, ...endpoints.flatMap(({ sandbox, endpoint }) => neighboursOf(sandbox, endpoint))],
    sysctls: { ...outside.sysctls, ...hostSysctls(host) },
    ipsets: [...outside.ipsets, ...bridgeSets(host)],
  }
  return {
    namespaces: [main, ...host.sandboxes.filter(({ kind }) => kind === 'own').map(sandbox => containerNamespace(sandbox, host, main.name))],
    labels: endpoints.flatMap(({ sandbox, endpoint }): Label[] => Object.values(endpoint.addresses).map(address => ({ address, words: `container ${sandbox.container}` }))),
    containers: host.sandboxes.flatMap(sandbox => placesOf(sandbox, main.name)),
    assumptions: [],
  }
}

/** Returns the name of an endpoint's device on the host; a real engine draws it by lot. */
export function outerName({ container }: Pick<Sandbox, 'container'>, { network }: Endpoint): string {
  return `veth${hexDigits(sha256(`endpoint:${network.name}:${container}`)).slice(0, 7)}`
}

function bridgeOf(network: DockerNetwork): Device {
  const addresses = (['ipv4', 'ipv6'] as const).flatMap((family): DeviceAddress[] => {
    const side = network.sides[family]
    const isBare = family === 'ipv4' && network.inhibitIpv4
    return side?.gateway === undefined || isBare ? [] : [{ address: side.gateway, length: lengthOf(side.prefix) }]
  })
  return { name: network.bridge, kind: 'bridge', addresses, mtu: network.mtu, up: true, hairpin: false }
}

function outerDevice(sandbox: Sandbox, endpoint: Endpoint, hairpin: boolean): Device {
  const { network, device } = endpoint
  return { name: outerName(sandbox, endpoint), kind: 'veth', addresses: [], master: network.bridge, peer: { namespace: sandbox.container, device }, mtu: network.mtu, up: true, hairpin }
}

/** Since 28 MAC addresses are drawn by lot: locally administered ones, made from the names, stand for them. */
function macOf({ container }: Sandbox, { network, mac }: Endpoint): string {
  return mac ?? `02${hexDigits(sha256(`mac:${network.name}:${container}`)).slice(0, 10)}`
}

function neighboursOf(sandbox: Sandbox, endpoint: Endpoint): Neighbour[] {
  const place = { device: endpoint.network.bridge, mac: macOf(sandbox, endpoint), port: outerName(sandbox, endpoint) }
  return Object.values(endpoint.addresses).map(address => ({ ...place, address }))
}

function containerNamespace(sandbox: Sandbox, host: DockerHost, hostName: string): Namespace {
  const { ipv4, ipv6 } = gatewaysOf(sandbox.endpoints, host.engine)
  return makeNamespace({
    name: sandbox.container,
    devices: [LOOPBACK, ...sandbox.endpoints.map(endpoint => innerDevice(sandbox, endpoint, hostName))],
    routes: [...defaultRoute(ipv4, 'ipv4'), ...defaultRoute(ipv6, 'ipv6')],
    sysctls: { 'net.ipv4.ip_forward': '0', 'net.ipv6.conf.all.forwarding': '0', ...sandbox.sysctls },
  })
}

function innerDevice(sandbox: Sandbox, endpoint: Endpoint, hostName: string): Device {
  const { network, device, addresses } = endpoint
  const own = Object.values(addresses).map((address): DeviceAddress => {
    const side = network.sides[familyOf(address)]
    return { address, length: side ? lengthOf(side.prefix) : addressWidth(familyOf(address)) }
  })
  return { name: device, kind: 'veth', addresses: own, peer: { namespace: hostName, device: outerName(sandbox, endpoint) }, mac: macOf(sandbox, endpoint), mtu: network.mtu, up: true, hairpin: false }
}

function defaultRoute(endpoint: Endpoint | undefined, family: Family): Route[] {
  const gateway = endpoint?.network.sides[family]?.gateway
  if (!endpoint || gateway === undefined || endpoint.addresses[family] === undefined) return []
  const anywhere: Address = family === 'ipv4' ? 0 : 0n
  return [{ kind: 'unicast', prefix: { address: anywhere, mask: maskOfLength(family, 0) }, table: ROUTE_TABLE.main, metric: family === 'ipv4' ? 0 : 1024, device: endpoint.device, gateway }]
}

/** The sets of 28.0.0. */
function bridgeSets({ engine, networks }: DockerHost): Ipset[] {
  if (engine.flavor !== '28.0.0') return []
  return (['ipv4', 'ipv6'] as const).map(family => ({
    name: BRIDGE_SET[family], type: 'hash:net', family: family === 'ipv4' ? 'inet' : 'inet6',
    entries: networks.flatMap(({ isInternal, sides }) => (isInternal || !sides[family] ? [] : [{ text: writePrefix(sides[family].prefix), nomatch: false }])),
  }))
}

function placesOf({ container, kind, endpoints, guests }: Sandbox, hostName: string): Container[] {
  const mode = kind === 'host' ? 'host' : endpoints.length === 0 ? 'none' : endpoints.map(({ network }) => network.name).join(', ')
  const namespace = kind === 'host' ? hostName : container
  return [{ name: container, namespace, mode }, ...guests.map(name => ({ name, namespace, mode: `container:${container}` }))]
}
