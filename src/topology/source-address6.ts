/** Which of its own IPv6 addresses a host uses towards a destination. Source: net/ipv6/addrconf.c ipv6_dev_get_saddr(), RFC 6724. */

import type { Device, Namespace } from './topology.ts'

/** Scopes as the kernel's bits: 0 is global. Source: include/net/ipv6.h IPV6_ADDR_SCOPE_MASK. */
const SCOPE = { loopback: 0x10, linkLocal: 0x20, siteLocal: 0x40, compatible: 0x80, global: 0 } as const

/** Returns the device's IPv6 addresses in the order in which the kernel keeps them: wider scopes first, the newest first among equals. */
export function addressList6(device: Device): readonly bigint[] {
  const list: bigint[] = []
  for (const { address } of device.addresses) {
    if (typeof address !== 'bigint') continue
    const at = list.findIndex(other => sourceScope(address) >= sourceScope(other))
    list.splice(at === -1 ? list.length : at, 0, address)
  }
  return list
}

/** Returns the scope bits of an address; 0 for a global one. */
export function addressScope6(address: bigint): number {
  if (address === 1n) return SCOPE.loopback
  if (address >> 118n === 0x3fan) return SCOPE.linkLocal
  if (address >> 118n === 0x3fbn) return SCOPE.siteLocal
  return address >> 32n === 0n ? SCOPE.compatible : SCOPE.global
}

/** Returns the source address towards a destination that is reached by a device; undefined where the host has none. */
export function selectAddress6(namespace: Namespace, device: Device | undefined, destination: bigint): bigint | undefined {
  const others = namespace.devices.filter(other => other !== device && other.up)
  const candidates = [...(device ? [device] : []), ...others].flatMap(owner => addressList6(owner).map(address => ({ address, owner })))
  let best: { readonly address: bigint; readonly owner: Device } | undefined
  for (const candidate of candidates) {
    if (candidate.owner.kind === 'loopback' && candidate.address === 1n && destination !== 1n) continue
    if (!best || isBetter(candidate, best, device, destination)) best = candidate
  }
  return best?.address
}

interface Candidate {
  readonly address: bigint
  readonly owner: Device
}

/** Rules 1, 2, 5, 6 and 8 of RFC 6724; the others speak of things that are not described. */
function isBetter(one: Candidate, other: Candidate, device: Device | undefined, destination: bigint): boolean {
  const rules = [
    (candidate: Candidate) => (candidate.address === destination ? 1 : 0),
    (candidate: Candidate) => scopeRank(candidate.address, destination),
    (candidate: Candidate) => (candidate.owner === device ? 1 : 0),
    (candidate: Candidate) => (label(candidate.address) === label(destination) ? 1 : 0),
    (candidate: Candidate) => commonBits(candidate.address, destination),
  ]
  for (const rule of rules) {
    const difference = rule(one) - rule(other)
    if (difference !== 0) return difference > 0
  }
  return false
}

function scopeRank(address: bigint, destination: bigint): number {
  const scope = sourceScope(address)
  return scope >= sourceScope(destination) ? 100 - scope : scope - 100
}

/** The scope as a number: link-local 2, site-local 5, global 14. */
function sourceScope(address: bigint): number {
  switch (addressScope6(address)) {
    case SCOPE.loopback:
    case SCOPE.linkLocal:
      return 2
    case SCOPE.siteLocal:
      return 5
    default:
      return 14
  }
}

/** Source: net/ipv6/addrlabel.c ip6addrlbl_init_table[]. */
function label(address: bigint): number {
  if (address === 1n) return 0
  if (address >> 32n === 0n) return 3
  if (address >> 32n === 0xffffn) return 4
  if (address >> 121n === 0x7en) return 5
  if (address >> 118n === 0x3fbn) return 11
  if (address >> 112n === 0x2002n) return 2
  if (address >> 96n === 0x20010000n) return 6
  if (address >> 100n === 0x2001001n) return 7
  return address >> 112n === 0x3ffen ? 12 : 1
}

function commonBits(one: bigint, other: bigint): number {
  const difference = one ^ other
  return difference === 0n ? 128 : 128 - difference.toString(2).length
}
