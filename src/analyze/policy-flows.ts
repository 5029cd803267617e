/** The packets that an assertion of a policy speaks of, as predicates: where they begin, what they are, where they go. */

import { all, always, any, equals, masked, never, not, onDevice, within } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import { familyOf } from '../net/address.ts'
import type { Address, Family, Prefix } from '../net/address.ts'
import { PROTOCOL } from '../net/protocol.ts'
import type { End, Traffic, Zone } from '../policy/resolved.ts'
import { isNeverTracked, mayBegin } from '../symbolic/conntrack-sets.ts'
import type { Namespace } from '../topology/topology.ts'

/** Returns the predicate of addresses in any of these prefixes. */
export function inPrefixes(field: 'ip.src' | 'ip.dst', prefixes: readonly Prefix[]): Predicate {
  return any(prefixes.map(({ address, mask }) => masked(field, mask, address)))
}

/** Returns the addresses that the host itself has in a family. */
export function ownAddresses(namespace: Namespace, family: Family): readonly Address[] {
  return namespace.devices.flatMap(device => device.addresses.map(({ address }) => address)).filter(address => familyOf(address) === family)
}

/** Returns what arrives from an end: never what the firewall makes itself. */
export function arrivesFrom({ place, addresses }: End, family: Family): Predicate {
  if (place === 'fw') return never
  const zone = place === 'any' ? undefined : place
  const sources = (addresses ?? zone?.at)?.[family]
  return all([zone ? onZone('device.in', zone) : always, sources ? inPrefixes('ip.src', sources) : always])
}

/** Returns what the firewall makes that counts as from an end. */
export function madeBy({ place, addresses }: End, namespace: Namespace, family: Family): Predicate {
  if (place !== 'fw' && !(place === 'any' && !addresses)) return never
  const own = any(ownAddresses(namespace, family).map(address => equals('ip.src', address)))
  return addresses ? all([own, inPrefixes('ip.src', addresses[family])]) : own
}

/** Returns what goes to an end, as a packet says it when it is seen: `isLocal` and `leaves` tell where it is going. */
export function goesTo({ place, addresses }: End, family: Family): Predicate {
  const isLocal = onDevice('device.out', { name: '', prefix: false })
  const destinations = addresses?.[family]
  const there = destinations ? inPrefixes('ip.dst', destinations) : always
  if (place === 'any') return there
  return all([place === 'fw' ? isLocal : onZone('device.out', place), there])
}

/** Returns what was sent towards an end; `routed` tells what routes lead into a zone: its addresses alone would have its broadcasts too. */
export function sentTo({ place, addresses }: End, namespace: Namespace, family: Family, routed: (zone: Zone) => Predicate): Predicate {
  const destinations = addresses?.[family]
  const there = destinations ? inPrefixes('ip.dst', destinations) : always
  if (place === 'any') return there
  if (place === 'fw') return all([any(ownAddresses(namespace, family).map(address => equals('ip.dst', address))), there])
  return all([destinations ? there : place.at ? inPrefixes('ip.dst', place.at[family]) : always, routed(place)])
}

/** Returns the packets of a device of a zone. */
export function onZone(field: 'device.in' | 'device.out', zone: Zone): Predicate {
  return any(zone.devices.map(pattern => onDevice(field, pattern)))
}

/** Returns packets of this traffic, whatever its ports were before a translation; whole ones, since fragments have no ports. */
export function ofTraffic(traffic: readonly Traffic[] | undefined, family: Family): Predicate {
  if (!traffic) return always
  return any(traffic.filter(one => one.families.includes(family)).map(one => all([
    equals('ip.protocol', one.protocol), equals('ip.fragmentOffset', 0),
    one.ports ? any(one.ports.map(({ low, high }) => within('l4.dport', low, high))) : always,
    one.messages ? any(one.messages.map(({ type, low, high }) => all([equals(typeField(family), type), within(codeField(family), low, high)]))) : always,
  ])))
}

function typeField(family: Family): 'icmp.type' | 'icmp6.type' {
  return family === 'ipv4' ? 'icmp.type' : 'icmp6.type'
}

function codeField(family: Family): 'icmp.code' | 'icmp6.code' {
  return family === 'ipv4' ? 'icmp.code' : 'icmp6.code'
}

/** Returns what a sender means to begin: whole packets addressed to this host's frame, TCP with SYN alone, and nothing that begins no connection (answers, errors of ICMP) where it is not named. */
export function usual(traffic: readonly Traffic[] | undefined, family: Family): Predicate {
  if (traffic && !traffic.some(({ protocol, messages }) => ICMP.has(protocol) && !messages)) return USUAL
  const others = traffic ? not(any([...ICMP].map(protocol => equals('ip.protocol', protocol)))) : never
  return all([USUAL, any([mayBegin(family, 'PREROUTING', false), isNeverTracked(family), others])])
}

const ICMP: ReadonlySet<number> = new Set([PROTOCOL.icmp, PROTOCOL.icmpv6])

const USUAL: Predicate = all([
  equals('ip.fragmentOffset', 0),
  any([not(equals('ip.protocol', PROTOCOL.tcp)), masked('tcp.flags', 0x17, 0x02)]),
])
