/** Source: iptables-extensions(8) "addrtype"; net/netfilter/xt_addrtype.c addrtype_mt_v1(), addrtype_mt_checkentry_v1(). */

import { ADDRESS_TYPE } from '../../meaning/fields.ts'
import { all, hasAnyBit, not } from '../../meaning/predicate.ts'
import type { Predicate } from '../../meaning/predicate.ts'
import type { Family } from '../../net/address.ts'
import { defineMatch } from '../extension.ts'
import type { OptionUseOf } from '../extension.ts'
import { abbreviatedNames } from '../name-lists.ts'
import type { BitNames } from '../name-lists.ts'
import { flag } from '../option-types.ts'

const TYPES: BitNames = Object.entries(ADDRESS_TYPE)
const types = abbreviatedNames(TYPES, TYPES, 'address type')
const IPV6_TOGETHER = [ADDRESS_TYPE.MULTICAST, ADDRESS_TYPE.UNICAST, ADDRESS_TYPE.UNSPEC]
const IPV6_LACKS = ADDRESS_TYPE.BROADCAST | ADDRESS_TYPE.BLACKHOLE | ADDRESS_TYPE.PROHIBIT | ADDRESS_TYPE.THROW | ADDRESS_TYPE.NAT | ADDRESS_TYPE.XRESOLVE

/** Kernel: the type is asked of the routing table, with --limit-iface-* only of routes on that device. */
export const addrtype = defineMatch({
  name: 'addrtype',
  doc: 'matches the type that routing gives an address',
  requiresOneOf: ['src-type', 'dst-type'],
  options: {
    'src-type': { type: types, invertible: true, doc: 'type of the source address: one of these' },
    'dst-type': { type: types, invertible: true, doc: 'type of the destination address: one of these' },
    'limit-iface-in': { type: flag, excludes: ['limit-iface-out'], doc: 'ask only for the device of arrival' },
    'limit-iface-out': { type: flag, excludes: ['limit-iface-in'], doc: 'ask only for the device of departure' },
  },
  means(infos, family) {
    const source = infos['limit-iface-in'] ? 'addressType.src.in' : infos['limit-iface-out'] ? 'addressType.src.out' : 'addressType.src'
    const destination = infos['limit-iface-in'] ? 'addressType.dst.in' : infos['limit-iface-out'] ? 'addressType.dst.out' : 'addressType.dst'
    return all([isOfType(source, infos['src-type'], family), isOfType(destination, infos['dst-type'], family)])
  },
  check(infos, { hooks, family }) {
    if (infos['limit-iface-in'] && hooks.some(hook => hook === 'OUTPUT' || hook === 'POSTROUTING')) return '`--limit-iface-in` cannot be used in OUTPUT and POSTROUTING: the packet did not arrive on a device there'
    if (infos['limit-iface-out'] && hooks.some(hook => hook === 'PREROUTING' || hook === 'INPUT')) return '`--limit-iface-out` cannot be used in PREROUTING and INPUT: no device of departure is known there'
    const asked = (infos['src-type']?.value ?? 0) | (infos['dst-type']?.value ?? 0)
    return family === 'ipv6' && (asked & IPV6_LACKS) !== 0 ? 'IPv6 has no address types BROADCAST, BLACKHOLE, PROHIBIT and beyond' : undefined
  },
})

type TypeField = `addressType.${'src' | 'dst'}${'' | '.in' | '.out'}`

/** Kernel: IPv6 wants UNICAST, MULTICAST and UNSPEC all where they are named, and one of the others. Source: match_type6(). */
function isOfType(field: TypeField, use: OptionUseOf<number> | undefined, family: Family): Predicate {
  if (!use) return all([])
  const wanted = family === 'ipv6' ? IPV6_TOGETHER.filter(bit => use.value & bit) : []
  const others = wanted.reduce((bits, bit) => bits & ~bit, use.value)
  const isOne = all([...wanted.map(bit => hasAnyBit(field, bit)), ...(others === 0 ? [] : [hasAnyBit(field, others)])])
  return use.inverted ? not(isOne) : isOne
}
