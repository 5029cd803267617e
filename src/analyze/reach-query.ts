/** Questions such as `from eth0 to 10.0.0.0/8 tcp/22`: which packets are meant. */

import { all, always, any, equals, onDevice, masked } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import { familyOf, readPrefix } from '../net/address.ts'
import type { Address, Family } from '../net/address.ts'
import { PROTOCOL } from '../net/protocol.ts'
import { servicePort } from '../net/services.ts'
import { readEndpoint } from '../packet/endpoint.ts'
import type { FlowState } from '../symbolic/fate.ts'
import type { Start } from '../symbolic/reachable-sets.ts'
import { readService, readServiceName } from './services.ts'

/** A question about packets. */
export interface ReachQuery {
  readonly text: string
  readonly start: Start
  readonly state: Extract<FlowState, 'new' | 'known'>
  /** The namespace where they begin; undefined where the question names none. */
  readonly namespace: string | undefined
  /** What holds of the packets where they begin. */
  readonly when: Predicate
  /** Where they are meant to get. */
  readonly goal: ReachGoal
  /** Devices that the question names where packets begin or end. */
  readonly devices: readonly string[]
  /** The devices by which they arrive; none: any. */
  readonly arrivals: readonly string[]
  /** The addresses that the question names, or the first ones of its prefixes. */
  readonly from: Address | undefined
  readonly to: Address | undefined
  /** The family that the addresses are of; undefined where there are none. */
  readonly family: Family | undefined
}

/**
 * `host`: the host that is asked about. `device`: out of it, of the namespace where they begin unless another is named. `place`: a
 * namespace, whatever packets were addressed to at first; `service`: what their header says in the end.
 */
export type ReachGoal =
  | { readonly kind: 'any' }
  | { readonly kind: 'host' }
  | { readonly kind: 'device'; readonly name: string; readonly namespace: string | undefined }
  | { readonly kind: 'place'; readonly name: string; readonly place: NamedPlace; readonly service: Predicate }

/** What a name stands for. */
export interface NamedPlace {
  /** Absent: the name is short for addresses only. */
  readonly namespace?: string
  readonly addresses: readonly Address[]
}

/** Names of namespaces, containers and services. */
export type NamedPlaces = ReadonlyMap<string, NamedPlace>

/** A question that cannot be read; `word` is the end that is wrong, empty where something else is. */
export interface QueryProblem {
  readonly message: string
  readonly word: string
}

/** Reads a question. Both ends may be left out: then they are any. `family` is that of the rules, where they are known. */
export function readReachQuery(text: string, places: NamedPlaces = new Map(), family?: Family): { readonly ok: true; readonly value: ReachQuery } | { readonly ok: false; readonly problem: QueryProblem } {
  const words = text.trim().split(/\s+/).filter(word => word !== '')
  const draft: Draft = { places, start: 'arrive', state: 'new', namespace: undefined, goal: { kind: 'any' }, parts: [], service: [], names: [], ends: [], from: undefined, to: undefined, devices: [], arrivals: [], family: undefined }
  let side: 'from' | 'to' | undefined
  for (const word of words) {
    if (word === 'from' || word === 'to') side = word
    else {
      const problem = readWord(draft, word, side)
      if (problem) return { ok: false, problem: { message: problem, word: side === undefined ? '' : word } }
    }
  }
  return { ok: true, value: finished(draft, words.join(' '), family) }
}

interface Draft {
  readonly places: NamedPlaces
  start: Start
  state: ReachQuery['state']
  namespace: string | undefined
  goal: ReachGoal
  parts: Predicate[]
  /** Protocol and ports: of the packets at first, or at a place in the end. */
  service: Predicate[]
  /** Services by name. */
  names: string[]
  /** Addresses that names stand for; their family is known in the end. */
  ends: { readonly field: 'ip.src' | 'ip.dst'; readonly addresses: readonly Address[] }[]
  devices: string[]
  arrivals: string[]
  from: Address | undefined
  to: Address | undefined
  family: Family | undefined
}

function finished(draft: Draft, text: string, ofRules: Family | undefined): ReachQuery {
  const { start, state, namespace, goal, parts, ends, devices, arrivals, from, to, family } = draft
  const own = family ?? (ofRules !== undefined && ends.length === 0 ? ofRules : undefined) ?? (ends.every(({ addresses }) => addresses.length === 0 || addresses.some(address => familyOf(address) === 'ipv4')) ? 'ipv4' : 'ipv6')
  const at = ends.map(({ field, addresses }) => any(addresses.filter(address => familyOf(address) === own).map(address => equals(field, address))))
  const isPlace = goal.kind === 'place'
  const service = [...draft.service, ...draft.names.flatMap(name => readServiceName(name, own) ?? [])]
  return {
    text, start, state, namespace, devices, arrivals, from, to, family: ends.length > 0 || isPlace ? own : family,
    when: all([...parts, ...at, ...(isPlace ? [] : service)]),
    goal: isPlace ? { ...goal, service: all(service) } : goal,
  }
}

type Side = 'from' | 'to' | undefined

function readWord(draft: Draft, word: string, side: Side): string | undefined {
  if (word === 'established') {
    draft.state = 'known'
    return undefined
  }
  const named = side === undefined ? undefined : readNamed(draft, word, side)
  if (named !== undefined) return named === '' ? undefined : named
  const service = readService(word)
  if (typeof service === 'string') return service
  if (service) {
    draft.service.push(service)
    return undefined
  }
  if (/^[a-z]/i.test(word) && readServiceName(word, 'ipv4')) {
    draft.names.push(word)
    return undefined
  }
  if (side === undefined) return `\`${word}\` is no service, and neither \`from\` nor \`to\` stands before it: a question reads \`from eth0 to 10.0.0.0/8 tcp/22\``
  if (word === 'any') return undefined
  if (word === 'host') {
    if (side === 'from') draft.start = 'make'
    else draft.goal = { kind: 'host' }
    return undefined
  }
  return readAddresses(draft, word, side) ? undefined : readDevice(draft, word, side)
}

/** `NAME`, `NAME:80`, `NAME/eth0` of a namespace, container or service; '' where the word was read, undefined where it names none. */
function readNamed(draft: Draft, word: string, side: 'from' | 'to'): string | undefined {
  const [, name = '', after] = /^([^/:]+)(?:[/:](.*))?$/.exec(word) ?? []
  const place = draft.places.get(name)
  if (!place) return undefined
  const port = after === undefined || after === '' ? undefined : /^\d+$/.test(after) ? Number(after) : servicePort(after)
  const isDevice = after !== undefined && after !== '' && port === undefined
  if (port !== undefined && port > 65535) return `port \`${after}\` is above 65535`
  if (isDevice && place.namespace === undefined) return `\`${name}\` has no devices`
  if (port !== undefined) (side === 'from' ? draft.parts : draft.service).push(ofPort(side, port))
  if (isDevice) return readDevice(draft, after, side, place.namespace) ?? ''
  if (side === 'from') {
    draft.start = 'make'
    draft.namespace = place.namespace
    draft.ends.push({ field: 'ip.src', addresses: place.addresses })
  } else if (place.namespace === undefined) draft.ends.push({ field: 'ip.dst', addresses: place.addresses })
  else draft.goal = { kind: 'place', name, place, service: always }
  return ''
}

function readAddresses(draft: Draft, word: string, side: 'from' | 'to'): boolean {
  const field = side === 'from' ? 'ip.src' : 'ip.dst'
  const prefix = readPrefix(word)
  const end = prefix ? undefined : readEndpoint(word)
  if (prefix) draft.parts.push(masked(field, prefix.mask, prefix.address))
  else if (end?.ok) draft.parts.push(equals(field, end.value.address), ...(end.value.port === undefined ? [] : [ofPort(side, end.value.port)]))
  const address = prefix?.address ?? (end?.ok ? end.value.address : undefined)
  if (address !== undefined) {
    draft.family = familyOf(address)
    draft[side] = address
  }
  return address !== undefined
}

/** Where no protocol is named tcp and udp are meant. */
function ofPort(side: 'from' | 'to', port: number): Predicate {
  return all([any([equals('ip.protocol', PROTOCOL.tcp), equals('ip.protocol', PROTOCOL.udp)]), equals(side === 'from' ? 'l4.sport' : 'l4.dport', port)])
}

function readDevice(draft: Draft, word: string, side: 'from' | 'to', namespace?: string): string | undefined {
  const names = [...draft.places.keys()]
  if (!/^[A-Za-z][A-Za-z0-9._@-]{0,14}$/.test(word)) return `\`${word}\` is no device, address or prefix${names.length > 1 ? `, and none of the names ${names.map(name => `\`${name}\``).join(', ')}` : ''}`
  draft.devices.push(word)
  if (side === 'to') draft.goal = { kind: 'device', name: word, namespace }
  else {
    draft.arrivals.push(word)
    draft.namespace = namespace
    draft.parts.push(onDevice('device.in', { name: word, prefix: false }))
  }
  return undefined
}
