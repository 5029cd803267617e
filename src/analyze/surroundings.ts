/** Where packets can come from and go to in a namespace: the devices that lead out of it, the addresses behind them, its own. */

import { addressWidth, familyOf, lengthOfMask, prefixIncludes } from '../net/address.ts'
import type { Address, Family, Prefix } from '../net/address.ts'
import { isOwnAddress, lookupRoute, makeFib } from '../topology/fib.ts'
import type { Fib } from '../topology/fib.ts'
import type { Device, DeviceEnd, Namespace, Topology } from '../topology/topology.ts'

/** A place where packets start. `wire`: a device that leads out of the world (of a bridge: the port); `own`: the host itself; `neighbour`: another namespace. */
export interface Origin {
  readonly kind: 'wire' | 'own' | 'neighbour'
  /** Where the packet is put into the world. */
  readonly namespace: string
  /** The device of a wire. */
  readonly device?: string
  /** What rules see as the device of arrival, '' for what the host sends; and as the bridge port, '' where there is none. */
  readonly seenAs: string
  readonly port: string
  /** Addresses of hosts there, for the host itself its own; the likeliest first. */
  readonly addresses: readonly Address[]
}

/** What a search for packets must know of a namespace. */
export interface Surroundings {
  readonly namespace: Namespace
  readonly family: Family
  readonly fib: Fib
  readonly origins: readonly Origin[]
  readonly own: readonly Address[]
  /** Addresses behind devices by which nothing comes in: of other namespaces, or of nobody. */
  readonly beyond: readonly Origin[]
  /** Broadcast and multicast addresses. */
  readonly groups: readonly Address[]
}

/** Hosts of the internet, by the blocks that are kept for examples. */
const FAR: Readonly<Record<Family, readonly Address[]>> = {
  ipv4: [0xc6336407, 0xcb007107, 0xc0000207, 0x08080808],
  ipv6: [(0x20010db8n << 96n) + 0x7n, (0x26064700n << 96n) + 0x1111n],
}

/** Returns what surrounds a namespace of a topology. */
export function surroundingsOf(topology: Topology, namespace: Namespace, family: Family): Surroundings {
  const fib = makeFib(namespace)
  const { name } = namespace
  const behind = (device: Device): Origin => ({ kind: 'wire', namespace: name, device: device.name, seenAs: device.master ?? device.name, port: device.master === undefined ? '' : device.name, addresses: addressesBehind(namespace, fib, device, family) })
  const wires = namespace.devices.filter(device => device.up && leadsOut(namespace, device, topology.wires)).map(behind)
  const own = ownAddresses(namespace, family)
  const beyond = namespace.devices.filter(device => device.up && device.kind !== 'loopback' && device.master === undefined && !wires.some(origin => origin.seenAs === device.name)).map(behind)
  const groups = family === 'ipv4' ? [...broadcastsOf(namespace), 0xffffffff, 0xe00000fb] : [(0xff02n << 112n) + 0xfbn]
  const self: Origin = { kind: 'own', namespace: name, seenAs: '', port: '', addresses: [...own, family === 'ipv4' ? 0x7f000001 : 1n] }
  return { namespace, family, fib, own, beyond, groups, origins: [...wires, ...neighboursOf(topology, namespace, family), ...farOrigins(topology, namespace, fib, family), self] }
}

/** Worlds may be large; those far away are many then, and much alike. */
const MOST_FAR = 12

/** What comes through other namespaces: from such as are not joined to this one, and from the wires of all. It arrives by the device that leads back there. */
function farOrigins(topology: Topology, namespace: Namespace, fib: Fib, family: Family): readonly Origin[] {
  const joined = new Set(namespace.devices.flatMap(device => farEndsOf(topology, namespace, device).map(end => end.namespace)))
  const leading = new Set(namespace.devices.filter(device => leadsOut(namespace, device, topology.wires)).map(({ master, name }) => master ?? name))
  const others = joined.size === 0 ? [] : topology.namespaces.filter(other => other !== namespace)
  const places = others.flatMap((other): readonly Omit<Origin, 'seenAs' | 'port'>[] => {
    const wires = other.devices.filter(device => device.up && leadsOut(other, device, topology.wires))
    const within = joined.has(other.name) ? [] : [{ kind: 'neighbour', namespace: other.name, addresses: ownAddresses(other, family) } as const]
    return [...within, ...wires.map(({ name, master }) => ({ kind: 'wire', namespace: other.name, device: name, addresses: addressesBehind(other, makeFib(other), { name, master }, family) }) as const)]
  })
  return places.flatMap((place): Origin[] => {
    const back = place.addresses.map(destination => ({ destination, route: lookupRoute(fib, { destination, mark: 0, tos: 0 }) })).find(({ route }) => route.kind === 'unicast')
    const seenAs = back?.route.device
    return seenAs === undefined || leading.has(seenAs) ? [] : [{ ...place, seenAs, port: '' }]
  }).slice(0, MOST_FAR)
}

/** Namespaces at the other ends of veth pairs and wires. */
function neighboursOf(topology: Topology, namespace: Namespace, family: Family): readonly Origin[] {
  return namespace.devices.filter(({ up }) => up).flatMap(device => farEndsOf(topology, namespace, device).flatMap((end): Origin[] => {
    const other = topology.namespaces.find(one => one.name === end.namespace && one !== namespace)
    if (!other) return []
    return [{ kind: 'neighbour', namespace: other.name, seenAs: device.master ?? device.name, port: device.master === undefined ? '' : device.name, addresses: ownAddresses(other, family) }]
  }))
}

function farEndsOf({ wires = [] }: Topology, { name }: Namespace, device: Device): readonly DeviceEnd[] {
  const isThis = (end: DeviceEnd): boolean => end.namespace === name && end.device === device.name
  const wired = wires.flatMap(({ ends }) => (ends.some(isThis) ? ends.filter(end => !isThis(end)) : []))
  return wired.length > 0 || !device.peer ? wired : [device.peer]
}

function ownAddresses(namespace: Namespace, family: Family): readonly Address[] {
  return namespace.devices.filter(device => device.kind !== 'loopback').flatMap(device => device.addresses.map(one => one.address)).filter(address => familyOf(address) === family && !isLinkLocal(address))
}

/** Tells whether frames of a device leave the described world; what is joined by a wire does not. */
export function leadsOut(namespace: Namespace, device: Device, wires: Topology['wires'] = []): boolean {
  if (wires.some(({ ends }) => ends.some(end => end.namespace === namespace.name && end.device === device.name))) return false
  const carries = namespace.devices.some(other => other.vlan?.parent === device.name)
  return !device.peer && !carries && (device.kind === 'physical' || device.kind === 'veth')
}

function addressesBehind(namespace: Namespace, fib: Fib, device: Pick<Device, 'name'> & { readonly master?: string | undefined }, family: Family): readonly Address[] {
  const seenAs = device.master ?? device.name
  const known = namespace.neighbours.filter(one => one.device === seenAs && (one.port === undefined || one.port === device.name)).map(one => one.address)
  const networks = [...fib.tables.values()].flat().filter(route => route.kind === 'unicast' && route.device === seenAs && familyOf(route.prefix.address) === family && (lengthOfMask(route.prefix.mask) ?? 0) > 0)
  const inNetworks = networks.flatMap(({ prefix }) => [hostOf(prefix.address, 2), hostOf(prefix.address, 3), hostOf(prefix.address, 1), ...(isHost(prefix) ? [prefix.address] : [])].filter(address => prefixIncludes(prefix, address)))
  const all = [...known, ...inNetworks, ...FAR[family]].filter(address => familyOf(address) === family)
  return [...new Set(all)].filter(address => !isOwnAddress(namespace, address) && isBehind(fib, address, seenAs)).slice(0, 8)
}

function isHost(prefix: Prefix): boolean {
  return lengthOfMask(prefix.mask) === addressWidth(familyOf(prefix.address))
}

function isBehind(fib: Fib, address: Address, device: string): boolean {
  const route = lookupRoute(fib, { destination: address, mark: 0, tos: 0 })
  return route.kind === 'unicast' && route.device === device
}

function hostOf(address: Address, host: number): Address {
  return typeof address === 'number' ? (address + (host % 250)) >>> 0 : address + BigInt(host % 250)
}

function broadcastsOf(namespace: Namespace): readonly Address[] {
  return namespace.devices.flatMap(({ addresses }) => addresses.flatMap(({ address, length }) => (typeof address === 'number' && length < 31 && length > 0 && address >>> 24 !== 127 ? [(address | (0xffffffff >>> length)) >>> 0] : [])))
}

function isLinkLocal(address: Address): boolean {
  return typeof address === 'bigint' ? address >> 118n === 0xfe80n >> 6n : address >>> 16 === 0xa9fe
}
