/** Surroundings of which nothing is known: a packet may be for the host or go out of any device. What holds for them holds wherever the rules are loaded. */

import { ADDRESS_TYPE } from '../meaning/fields.ts'
import { all, always, any, hasAnyBit, never, not, onDevice, opaque } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import type { Family } from '../net/address.ts'
import { waysBeforeRouting4 } from './route-input.ts'
import type { InputWay, OutputWay, Surroundings } from './surroundings.ts'

const device = (field: 'device.in' | 'device.out', name: string): Predicate => onDevice(field, { name, prefix: false })
const isDelivered = device('device.out', '')
const overLoopback = device('device.out', 'lo')
const isLocal = hasAnyBit('addressType.dst', ADDRESS_TYPE.LOCAL)
const isForHost = hasAnyBit('addressType.dst', ADDRESS_TYPE.LOCAL | ADDRESS_TYPE.BROADCAST | ADDRESS_TYPE.MULTICAST | ADDRESS_TYPE.ANYCAST)

/** Returns the surroundings for rules that name these devices. */
export function freeSurroundings(family: Family, devices: readonly string[]): Surroundings {
  const inputWays: readonly InputWay[] = [
    ...(family === 'ipv4' ? waysBeforeRouting4(never, []).filter(({ way }) => way.kind === 'refused') : []),
    { when: differ(isDelivered, isForHost), way: { kind: 'impossible' } },
    { when: isDelivered, way: { kind: 'local' } },
    { when: always, way: { kind: 'forward', device: undefined } },
  ]
  return {
    kind: 'free',
    ground: predicate => predicate,
    inputWays,
    outputWays: [{ when: differ(overLoopback, isLocal), way: { kind: 'impossible' } }, { when: always, way: { kind: 'forward', device: undefined } }],
    rerouteWays: rerouteWays(devices),
    masqueradeAddresses: () => [{ when: always, address: 'unknown' }],
    redirectAddresses: [{ when: isDelivered, address: 'unknown' }],
    arrivals: all([not(device('device.in', '')), not(device('device.in', 'lo')), not(overLoopback)]),
    departures: all([device('device.in', ''), not(isDelivered)]),
    isLinked: false,
    isTaken: always,
    tcpLoose: true,
  }
}

function differ(one: Predicate, other: Predicate): Predicate {
  return any([all([one, not(other)]), all([not(one), other])])
}

/** A new route may lead out of any device: which, is a free variable for each. */
function rerouteWays(devices: readonly string[]): readonly OutputWay[] {
  const others = devices.filter(name => name !== 'lo')
  const choices = others.slice(0, -1).map((name): OutputWay => {
    const words = `what is routed anew leaves by ${name}`
    return { when: opaque(words, words), way: { kind: 'forward', device: name } }
  })
  return [{ when: isLocal, way: { kind: 'forward', device: 'lo' } }, ...choices, { when: always, way: { kind: 'forward', device: others.at(-1) ?? 'lo' } }]
}
