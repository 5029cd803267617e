/** Ends of a packet's way -> what rules compare: devices, prefixes and ipsets, and the chains in which that can happen. */

import { addressWidth, familyOf, lengthOfMask, writePrefix } from '../net/address.ts'
import type { Family, Prefix } from '../net/address.ts'
import type { DevicePattern } from '../net/device-name.ts'
import { deviceMatches } from '../net/device-name.ts'
import { prefixCovers, prefixesMeet } from './read-addresses.ts'
import type { End, Ends, Zone } from './resolved.ts'

/** One alternative of an end. */
export interface Side {
  readonly device?: DevicePattern
  readonly prefix?: Prefix
  /** The prefix as iptables-save writes it; absent where it is every address. */
  readonly words?: string
  readonly set?: string
}

/** Lists longer than this become ipsets. */
export const SET_ABOVE = 16

const EVERYTHING: readonly Side[] = [{}]

/** Returns the name of the ipset for a list of prefixes. */
export type MakeSet = (end: End, prefixes: readonly Prefix[]) => string

/** Returns the alternatives of an end in a family; none where it has no addresses there. */
export function sidesOf(end: End, family: Family, makeSet: MakeSet): readonly Side[] {
  const zone = zoneOf(end)
  const addresses = end.addresses ?? zone?.at
  const prefixes = addresses && addressSides(end, addresses[family], makeSet)
  if (!zone) return prefixes ?? EVERYTHING
  const device = zone.devices[0]
  if (device && zone.devices.length === 1 && !prefixes) return [{ device }]
  return zone.devices.flatMap(device => (prefixes ? prefixes.map(side => ({ ...side, device })) : [{ device }]))
}

/** Returns the alternatives of an end's addresses alone; all where it says none. */
export function addressSides(end: End, prefixes: readonly Prefix[], makeSet: MakeSet): readonly Side[] {
  if (prefixes.length > SET_ABOVE) return [{ set: makeSet(end, prefixes) }]
  return prefixes.map(sideOf)
}

/** Returns the alternative of one prefix. iptables-save prints the length of a full one too. */
export function sideOf(prefix: Prefix): Side {
  if (lengthOfMask(prefix.mask) === 0) return { prefix }
  const text = writePrefix(prefix)
  return { prefix, words: text.includes('/') ? text : `${text}/${addressWidth(familyOf(prefix.address))}` }
}

/** Returns the zone of an end, undefined where it is in none. */
export function zoneOf({ place }: End): Zone | undefined {
  return typeof place === 'string' ? undefined : place
}

/** Tells whether ends have the firewall itself among them. */
export function includesFirewall({ included, excluded }: Ends): boolean {
  return included.some(({ place, addresses }) => place === 'fw' || (place === 'any' && !addresses)) && !excluded.some(({ place, addresses }) => place === 'fw' && !addresses)
}

/** Tells whether an end's zone decides it: a chain for the zone may hold its rules. */
export function liesInZone(end: End, family: Family): boolean {
  const zone = zoneOf(end)
  if (!zone || !end.addresses || !zone.at) return zone !== undefined
  const { at } = zone
  return end.addresses[family].every(prefix => at[family].some(outer => prefixCovers(outer, prefix)))
}

/** Where rules stand: for packets to the firewall, from it, through it, and through it from or to a zone of docker's. */
export type Way = 'in' | 'out' | 'forward' | 'docker'

/** Returns the ways on which packets from one end to another can be met. */
export function waysBetween(from: End, to: End, family: Family, zones: readonly Zone[]): readonly Way[] {
  if (from.place === 'fw') return to.place === 'fw' ? [] : ['out']
  if (to.place === 'fw') return ['in']
  const ways: Way[] = []
  if (mayBeHere(to, family, zones)) ways.push('in')
  const byDocker = docksOf(from, family, zones)
  const toDocker = docksOf(to, family, zones)
  if (byDocker !== 'always' && toDocker !== 'always') ways.push('forward')
  if (byDocker !== 'never' || toDocker !== 'never') ways.push('docker')
  if (from.place === 'any' && !from.addresses) ways.push('out')
  return ways
}

/** An address that no zone has may be the firewall's own. */
function mayBeHere(to: End, family: Family, zones: readonly Zone[]): boolean {
  if (to.place !== 'any') return false
  return !to.addresses || !to.addresses[family].every(prefix => zones.some(zone => zone.at?.[family].some(outer => prefixCovers(outer, prefix))))
}

function docksOf(end: End, family: Family, zones: readonly Zone[]): 'always' | 'never' | 'maybe' {
  const zone = zoneOf(end)
  if (zone) return zone.isDockers ? 'always' : 'never'
  const owned = zones.filter(one => one.isDockers)
  if (owned.length === 0) return 'never'
  const { addresses } = end
  if (!addresses || owned.some(one => !one.at)) return 'maybe'
  const within = owned.flatMap(one => one.at?.[family] ?? [])
  if (addresses[family].every(prefix => within.some(outer => prefixCovers(outer, prefix)))) return 'always'
  return addresses[family].some(prefix => within.some(other => prefixesMeet(other, prefix))) ? 'maybe' : 'never'
}

/** Tells whether two alternatives can hold for one packet. */
export function sidesMeet(one: Side, other: Side): boolean {
  const devices = !one.device || !other.device || one.device.name === other.device.name || devicesMeet(one.device, other.device)
  return devices && (!one.prefix || !other.prefix || prefixesMeet(one.prefix, other.prefix))
}

function devicesMeet(one: DevicePattern, other: DevicePattern): boolean {
  return (one.prefix && (deviceMatches(one, other.name) || (other.prefix && deviceMatches(other, one.name)))) || (other.prefix && deviceMatches(other, one.name))
}
