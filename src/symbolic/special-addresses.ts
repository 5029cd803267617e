/** IPv4 addresses that mean something by themselves, as predicates. */

import { ADDRESS_TYPE } from '../meaning/fields.ts'
import { all, any, equals, hasAnyBit, masked, not } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'

/** The group that every host is in. */
export const ALL_HOSTS = 0xe0000001

/** 255.255.255.255. */
export const LIMITED_BROADCAST = 0xffffffff

const LOOPBACK_BROADCAST = 0x7fffffff

type Side = 'ip.src' | 'ip.dst'

/** 127.0.0.0/8. */
export const isLoopback = (field: Side): Predicate => masked(field, 0xff000000, 0x7f000000)

/** 0.0.0.0/8. */
export const isZeroNet = (field: Side): Predicate => masked(field, 0xff000000, 0)

/** 224.0.0.0/4. */
export const isMulticast = (field: Side): Predicate => masked(field, 0xf0000000, 0xe0000000)

/** 127.255.255.255, which lo takes as its broadcast. */
export const isLoopbackBroadcast = (field: Side): Predicate => equals(field, LOOPBACK_BROADCAST)

/** Returns "the type is one that some host gives to the address": what no host can change, and UNICAST, LOCAL or BROADCAST for the others. Source: net/ipv4/fib_frontend.c __inet_dev_addr_type(). */
export function hasPossibleType4(field: Side): Predicate {
  const type = field === 'ip.src' ? 'addressType.src' : 'addressType.dst'
  const broadcast = any([isZeroNet(field), equals(field, LIMITED_BROADCAST), isLoopbackBroadcast(field)])
  const loopback = all([isLoopback(field), not(isLoopbackBroadcast(field))])
  return any([
    all([broadcast, equals(type, ADDRESS_TYPE.BROADCAST)]),
    all([loopback, equals(type, ADDRESS_TYPE.LOCAL)]),
    all([isMulticast(field), equals(type, ADDRESS_TYPE.MULTICAST)]),
    all([not(any([broadcast, loopback, isMulticast(field)])), hasAnyBit(type, ADDRESS_TYPE.UNICAST | ADDRESS_TYPE.LOCAL | ADDRESS_TYPE.BROADCAST)]),
  ])
}
