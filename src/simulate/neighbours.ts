/**
 * Which MAC address the next hop has: asked of the network as ARP and neighbour discovery ask.
 * Source: net/ipv4/arp.c arp_process(); net/ipv6/ndisc.c ndisc_recv_ns(); net/bridge/br_input.c.
 */

import type { Address } from '../net/address.ts'
import { familyOf } from '../net/address.ts'
import { makePacket } from '../packet/packet.ts'
import { isOwnAddress, lookupRoute, selectAddress } from '../topology/fib.ts'
import type { Device } from '../topology/topology.ts'
import { BROADCAST_MAC, isGroupMac, isOwnMac, knownPort, learnPort, transmit, untagged } from './frames.ts'
import type { Arrival, Frame } from './frames.ts'
import { isLimitedBroadcast, isMulticast } from './group-address.ts'
import { routeInput } from './route-input.ts'
import { deviceSysctl } from './world.ts'
import type { Host, World } from './world.ts'

/** The address of the next hop; `outside`: it may be beyond the described world; `none`: nobody answers. */
export type Neighbour = { readonly kind: 'mac'; readonly mac: string } | { readonly kind: 'outside' | 'none' }

/** Who is asked for, and on behalf of which address. */
export interface NeighbourQuery {
  readonly device: string
  readonly nextHop: Address
  /** The source of the packet. */
  readonly source: Address
}

/** Finds the MAC address of the next hop on a device, as the host would. */
export function findNeighbour(world: World, host: Host, query: NeighbourQuery): Neighbour {
  const { nextHop } = query
  const device = host.devices.get(query.device)
  if (!device || device.kind === 'dummy' || device.kind === 'loopback') return { kind: 'outside' }
  if (isMulticast(nextHop)) return { kind: 'mac', mac: groupMac(nextHop) }
  if (isLimitedBroadcast(nextHop) || isDirectedBroadcast(host, device, nextHop)) return { kind: 'mac', mac: BROADCAST_MAC }
  const told = host.namespace.neighbours.find(one => one.device === device.name && one.address === nextHop)
  const known = told?.mac ?? host.neighbours.get(`${device.name} ${nextHop}`)
  if (known !== undefined) return { kind: 'mac', mac: known }
  const answer = ask(world, host, device, query)
  if (answer.kind === 'mac') host.neighbours.set(`${device.name} ${nextHop}`, answer.mac)
  return answer
}

function isDirectedBroadcast(host: Host, device: Device, address: Address): boolean {
  if (typeof address === 'bigint') return false
  const route = lookupRoute(host.fib, { destination: address, mark: 0, tos: 0, outDevice: device.name })
  return route.kind === 'broadcast'
}

/** Source: include/net/ip.h ip_eth_mc_map(), include/net/if_inet6.h ipv6_eth_mc_map(). */
function groupMac(address: Address): string {
  if (typeof address === 'bigint') return `3333${(address & 0xffffffffn).toString(16).padStart(8, '0')}`
  return `01005e${(address & 0x7fffff).toString(16).padStart(6, '0')}`
}

/** The question goes to all; what counts is an answer that comes in by the very device that asked. */
function ask(world: World, host: Host, device: Device, { nextHop, source }: NeighbourQuery): Neighbour {
  const own = device.mac ?? ''
  const sender = isOwnAddress(host.namespace, source) ? source : selectAddress(host.namespace, device, familyOf(nextHop), nextHop)
  if (sender === undefined) return { kind: 'none' }
  const heard = walk(world, host, device.name, { macSource: own, macDestination: BROADCAST_MAC, tags: [] })
  let mac: string | undefined
  for (const { host: other, device: at } of heard.arrivals) {
    if (!answers(other, at, nextHop, sender)) continue
    other.neighbours.set(`${at.name} ${sender}`, own)
    const answered = walk(world, other, at.name, { macSource: at.mac ?? '', macDestination: own, tags: [] })
    if (mac === undefined && answered.arrivals.some(back => back.host === host && back.device.name === device.name)) mac = at.mac
  }
  if (mac !== undefined) return { kind: 'mac', mac }
  return { kind: heard.leaves ? 'outside' : 'none' }
}

function answers(host: Host, device: Device, target: Address, sender: Address): boolean {
  return typeof target === 'number' && typeof sender === 'number' ? answersArp(host, device, target, sender) : answersDiscovery(host, device, target)
}

/** Kernel: a host answers for all its addresses on every device, unless arp_ignore or arp_filter say otherwise. */
function answersArp(host: Host, device: Device, target: number, sender: number): boolean {
  const packet = makePacket({ protocol: 0, src: sender, dst: target })
  const way = routeInput({ host, packet, inDevice: device.name })
  if (way.kind === 'forward') return deviceSysctl(host, device.name, 'proxy_arp') !== 0 && way.decision.device !== device.name
  if (way.kind !== 'local' || way.decision.kind !== 'local') return false
  const backDevice = lookupRoute(host.fib, { destination: sender, source: target, mark: 0, tos: 0 }).device
  if (deviceSysctl(host, device.name, 'arp_filter') !== 0 && backDevice !== device.name) return false
  return !ignores(device, target, sender, deviceSysctl(host, device.name, 'arp_ignore'))
}

/** Source: arp.c arp_ignore(). */
function ignores(device: Device, target: number, sender: number, level: number): boolean {
  const own = device.addresses.find(one => one.address === target)
  switch (level) {
    case 0:
      return false
    case 1:
    case 3:
      return own === undefined
    case 2:
      return own === undefined || !isSameNetwork(target, sender, own.length)
    default:
      return level === 8
  }
}

function isSameNetwork(one: number, other: number, length: number): boolean {
  return length === 0 || (one ^ other) >>> (32 - length) === 0
}

/** Kernel: neighbour discovery answers only for addresses of the device that was asked. */
function answersDiscovery(host: Host, device: Device, target: Address): boolean {
  return device.addresses.some(one => one.address === target) && host.devices.has(device.name)
}

interface Walk {
  /** The stacks that take the frame. */
  readonly arrivals: Arrival[]
  leaves: boolean
}

/** More devices than any frame passes that does not circle. */
const FARTHEST = 256

/** Follows a frame of a host through all bridges to the stacks that take it; bridges learn where it comes from. */
function walk(world: World, host: Host, device: string, frame: Frame): Walk {
  const found: Walk = { arrivals: [], leaves: false }
  const first = transmit(world, host, device, frame)
  found.leaves = first.leaves.length > 0
  const queue = [...first.arrivals]
  for (let steps = 0; steps < FARTHEST; steps++) {
    const next = queue.shift()
    if (!next) break
    const bridge = next.device.master === undefined ? undefined : next.host.devices.get(next.device.master)
    if (!bridge) {
      if (takes(next.device, next.frame)) found.arrivals.push(next)
      continue
    }
    const { ports, isUp } = crossBridge(next, bridge)
    const upward = isUp ? untagged({ ...next, device: bridge }) : undefined
    if (upward) found.arrivals.push(upward)
    for (const port of ports) {
      const sent = transmit(world, next.host, port, next.frame)
      if (sent.leaves.length > 0) found.leaves = true
      queue.push(...sent.arrivals)
    }
  }
  return found
}

function takes(device: Device, frame: Frame): boolean {
  return isGroupMac(frame.macDestination) || device.mac === frame.macDestination
}

/** Returns where a frame on a bridge port goes: by which other ports, and whether up to the host. Source: br_input.c br_handle_frame_finish(). */
export function crossBridge({ host, device, frame }: Arrival, bridge: Device): { readonly ports: readonly string[]; readonly isUp: boolean } {
  if (!bridge.up) return { ports: [], isUp: false }
  learnPort(host, bridge.name, frame.macSource, device.name)
  const others = host.namespace.devices.filter(port => port.master === bridge.name && port.up && (port.name !== device.name || port.hairpin)).map(port => port.name)
  if (isGroupMac(frame.macDestination)) return { ports: others, isUp: true }
  if (isOwnMac(host, bridge, frame.macDestination)) return { ports: [], isUp: true }
  const known = knownPort(host, bridge.name, frame.macDestination)
  return { ports: known === undefined ? others : others.filter(port => port === known), isUp: false }
}
