/** What the sentences of a random policy mean for one packet that begins a connection, said without any rules: the first sentence that speaks of it decides. */

import { prefixIncludes, readAddress, readPrefix } from '../../src/net/address.ts'
import type { Address } from '../../src/net/address.ts'
import type { RandomEnd, RandomEnds, RandomPolicy, RandomPublish, RandomRedirect, RandomRule, RandomSentence, RandomTraffic, RandomZone } from './random-policies.ts'

/** A packet. `inDevice` is absent where the firewall makes it. */
export interface Sent {
  readonly family: 'ipv4' | 'ipv6'
  readonly inDevice?: string
  readonly src: string
  readonly dst: string
  readonly protocol: number
  readonly dport?: number
  readonly icmpType?: number
}

/** What becomes of it; `dst` and `dport` are where it goes then. `unsaid`: the language leaves it open. */
export interface Meant {
  readonly verdict: 'accept' | 'drop' | 'reject' | 'unsaid'
  readonly dst: string
  readonly dport?: number
}

/** Returns where the firewall sends an address: a device, or '' for itself. */
export type RouteOf = (address: string) => string

/** A packet on its way, with what it was before a translation. */
interface Way extends Sent {
  readonly outDevice: string
  readonly original?: { readonly dst: string; readonly dport?: number }
}

/** Returns what a policy means for a packet. */
export function meaningOf(policy: RandomPolicy, sent: Sent, routeOf: RouteOf): Meant {
  const nat = policy.sentences.find((sentence): sentence is RandomPublish | RandomRedirect => sentence.kind !== 'rule' && isDialled(sentence, sent, policy.zones) !== false)
  if (nat && isDialled(nat, sent, policy.zones) === 'unsaid') return { verdict: 'unsaid', dst: sent.dst }
  const dport = nat?.port ?? sent.dport
  const dst = nat?.kind === 'redirect' ? ownAddress(sent) : (nat?.to ?? sent.dst)
  const way: Way = { ...sent, dst, ...(dport === undefined ? {} : { dport }), ...(nat ? { original: sent } : {}), outDevice: routeOf(dst) }
  // The kernel drops what it should send to an address that the device lacks.
  if (dst === '') return { verdict: 'unsaid', dst }
  const end = { dst, ...(way.dport === undefined ? {} : { dport: way.dport }) }
  // What stays on the host goes by lo, and docker's bridge is docker's own.
  if (way.inDevice === undefined && way.outDevice === '') return { verdict: 'accept', ...end }
  if (way.inDevice === 'docker0' && way.outDevice === 'docker0') return { verdict: 'unsaid', ...end }
  for (const sentence of policy.sentences) {
    const said = speaksOf(sentence, way, policy.zones)
    if (said === 'unsaid') return { verdict: 'unsaid', ...end }
    if (!said || (sentence.kind === 'rule' && sentence.verb === 'log')) continue
    return { verdict: sentence.kind !== 'rule' || sentence.verb === 'allow' ? 'accept' : sentence.verb === 'reject' ? 'reject' : 'drop', ...end }
  }
  return { verdict: policy.otherwise, ...end }
}

/** A connection is translated where it dials what is published, from where that is said. */
function isDialled(sentence: RandomPublish | RandomRedirect, sent: Sent, zones: readonly RandomZone[]): Said {
  const { protocol, dialled, from } = sentence
  return (sentence.kind === 'redirect' ? !isMadeUnasked(sentence, sent) : sent.dst === sentence.on) && sent.protocol === protocol && sent.dport === dialled && isAmong(from, sent, zones, comesFrom)
}

/** What the firewall makes is sent to itself only where `fw` is named. */
function isMadeUnasked({ from }: RandomRedirect, { inDevice }: Sent): boolean {
  return inDevice === undefined && !from.included.some(({ place }) => place === 'fw')
}

/** Kernel: the first address of the device of arrival, the loopback address for what is made here. */
function ownAddress({ inDevice, family }: Sent): string {
  if (inDevice === undefined) return family === 'ipv4' ? '127.0.0.1' : '::1'
  return FIRST_ADDRESS[family][inDevice] ?? ''
}

/** The firewall's addresses by device. */
export const FIRST_ADDRESS: Readonly<Record<Sent['family'], Readonly<Record<string, string>>>> = {
  ipv4: { eth0: '203.0.113.2', eth1: '192.168.10.1', eth2: '10.0.1.1', docker0: '172.17.0.1' },
  ipv6: { eth0: '2001:db8::2', eth1: '2001:db8:a::1', eth2: '2001:db8:b::1' },
}

type Said = boolean | 'unsaid'

function speaksOf(sentence: RandomSentence, way: Way, zones: readonly RandomZone[]): Said {
  const { original } = way
  if (sentence.kind === 'redirect') return original !== undefined && original.dport === sentence.dialled && way.outDevice === '' && way.dport === sentence.port && isAmong(sentence.from, way, zones, comesFrom)
  if (sentence.kind === 'publish') {
    return original !== undefined && original.dst === sentence.on && original.dport === sentence.dialled && way.dst === sentence.to && way.dport === (sentence.port ?? sentence.dialled)
  }
  if (sentence.family && sentence.family !== way.family) return false
  if (!isOfServices(sentence, way)) return false
  const from = isAmong(sentence.from, way, zones, comesFrom)
  const to = isAmong(sentence.to, way, zones, goesTo)
  return from === false || to === false ? false : from === 'unsaid' || to === 'unsaid' ? 'unsaid' : true
}

function isOfServices({ services }: RandomRule, way: Way): boolean {
  return !services || (services.included.some(traffic => isOf(traffic, way)) && !services.excluded.some(traffic => isOf(traffic, way)))
}

function isOf({ protocol, low, high, types, published }: RandomTraffic, way: Way): boolean {
  if (types) return way.family === 'ipv4' ? way.protocol === 1 && way.icmpType === types[0] : way.protocol === 58 && way.icmpType === types[1]
  const port = published ? way.original?.dport : way.dport
  return way.protocol === protocol && (low === undefined ? !published || way.original !== undefined : port !== undefined && low <= port && port <= (high ?? low))
}

type IsAt<P> = (end: RandomEnd, packet: P, zones: readonly RandomZone[]) => Said

function isAmong<P>({ included, excluded }: RandomEnds, packet: P, zones: readonly RandomZone[], isAt: IsAt<P>): Said {
  const out = excluded.map(end => isAt(end, packet, zones))
  const inside = included.map(end => isAt(end, packet, zones))
  if (out.includes(true) || !inside.some(Boolean)) return false
  return out.includes('unsaid') || !inside.includes(true) ? 'unsaid' : true
}

/** What the firewall makes comes from `fw`, or from `any`; of its addresses alone nothing is said. */
function comesFrom({ place, prefixes }: RandomEnd, { inDevice, src }: Sent, zones: readonly RandomZone[]): Said {
  const zone = zones.find(({ name }) => name === place)
  const known = prefixes ?? zone?.at
  if (known && !known.some(prefix => includes(prefix, src))) return false
  if (inDevice === undefined) return place === 'fw' ? true : place === 'any' ? (prefixes ? 'unsaid' : true) : false
  // Docker's zone says which addresses it has: of others behind its devices an address alone says nothing.
  const isForeign = prefixes !== undefined && zones.some(({ isDockers, at, ...one }) => isDockers && isOn({ isDockers, ...one }, inDevice) && at?.some(prefix => includes(prefix, src)) === false)
  return place === 'any' ? (isForeign ? 'unsaid' : true) : zone !== undefined && isOn(zone, inDevice)
}

/** An address of the firewall's own that a zone has may be meant by neither. */
function goesTo({ place, prefixes }: RandomEnd, { outDevice, dst }: Way, zones: readonly RandomZone[]): Said {
  const zone = zones.find(({ name }) => name === place)
  const known = prefixes ?? zone?.at
  if (known && !known.some(prefix => includes(prefix, dst))) return false
  if (place === 'any') return outDevice === '' && prefixes && zones.some(({ at }) => at?.some(prefix => includes(prefix, dst))) ? 'unsaid' : true
  return place === 'fw' ? outDevice === '' : zone !== undefined && isOn(zone, outDevice)
}

function isOn({ devices }: RandomZone, device: string): boolean {
  return devices.some(name => (name.endsWith('+') ? device.startsWith(name.slice(0, -1)) : device === name))
}

/** Tells whether a prefix, or an address, includes an address; those of different families have nothing in common. */
export function includes(text: string, address: string): boolean {
  const prefix = readPrefix(text)
  const value: Address | undefined = readAddress(address)
  return prefix !== undefined && value !== undefined && typeof prefix.address === typeof value && prefixIncludes(prefix, value)
}
