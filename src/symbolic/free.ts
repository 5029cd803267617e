/** Surroundings of which nothing is known: a packet may be for the host or go out of any device. What holds for them holds wherever the rules are loaded. */

import { ADDRESS_TYPE } from '../meaning/fields.ts'
import { all, always, any, hasAnyBit, never, not, onDevice } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import type { Family } from '../net/address.ts'
import { waysBeforeRouting4 } from './route-input.ts'
import type { Drawn, Surroundings } from './surroundings.ts'

const device = (field: 'device.in' | 'device.out', name: string): Predicate => onDevice(field, { name, prefix: false })
const isDelivered = device('device.out', '')
const overLoopback = device('device.out', 'lo')
const isLocal = hasAnyBit('addressType.dst', ADDRESS_TYPE.LOCAL)
const isForHost = hasAnyBit('addressType.dst', ADDRESS_TYPE.LOCAL | ADDRESS_TYPE.BROADCAST | ADDRESS_TYPE.MULTICAST | ADDRESS_TYPE.ANYCAST)

/** Returns the surroundings for rules that can tell these devices apart. */
export function freeSurroundings(family: Family, devices: readonly string[]): Surroundings {
  const refusals = family === 'ipv4' ? waysBeforeRouting4(never, []).filter(({ way }) => way.kind === 'refused') : []
  const drawn: Drawn = { kind: 'drawn', devices: devices.filter(name => name !== '' && name !== 'lo') }
  return {
    kind: 'free',
    ground: predicate => predicate,
    inputWays: [...refusals, { when: isDelivered, way: { kind: 'local' } }, { when: always, way: { kind: 'forward', device: undefined } }],
    rewrittenWays: [...refusals, { when: isForHost, way: { kind: 'local' } }, { when: always, way: drawn }],
    outputWays: [{ when: differ(overLoopback, isLocal), way: { kind: 'impossible' } }, { when: always, way: { kind: 'forward', device: undefined } }],
    rerouteWays: [{ when: isLocal, way: { kind: 'forward', device: 'lo' } }, { when: always, way: drawn }],
    masqueradeAddresses: () => [{ when: always, address: 'unknown' }],
    redirectAddresses: [{ when: always, address: 'unknown' }],
    arrivals: all([not(device('device.in', '')), not(device('device.in', 'lo')), not(overLoopback), not(differ(isDelivered, isForHost))]),
    departures: all([device('device.in', ''), not(isDelivered)]),
    isLinked: false,
    isTaken: always,
    tcpLoose: true,
  }
}

function differ(one: Predicate, other: Predicate): Predicate {
  return any([all([one, not(other)]), all([not(one), other])])
}
