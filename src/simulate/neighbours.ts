/**
 * Which MAC address the next hop has: asked of the network as ARP and neighbour discovery ask.
 * Source: net/ipv4/arp.c arp_process(); net/ipv6/ndisc.c ndisc_recv_ns(); net/bridge/br_input.c.
 */

import type { Address } from '../net/address.ts'
import { familyOf } from '../net/address.ts'
import { makePacket } from '../packet/packet.ts'
import { isOwnAddress, lookupRoute, selectAddress } from '../topology/fib.ts'
import type { Device, DeviceEnd } from '../topology/topology.ts'
import { advertisement, mayEnter, mayLeave, solicitation } from './discovery.ts'
import { BROADCAST_MAC, isGroupMac, isOwnMac, knownPort, learnPort, transmit, untagged } from './frames.ts'
import type { Arrival, Frame } from './frames.ts'
import { isLimitedBroadcast, isMulticast } from './group-address.ts'
import { routeInput } from './route-input.ts'
import { deviceSysctl } from './world.ts'
import type { Host, World } from './world.ts'

/** The address of the next hop; `outside`: it may be beyond the described world, behind this port of the bridge where there is one way out alone; `none`: nobody answers. */
export type Neighbour = { readonly kind: 'mac'; readonly mac: string } | { readonly kind: 'none' } | { readonly kind: 'outside'; readonly port?: string }

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

/** A message of ARP or neighbour discovery on its way. */
interface Message {
  readonly arrival: Arrival
  readonly kind: 'request' | 'reply'
}

/** More frames than any question causes that does not circle. */
const MOST_FRAMES = 512

/**
 * The question goes to all; what counts is the first answer that comes in by the very device that asked. Frames are taken in the
 * order in which they were sent, as the kernel's backlog has them: bridges learn from each before the next one.
 */
function ask(world: World, host: Host, device: Device, { nextHop, source }: NeighbourQuery): Neighbour {
  const own = device.mac ?? ''
  const sender = isOwnAddress(host.namespace, source) ? source : selectAddress(host.namespace, device, familyOf(nextHop), nextHop)
  if (sender === undefined) return { kind: 'none' }
  const queue: Message[] = []
  const exits = new Set<DeviceEnd>()
  const send = (from: Host, name: string, frame: Frame, kind: Message['kind']): void => {
    const sent = transmit(world, from, name, frame)
    if (kind === 'request') for (const end of sent.leaves) exits.add(end)
    queue.push(...sent.arrivals.map(arrival => ({ arrival, kind })))
  }
  if (!isLetOut(world, host, device.name, 'request', sender, nextHop)) return { kind: 'none' }
  send(host, device.name, { macSource: own, macDestination: BROADCAST_MAC, tags: [] }, 'request')
  let mac: string | undefined
  for (let steps = 0; steps < MOST_FRAMES; steps++) {
    const next = queue.shift()
    if (!next) break
    const taker = passOn(next, send)
    if (!taker || !isLetIn(world, taker, next.kind, sender, nextHop)) continue
    if (next.kind === 'reply') {
      if (taker.host === host && taker.device.name === device.name) mac ??= next.arrival.frame.macSource
    } else if (answers(taker.host, taker.device, nextHop, sender) && isLetOut(world, taker.host, taker.device.name, 'reply', sender, nextHop)) {
      taker.host.neighbours.set(`${taker.device.name} ${sender}`, own)
      send(taker.host, taker.device.name, { macSource: taker.device.mac ?? '', macDestination: own, tags: [] }, 'reply')
    }
  }
  if (mac !== undefined) return { kind: 'mac', mac }
  const [exit, ...others] = exits
  if (!exit) return { kind: 'none' }
  const isPort = others.length === 0 && exit.namespace === host.namespace.name && host.devices.get(exit.device)?.master === device.name
  return isPort ? { kind: 'outside', port: exit.device } : { kind: 'outside' }
}

/** ARP is not asked about. */
function isLetOut(world: World, host: Host, device: string, kind: Message['kind'], asker: Address, target: Address): boolean {
  if (typeof asker === 'number' || typeof target === 'number') return true
  return mayLeave(world, host, device, kind === 'request' ? solicitation(asker, target) : advertisement(target, asker))
}

function isLetIn(world: World, { host, device }: Arrival, kind: Message['kind'], asker: Address, target: Address): boolean {
  if (typeof asker === 'number' || typeof target === 'number') return true
  return mayEnter(world, host, device.name, kind === 'request' ? solicitation(asker, target) : advertisement(target, asker))
}

/** Lets a bridge pass a frame on; returns the stack that takes it, if one does. */
function passOn({ arrival, kind }: Message, send: (from: Host, name: string, frame: Frame, kind: Message['kind']) => void): Arrival | undefined {
  const { host, device, frame } = arrival
  const bridge = device.master === undefined ? undefined : host.devices.get(device.master)
  if (!bridge) return takes(device, frame) ? arrival : undefined
  const { ports, isUp } = crossBridge(arrival, bridge)
  for (const port of ports) send(host, port, frame, kind)
  return isUp ? untagged({ ...arrival, device: bridge }) : undefined
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
