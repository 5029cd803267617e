/** A host that nobody described: a device to the world, its addresses and default routes. Guessed, and said so. */

import { addressWidth, familyOf, isUnspecified, maskOfLength, writeAddress } from '../net/address.ts'
import type { Address, Family } from '../net/address.ts'
import { LOOPBACK } from './loopback.ts'
import { makeNamespace, ROUTE_TABLE } from './topology.ts'
import type { Device, DeviceAddress, Namespace, Route } from './topology.ts'

/** A host's namespace without its engine, and what was guessed. */
export interface Outside {
  readonly namespace: Namespace
  readonly assumptions: readonly string[]
}

/** Addresses for documentation (RFC 5737, RFC 3849). */
const OWN: Readonly<Record<Family, DeviceAddress>> = { ipv4: { address: 0xcb00710a, length: 24 }, ipv6: { address: 0x20010db8_ffff_0000_0000_0000_0000_0010n, length: 64 } }
const ROUTER: Readonly<Record<Family, Address>> = { ipv4: 0xcb007101, ipv6: 0x20010db8_ffff_0000_0000_0000_0000_0001n }
const DEVICE = 'eth0'

/** Returns a host with one device to the world, which has all addresses that ports are published on. */
export function assumedHost(published: readonly Address[]): Outside {
  const others = [...new Set(published)].filter(address => !isUnspecified(address) && !isLoopback(address) && address !== OWN[familyOf(address)].address).map((address): DeviceAddress => ({ address, length: addressWidth(familyOf(address)) }))
  const device: Device = { name: DEVICE, kind: 'physical', addresses: [OWN.ipv4, OWN.ipv6, ...others], mtu: 1500, up: true, hairpin: false }
  const words = [writeAddress(OWN.ipv4.address), writeAddress(OWN.ipv6.address), ...others.map(({ address }) => writeAddress(address))]
  return {
    namespace: makeNamespace({ name: 'host', devices: [LOOPBACK, device], routes: (['ipv4', 'ipv6'] as const).map(defaultRoute) }),
    assumptions: [`the host reaches the world by ${DEVICE} and has the addresses ${words.join(', ')} there`],
  }
}

/** Returns the address by which the world reaches a host: the first that is neither of a loopback nor of a bridge of the engine. */
export function addressOfHost(outside: Namespace, family: Family): Address | undefined {
  return outside.devices.filter(({ kind }) => kind !== 'loopback' && kind !== 'bridge').flatMap(({ addresses }) => addresses).find(({ address }) => familyOf(address) === family)?.address
}

function defaultRoute(family: Family): Route {
  const nowhere: Address = family === 'ipv4' ? 0 : 0n
  return { kind: 'unicast', prefix: { address: nowhere, mask: maskOfLength(family, 0) }, table: ROUTE_TABLE.main, metric: family === 'ipv4' ? 0 : 1024, device: DEVICE, gateway: ROUTER[family] }
}

function isLoopback(address: Address): boolean {
  return typeof address === 'number' ? address >>> 24 === 127 : address === 1n
}
