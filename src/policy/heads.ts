/** What stands before the verdict of a rule: matches for every combination of where from, where to, and which traffic. */

import type { MatchUse } from '../ir/ruleset.ts'
import type { Family } from '../net/address.ts'
import { PROTOCOL } from '../net/protocol.ts'
import { AUTHENTICATED, connectionMatch, ipMatch, messageMatch, portMatch, setMatch } from './matches.ts'
import { portLists } from './port-sets.ts'
import type { Traffic } from './resolved.ts'
import type { Side } from './sides.ts'

/** The matches of one rule. `protocol` is what they say of it. */
export interface Head {
  readonly matches: readonly MatchUse[]
  readonly protocol?: number
}

/** What one traffic becomes: the protocol for ip, and further matches. */
export interface TrafficMatch {
  readonly protocol?: number
  readonly matches: readonly MatchUse[]
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
  const [only] = traffic
  if (only && traffic.length === 1) return only.families.includes(family) ? matchesOf(only, family) : NO_TRAFFIC
  return traffic.flatMap(one => (one.families.includes(family) ? matchesOf(one, family) : []))
}

const singlePorts = new Map<number, readonly TrafficMatch[]>()

function matchesOf({ protocol, ports, messages, published }: Traffic, family: Family): readonly TrafficMatch[] {
  const [port] = ports ?? []
  if (port && ports?.length === 1 && port.low === port.high && !published) {
    const key = protocol * 65536 + port.low
    const known = singlePorts.get(key) ?? [{ protocol, matches: [portMatch(protocol, [port])] }]
    singlePorts.set(key, known)
    return known
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
  const ip = ipMatch({ source: from.prefix, destination: to.prefix, inDevice: from.device, outDevice: to.device, protocol })
  const all: MatchUse[] = ip ? [ip] : []
  if (from.set !== undefined) all.push(setMatch(from.set, 'src'))
  if (to.set !== undefined) all.push(setMatch(to.set, 'dst'))
  for (const use of matches) all.push(use)
  return protocol === undefined ? { matches: all } : { matches: all, protocol }
}

function makeHeadExcept(from: Side, to: Side, { protocol, matches }: TrafficMatch, exception: Exception): Head {
  const left = exception.side
  const isFrom = exception.end === 'from'
  const inDevice = from.device ?? (isFrom ? left.device : undefined)
  const source = from.prefix ?? (isFrom ? left.prefix : undefined)
  const outDevice = to.device ?? (isFrom ? undefined : left.device)
  const destination = to.prefix ?? (isFrom ? undefined : left.prefix)
  const except = left.device ? (isFrom ? 'inDevice' : 'outDevice') : left.prefix ? (isFrom ? 'source' : 'destination') : undefined
  const ip = ipMatch({ source, destination, inDevice, outDevice, protocol, except })
  const all: MatchUse[] = ip ? [ip] : []
  if (from.set !== undefined) all.push(setMatch(from.set, 'src'))
  if (to.set !== undefined) all.push(setMatch(to.set, 'dst'))
  if (left.set !== undefined) all.push(setMatch(left.set, isFrom ? 'src' : 'dst', true))
  all.push(...matches)
  return { matches: all, ...(protocol === undefined ? {} : { protocol }) }
}

/** Tells whether a `!` can say the exception in every head. */
export function fitsInHeads(exception: Exception, from: readonly Side[], to: readonly Side[]): boolean {
  const { side } = exception
  const parts = [side.device, side.prefix, side.set].filter(part => part !== undefined)
  const sides = exception.end === 'from' ? from : to
  return parts.length === 1 && sides.every(one => (side.device ? !one.device : side.prefix ? !one.prefix : one.set === undefined))
}
