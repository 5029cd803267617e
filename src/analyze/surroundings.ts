/** Where packets can come from and go to in a namespace: the devices that lead out of it, the addresses behind them, its own. */

import { deviceMatches } from '../net/device-name.ts'
import { addressWidth, familyOf, lengthOfMask, prefixIncludes } from '../net/address.ts'
import type { Address, Family, Prefix } from '../net/address.ts'
import { isOwnAddress, lookupRoute, makeFib } from '../topology/fib.ts'
import type { Fib } from '../topology/fib.ts'
import type { Device, Namespace } from '../topology/topology.ts'

/** A place where packets enter: a device that leads out (of a bridge: the port), or the host itself where there is none. */
export interface Origin {
  readonly device?: string
  /** What rules see as the device of arrival: the bridge of a port. */
  readonly seenAs: string
  /** Addresses of hosts behind it, for the host itself its own; the likeliest first. */
  readonly addresses: readonly Address[]
}

/** What a search for packets must know of a namespace. */
export interface Surroundings {
  readonly namespace: Namespace
  readonly family: Family
  readonly fib: Fib
  readonly origins: readonly Origin[]
  readonly own: readonly Address[]
  /** Broadcast and multicast addresses. */
  readonly groups: readonly Address[]
}

/** Hosts of the internet, by the blocks that are kept for examples. */
const FAR: Readonly<Record<Family, readonly Address[]>> = {
  ipv4: [0xc6336407, 0xcb007107, 0xc0000207, 0x08080808],
  ipv6: [(0x20010db8n << 96n) + 0x7n, (0x26064700n << 96n) + 0x1111n],
}

/** Returns what surrounds a namespace. `turn` picks other hosts of the same networks. */
export function surroundingsOf(namespace: Namespace, family: Family, turn: number): Surroundings {
  const fib = makeFib(namespace)
  const leading = namespace.devices.filter(device => device.up && leadsOut(namespace, device))
  const own = namespace.devices.filter(device => device.kind !== 'loopback').flatMap(device => device.addresses.map(one => one.address)).filter(address => familyOf(address) === family && !isLinkLocal(address))
  const origins = leading.map((device): Origin => {
    const seenAs = device.master ?? device.name
    return { device: device.name, seenAs, addresses: addressesBehind(namespace, fib, device, family, turn) }
  })
  return { namespace, family, fib, own, origins: [...origins, { seenAs: '', addresses: [...own, family === 'ipv4' ? 0x7f000001 : 1n] }], groups: family === 'ipv4' ? [...broadcastsOf(namespace), 0xffffffff, 0xe00000fb] : [(0xff02n << 112n) + 0xfbn] }
}

/** Tells whether frames of a device leave the described world. */
export function leadsOut(namespace: Namespace, device: Device): boolean {
  const carries = namespace.devices.some(other => other.vlan?.parent === device.name)
  return !device.peer && !carries && (device.kind === 'physical' || device.kind === 'veth')
}

/** Returns the origins whose device of arrival fits. */
export function originsSeenAs(surroundings: Surroundings, pattern: { readonly name: string; readonly prefix: boolean }): readonly Origin[] {
  return surroundings.origins.filter(origin => deviceMatches(pattern, origin.seenAs))
}

function addressesBehind(namespace: Namespace, fib: Fib, device: Device, family: Family, turn: number): readonly Address[] {
  const seenAs = device.master ?? device.name
  const known = namespace.neighbours.filter(one => one.device === seenAs && (one.port === undefined || one.port === device.name)).map(one => one.address)
  const networks = [...fib.tables.values()].flat().filter(route => route.kind === 'unicast' && route.device === seenAs && familyOf(route.prefix.address) === family && (lengthOfMask(route.prefix.mask) ?? 0) > 0)
  const inNetworks = networks.flatMap(({ prefix }) => [hostOf(prefix.address, turn + 2), hostOf(prefix.address, turn + 3), hostOf(prefix.address, 1), ...(isHost(prefix) ? [prefix.address] : [])].filter(address => prefixIncludes(prefix, address)))
  const all = [...known, ...inNetworks, ...FAR[family].map(address => hostOf(address, turn % 40))].filter(address => familyOf(address) === family)
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
