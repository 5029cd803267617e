/** Whether a packet of the random universe comes from a place, and goes to one. */

import { prefixIncludes, readAddress, readPrefix } from '../../src/net/address.ts'
import type { Address } from '../../src/net/address.ts'
import type { RandomEnd, RandomEnds, RandomZone } from './random-universe.ts'

/** What the language says; `unsaid` where it leaves that open. */
export type Said = boolean | 'unsaid'

interface Coming {
  readonly inDevice?: string
  readonly src: string
}

interface Going {
  readonly outDevice: string
  readonly dst: string
}

/** The firewall's own addresses. */
export const OWN = ['203.0.113.2', '192.168.10.1', '10.0.1.1', '172.17.0.1', '2001:db8::2', '2001:db8:a::1', '2001:db8:b::1'] as const

/** Tells whether an address is the firewall's own. */
export function isOwn(address: string): boolean {
  return OWN.some(own => own === address) || address === '127.0.0.1' || address === '::1'
}

/** Tells whether a packet is at one of these ends, and at none that is left out. */
export function isAmong<P>({ included, excluded }: RandomEnds, packet: P, zones: readonly RandomZone[], isAt: (end: RandomEnd, packet: P, zones: readonly RandomZone[]) => Said): Said {
  const out = excluded.map(end => isAt(end, packet, zones))
  const inside = included.map(end => isAt(end, packet, zones))
  if (out.includes(true) || !inside.some(Boolean)) return false
  return out.includes('unsaid') || !inside.includes(true) ? 'unsaid' : true
}

/** What the firewall makes comes from `fw`, or from `any`; of its addresses alone nothing is said. */
export function comesFrom({ place, prefixes }: RandomEnd, { inDevice, src }: Coming, zones: readonly RandomZone[]): Said {
  const zone = zones.find(({ name }) => name === place)
  const known = prefixes ?? zone?.at
  if (known && !known.some(prefix => includes(prefix, src))) return false
  if (inDevice === undefined) return place === 'fw' ? true : place === 'any' ? (prefixes ? 'unsaid' : true) : false
  // Docker's zone says which addresses it has: of others behind its devices an address alone says nothing.
  const isForeign = prefixes !== undefined && zones.some(({ isDockers, at, ...one }) => isDockers && isOn(one, inDevice) && at?.some(prefix => includes(prefix, src)) === false)
  return place === 'any' ? (isForeign ? 'unsaid' : true) : zone !== undefined && isOn(zone, inDevice)
}

/** An address of the firewall's own that a zone has may be meant by neither. */
export function goesTo({ place, prefixes }: RandomEnd, { outDevice, dst }: Going, zones: readonly RandomZone[]): Said {
  const zone = zones.find(({ name }) => name === place)
  const known = prefixes ?? zone?.at
  if (known && !known.some(prefix => includes(prefix, dst))) return false
  if (place === 'any') return outDevice === '' && prefixes && zones.some(({ at }) => at?.some(prefix => includes(prefix, dst))) ? 'unsaid' : true
  return place === 'fw' ? outDevice === '' : zone !== undefined && isOn(zone, outDevice)
}

/** Tells whether a device belongs to a zone. */
export function isOn({ devices }: Pick<RandomZone, 'devices'>, device: string): boolean {
  return devices.some(name => (name.endsWith('+') ? device.startsWith(name.slice(0, -1)) : device === name))
}

/** Tells whether a prefix, or an address, includes an address; those of different families have nothing in common. */
export function includes(text: string, address: string): boolean {
  const prefix = readPrefix(text)
  const value: Address | undefined = readAddress(address)
  return prefix !== undefined && value !== undefined && typeof prefix.address === typeof value && prefixIncludes(prefix, value)
}
