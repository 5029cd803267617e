/**
 * Surroundings of which nothing is known: a packet may be for the host or go out of any device. What holds for them holds wherever the
 * rules are loaded, on a host that forwards and has neither a reverse path filter nor routing rules of its own (README.md).
 */

import { ADDRESS_TYPE } from '../meaning/fields.ts'
import { all, always, any, equals, hasAnyBit, masked, never, not, onDevice } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import type { Family } from '../net/address.ts'
import type { Ipset } from '../topology/topology.ts'
import { ipsetMeaning } from './ipset-meaning.ts'
import { mapTerms } from './map-terms.ts'
import { waysBeforeRouting4 } from './route-input.ts'
import { hasPossibleType4, isLoopback, isLoopbackBroadcast, isMulticast, LIMITED_BROADCAST } from './special-addresses.ts'
import type { Drawn, InputWay, OutputWay, Surroundings } from './surroundings.ts'

const device = (field: 'device.in' | 'device.out', name: string): Predicate => onDevice(field, { name, prefix: false })
const isDelivered = device('device.out', '')
const overLoopback = device('device.out', 'lo')
const isType = (side: 'src' | 'dst', bits: number): Predicate => hasAnyBit(`addressType.${side}`, bits)
const isLocal = isType('dst', ADDRESS_TYPE.LOCAL)
const isForHost = isType('dst', ADDRESS_TYPE.LOCAL | ADDRESS_TYPE.BROADCAST | ADDRESS_TYPE.MULTICAST | ADDRESS_TYPE.ANYCAST)
const isForOthers = equals('addressType.dst', ADDRESS_TYPE.UNICAST)

/** Returns the surroundings for rules that can tell these devices apart; of ipsets that are not given nothing is known. */
export function freeSurroundings(family: Family, devices: readonly string[], ipsets: readonly Ipset[] = []): Surroundings {
  const refusals = REFUSALS[family]
  const drawn: Drawn = { kind: 'drawn', devices: devices.filter(name => name !== '' && name !== 'lo') }
  return {
    kind: 'free',
    ground: groundIn(family, ipsets),
    inputWays: [...refusals, { when: isDelivered, way: { kind: 'local' } }, { when: always, way: { kind: 'forward', device: undefined } }],
    rewrittenWays: [...refusals, { when: isForHost, way: { kind: 'local' } }, { when: always, way: drawn }],
    outputWays: [...NOT_SENT[family].map(({ when, way }) => ({ when: all([not(overLoopback), when]), way })), { when: always, way: { kind: 'forward', device: undefined } }],
    rerouteWays: [{ when: LOOPED[family], way: { kind: 'forward', device: 'lo' } }, ...NOT_SENT[family], { when: always, way: drawn }],
    masqueradeAddresses: () => [{ when: always, address: 'unknown' }],
    redirectAddresses: [{ when: always, address: 'unknown' }],
    arrivals: all([not(device('device.in', '')), not(device('device.in', 'lo')), not(overLoopback), POSSIBLE_TYPES[family], any([all([isDelivered, isForHost]), all([not(isDelivered), isForOthers])])]),
    departures: all([device('device.in', ''), not(isDelivered), POSSIBLE_TYPES[family], any([all([overLoopback, LOOPED[family]]), all([not(overLoopback), not(LOOPED[family])])])]),
    isLinked: false,
    isTaken: always,
    tcpLoose: true,
  }
}

function groundIn(family: Family, ipsets: readonly Ipset[]): Surroundings['ground'] {
  if (ipsets.length === 0) return predicate => predicate
  const known = new Map<Predicate, Predicate>()
  return predicate => {
    const grounded = known.get(predicate) ?? mapTerms(predicate, term => (term.kind === 'ipset' ? (ipsetMeaning(ipsets, term, family) ?? term) : term))
    known.set(predicate, grounded)
    return grounded
  }
}

/** What the kernel refuses of whatever arrives: a source of this host's own is not believed. The mirror of sourceProblem() without a filter. */
const OWN_SOURCE: InputWay = { when: isType('src', ADDRESS_TYPE.LOCAL), way: { kind: 'refused', reason: 'martian-source' } }
const REFUSALS: Readonly<Record<Family, readonly InputWay[]>> = {
  ipv4: [...waysBeforeRouting4(never, [OWN_SOURCE]), OWN_SOURCE],
  ipv6: [{ when: equals('ip.dst', 1n), way: { kind: 'refused', reason: 'martian-destination' } }],
}

const isGroup = any([isMulticast('ip.dst'), equals('ip.dst', LIMITED_BROADCAST)])

/** What is sent over lo. Kernel: groups go by the device that has the source address. */
const LOOPED: Readonly<Record<Family, Predicate>> = {
  ipv4: any([isLocal, isLoopbackBroadcast('ip.dst'), all([isGroup, equals('ip.src', 0x7f000001)])]),
  ipv6: isLocal,
}

/** Kernel: a 127.0.0.0/8 source leaves by lo only. The mirror of mayCarry(). */
const NOT_SENT: Readonly<Record<Family, readonly OutputWay[]>> = {
  ipv4: [{ when: all([isLoopback('ip.src'), not(isGroup)]), way: { kind: 'none' } }],
  ipv6: [],
}

const POSSIBLE_TYPES: Readonly<Record<Family, Predicate>> = {
  ipv4: all([hasPossibleType4('ip.src'), hasPossibleType4('ip.dst')]),
  ipv6: all((['src', 'dst'] as const).map(side => {
    const isGroup6 = masked(`ip.${side}`, 0xffn << 120n, 0xffn << 120n)
    return any([all([isGroup6, equals(`addressType.${side}`, ADDRESS_TYPE.MULTICAST)]), all([not(isGroup6), isType(side, ADDRESS_TYPE.UNICAST | ADDRESS_TYPE.LOCAL | ADDRESS_TYPE.ANYCAST)])])
  })),
}
