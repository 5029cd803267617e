/** What stands before the verdict of a rule: matches for every combination of where from, where to, and which traffic. */

import { savedProtocolName, PROTOCOL } from '../net/protocol.ts'
import { addressWidth, familyOf, writePrefix } from '../net/address.ts'
import type { Family, Prefix } from '../net/address.ts'
import { writeDevicePattern } from '../net/device-name.ts'
import type { DevicePattern } from '../net/device-name.ts'
import { AUTHENTICATED, connectionMatch, messageMatch, portMatch, setMatch } from './matches.ts'
import { portLists } from './port-sets.ts'
import type { Traffic } from './resolved.ts'
import type { Side } from './sides.ts'

/** What one rule asks of a packet: the options of ip itself, of which `except` is inverted, and further matches in words. */
export interface Head {
  readonly source?: Prefix | undefined
  readonly destination?: Prefix | undefined
  readonly inDevice?: DevicePattern | undefined
  readonly outDevice?: DevicePattern | undefined
  readonly protocol?: number | undefined
  readonly except?: 'source' | 'destination' | 'inDevice' | 'outDevice' | undefined
  readonly matches: readonly string[]
}

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

/** What asks nothing. */
export const ANYTHING: Head = { matches: [] }

/** Returns the head of one combination. */
export function makeHead(from: Side, to: Side, what: TrafficMatch, exception?: Exception): Head {
  return exception ? makeHeadExcept(from, to, what, exception) : makePlainHead(from, to, what)
}

function makePlainHead(from: Side, to: Side, { protocol, matches }: TrafficMatch): Head {
  return { source: from.prefix, destination: to.prefix, inDevice: from.device, outDevice: to.device, protocol, except: undefined, matches: from.set === undefined && to.set === undefined ? matches : [...setsOf(from, to), ...matches] }
}

function setsOf(from: Side, to: Side): readonly string[] {
  return [...(from.set === undefined ? [] : [setMatch(from.set, 'src')]), ...(to.set === undefined ? [] : [setMatch(to.set, 'dst')])]
}

function makeHeadExcept(from: Side, to: Side, { protocol, matches }: TrafficMatch, exception: Exception): Head {
  const left = exception.side
  const isFrom = exception.end === 'from'
  return {
    source: from.prefix ?? (isFrom ? left.prefix : undefined),
    destination: to.prefix ?? (isFrom ? undefined : left.prefix),
    inDevice: from.device ?? (isFrom ? left.device : undefined),
    outDevice: to.device ?? (isFrom ? undefined : left.device),
    protocol,
    except: left.device ? (isFrom ? 'inDevice' : 'outDevice') : left.prefix ? (isFrom ? 'source' : 'destination') : undefined,
    matches: [...setsOf(from, to), ...(left.set === undefined ? [] : [setMatch(left.set, isFrom ? 'src' : 'dst', true)]), ...matches],
  }
}

/** Returns a head in iptables-save's words, with what else is asked behind it; empty where it asks nothing. */
export function writeHead({ source, destination, inDevice, outDevice, protocol, except, matches }: Head, guards: readonly string[]): string {
  let text = ''
  if (source && !isEverything(source)) text += ` ${except === 'source' ? '! ' : ''}-s ${prefixInWords(source)}`
  if (destination && !isEverything(destination)) text += ` ${except === 'destination' ? '! ' : ''}-d ${prefixInWords(destination)}`
  if (inDevice && !isAnyDevice(inDevice)) text += ` ${except === 'inDevice' ? '! ' : ''}-i ${writeDevicePattern(inDevice)}`
  if (outDevice && !isAnyDevice(outDevice)) text += ` ${except === 'outDevice' ? '! ' : ''}-o ${writeDevicePattern(outDevice)}`
  if (protocol !== undefined && protocol !== PROTOCOL.all) text += ` -p ${savedProtocolName(protocol) ?? String(protocol)}`
  for (const match of matches) text += ` ${match}`
  for (const guard of guards) text += ` ${guard}`
  return text.slice(1)
}

function isEverything({ mask }: Prefix): boolean {
  return mask === 0 || mask === 0n
}

function isAnyDevice({ name, prefix }: DevicePattern): boolean {
  return prefix && name === ''
}

/** iptables-save prints the length of a full prefix too. */
function prefixInWords(prefix: Prefix): string {
  const text = writePrefix(prefix)
  return text.includes('/') ? text : `${text}/${addressWidth(familyOf(prefix.address))}`
}

/** Tells whether a `!` can say the exception in every head. */
export function fitsInHeads(exception: Exception, from: readonly Side[], to: readonly Side[]): boolean {
  const { side } = exception
  const parts = [side.device, side.prefix, side.set].filter(part => part !== undefined)
  const sides = exception.end === 'from' ? from : to
  return parts.length === 1 && sides.every(one => (side.device ? !one.device : side.prefix ? !one.prefix : one.set === undefined))
}
