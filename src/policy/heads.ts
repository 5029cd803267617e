/** What stands before the verdict of a rule: matches for every combination of where from, where to, and which traffic. */

import type { Family } from '../net/address.ts'
import { PROTOCOL } from '../net/protocol.ts'
import type { Head } from './head-words.ts'
import { AUTHENTICATED, connectionMatch, messageMatch, portMatch, setMatch } from './matches.ts'
import { portLists } from './port-sets.ts'
import type { Traffic } from './resolved.ts'
import type { Side } from './sides.ts'

/** What one traffic becomes: the protocol for ip, and further matches. */
export interface TrafficMatch {
  readonly protocol?: number
  readonly matches: readonly string[]
}

/** One thing left out that a `!` can say. */
export interface Exception {
  readonly end: 'from' | 'to'
  readonly side: Side
}

const ALL_TRAFFIC: readonly TrafficMatch[] = [{ matches: [] }]
const NO_TRAFFIC: readonly TrafficMatch[] = []

/** Returns the alternatives of traffic in a family; one that matches all where no traffic is named. */
export function trafficMatches(traffic: readonly Traffic[] | undefined, family: Family): readonly TrafficMatch[] {
  if (!traffic) return ALL_TRAFFIC
  const only = traffic[0]
  if (only && traffic.length === 1) return only.families.includes(family) ? matchesOf(only, family) : NO_TRAFFIC
  return traffic.flatMap(one => (one.families.includes(family) ? matchesOf(one, family) : []))
}

const singlePorts = new Map<number, readonly TrafficMatch[]>()

function matchesOf({ protocol, ports, messages, published }: Traffic, family: Family): readonly TrafficMatch[] {
  const port = ports?.[0]
  if (port && ports?.length === 1 && port.low === port.high && !published) {
    const key = protocol * 65536 + port.low
    const known = singlePorts.get(key)
    if (known) return known
    const made = [{ protocol, matches: [portMatch(protocol, [port])] }]
    singlePorts.set(key, made)
    return made
  }
  if (messages) return messages.map(message => ({ protocol, matches: [messageMatch(family, message)] }))
  if (published) {
    const dialled = ports ?? [undefined]
    return dialled.map(port => ({ protocol, matches: [connectionMatch({ states: ['DNAT'], isOriginal: true, ...(port ? { originalPort: port } : {}) })] }))
  }
  return ports ? portLists(ports).map(list => ({ protocol, matches: [portMatch(protocol, list)] })) : [wholeProtocol(protocol, family)]
}

/** Returns what matches a protocol as a whole. Kernel: ip6tables looks behind the authentication header for the protocol. */
export function wholeProtocol(protocol: number, family: Family): TrafficMatch {
  return family === 'ipv6' && protocol === PROTOCOL.ah ? { matches: [AUTHENTICATED] } : { protocol, matches: [] }
}

/** Returns a head for every combination. */
export function makeHeads(from: readonly Side[], to: readonly Side[], traffic: readonly TrafficMatch[], exception?: Exception): readonly Head[] {
  const heads: Head[] = []
  for (const one of from) for (const other of to) for (const what of traffic) heads.push(makeHead(one, other, what, exception))
  return heads
}

/** Returns the head of one combination. */
export function makeHead(from: Side, to: Side, what: TrafficMatch, exception?: Exception): Head {
  return exception ? makeHeadExcept(from, to, what, exception) : makePlainHead(from, to, what)
}

function makePlainHead(from: Side, to: Side, { protocol, matches }: TrafficMatch): Head {
  return { from, to, protocol, except: undefined, matches: from.set === undefined && to.set === undefined ? matches : [...setsOf(from, to), ...matches] }
}

function setsOf(from: Side, to: Side): readonly string[] {
  return [...(from.set === undefined ? [] : [setMatch(from.set, 'src')]), ...(to.set === undefined ? [] : [setMatch(to.set, 'dst')])]
}

function makeHeadExcept(from: Side, to: Side, { protocol, matches }: TrafficMatch, { end, side }: Exception): Head {
  const isFrom = end === 'from'
  const except = side.device ? (isFrom ? 'inDevice' : 'outDevice') : side.prefix ? (isFrom ? 'source' : 'destination') : undefined
  const left = side.set === undefined ? [] : [setMatch(side.set, isFrom ? 'src' : 'dst', true)]
  return { from: isFrom ? { ...side, ...from } : from, to: isFrom ? to : { ...side, ...to }, protocol, except, matches: [...setsOf(from, to), ...left, ...matches] }
}

/** Tells whether a `!` can say the exception in every head. */
export function fitsInHeads(exception: Exception, from: readonly Side[], to: readonly Side[]): boolean {
  const { side } = exception
  const parts = [side.device, side.prefix, side.set].filter(part => part !== undefined)
  const sides = exception.end === 'from' ? from : to
  return parts.length === 1 && sides.every(one => (side.device ? !one.device : side.prefix ? !one.prefix : one.set === undefined))
}
