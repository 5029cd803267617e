/** What the sentences of a random policy mean for one packet that begins a connection, said without any rules: the first sentence that speaks of it decides. */

import type { RandomPublish, RandomRedirect, RandomSourceNat } from './random-nat.ts'
import type { RandomPolicy, RandomRaw, RandomRule, RandomSentence } from './random-policies.ts'
import { comesFrom, goesTo, includes, isAmong, isOn, isOwn } from './random-places.ts'
import type { Said } from './random-places.ts'
import type { RandomEnd, RandomFamily, RandomTraffic, RandomZone } from './random-universe.ts'

/** A packet. `inDevice` is absent where the firewall makes it. */
export interface Sent {
  readonly family: RandomFamily
  readonly inDevice?: string
  readonly src: string
  readonly dst: string
  readonly protocol: number
  readonly sport?: number
  readonly dport?: number
  readonly icmpType?: number
}

/** What becomes of it; `dst` and `dport` are where it goes then, by `outDevice` ('': the firewall itself), `src` as whose: undefined where the language leaves that open. `unsaid`: it leaves all open. */
export interface Meant {
  readonly verdict: 'accept' | 'drop' | 'reject' | 'unsaid'
  readonly src: string | undefined
  readonly dst: string
  readonly dport?: number
  readonly outDevice: string
  readonly isUntracked: boolean
}

/** Returns where the firewall sends an address: a device, or '' for itself. */
export type RouteOf = (address: string) => string

/** How often each limit was asked, by the sentence and what it counts together. */
export type Counts = Map<RandomSentence, Map<string, number>>

/** A packet on its way, with what it was before a translation. */
export interface Way extends Sent {
  readonly outDevice: string
  readonly original?: Sent
}

/** Returns what a policy means for a packet; `counts` remembers it. */
export function meaningOf(policy: RandomPolicy, sent: Sent, routeOf: RouteOf, counts: Counts = new Map()): Meant {
  const { sentences, zones } = policy
  const untracked = isUntracked(policy, { ...sent, outDevice: routeOf(sent.dst) })
  const nat = untracked === true ? undefined : sentences.find((one): one is RandomPublish | RandomRedirect => (one.kind === 'publish' || one.kind === 'redirect') && isDialled(one, sent, zones) !== false)
  const way = translated(sent, nat, routeOf)
  const end = { src: sent.src, dst: way.dst, ...(way.dport === undefined ? {} : { dport: way.dport }), outDevice: way.outDevice, isUntracked: untracked === true }
  // The kernel drops what it should send to an address that the device lacks.
  if (way.dst === '' || untracked === 'unsaid' || (nat && isDialled(nat, sent, zones) === 'unsaid')) return { verdict: 'unsaid', ...end }
  const verdict = verdictOf(policy, way, counts)
  return verdict === 'accept' && !end.isUntracked ? { verdict, ...end, src: sourceOf(policy, way) } : { verdict, ...end }
}

function translated(sent: Sent, nat: RandomPublish | RandomRedirect | undefined, routeOf: RouteOf): Way {
  const dport = nat?.port ?? sent.dport
  const dst = nat?.kind === 'redirect' ? ownAddress(sent) : (nat?.to ?? sent.dst)
  return { ...sent, dst, ...(dport === undefined ? {} : { dport }), ...(nat ? { original: sent } : {}), outDevice: routeOf(dst) }
}

function verdictOf(policy: RandomPolicy, way: Way, counts: Counts): Meant['verdict'] {
  const { inDevice, outDevice } = way
  const raws = policy.sentences.filter(sentence => sentence.kind === 'raw')
  const rawAt = (hook: RandomRaw['hook'], place: RandomRaw['place']): RandomRaw['verdict'] | undefined => raws.find(raw => raw.hook === hook && raw.place === place && includes(raw.source, way.src))?.verdict
  // What stays on the host goes by lo, and comes in again.
  if ((inDevice !== undefined || outDevice === '') && rawAt('PREROUTING', 'first') === 'drop') return 'drop'
  if (inDevice === undefined && outDevice === '') return rawAt('OUTPUT', 'first') === 'drop' ? 'drop' : (rawAt('INPUT', 'first') ?? 'accept')
  const hook = inDevice === undefined ? 'OUTPUT' : outDevice === '' ? 'INPUT' : 'FORWARD'
  const first = rawAt(hook, 'first')
  if (first) return first
  // Docker's bridge is docker's own.
  if (inDevice === 'docker0' && outDevice === 'docker0') return 'unsaid'
  for (const sentence of policy.sentences) {
    const said = speaksOf(sentence, way, policy.zones)
    if (said === 'unsaid') return 'unsaid'
    if (!said || (sentence.kind === 'rule' && (sentence.verb === 'log' || !isWithinLimit(sentence, way, hook, policy.zones, counts)))) continue
    return sentence.kind !== 'rule' || sentence.verb === 'allow' || sentence.verb === 'untracked' ? 'accept' : sentence.verb === 'reject' ? 'reject' : 'drop'
  }
  return (isByDocker(way, policy.zones) ? undefined : rawAt(hook, 'last')) ?? policy.otherwise
}

/** Docker has its zone in the families of its addresses. */
function isByDocker({ family, inDevice, outDevice }: Way, zones: readonly RandomZone[]): boolean {
  return zones.some(zone => zone.isDockers && zone.at?.some(prefix => prefix.includes(':') === (family === 'ipv6')) && [inDevice, outDevice].some(device => device !== undefined && isOn(zone, device)))
}

/** A limit for all counts what it is asked about in each family, and in each hook for itself. */
function isWithinLimit(rule: RandomRule, way: Way, hook: string, zones: readonly RandomZone[], counts: Counts): boolean {
  const { limit } = rule
  if (!limit) return true
  const { family, src, sport, dst, dport } = way
  const place = `${family} ${hook} ${String(isByDocker(way, zones))}`
  const key = { all: place, source: src, flow: [src, sport, dst, dport].join(), connections: place, 'connections of a source': `${place} ${src}` }[limit.per]
  const ofRule = counts.get(rule) ?? new Map<string, number>()
  counts.set(rule, ofRule)
  const count = (ofRule.get(key) ?? 0) + 1
  ofRule.set(key, count)
  return count <= limit.most
}

/** Without a connection nothing is translated: both directions of what `untracked` speaks of. Docker needs its connections, and of what stays on the host nothing is said. */
function isUntracked({ sentences, zones }: RandomPolicy, way: Way): Said {
  if (isByDocker(way, zones) || (way.inDevice === undefined && way.outDevice === '')) return false
  const said = sentences.filter((one): one is RandomRule => one.kind === 'rule' && one.verb === 'untracked').map(rule => speaksOf(rule, way, zones))
  return said.includes(true) ? true : said.includes('unsaid') ? 'unsaid' : false
}

/** A connection is translated where it dials what is published, from where that is said. */
function isDialled(sentence: RandomPublish | RandomRedirect, sent: Sent, zones: readonly RandomZone[]): Said {
  const isMeant = sentence.kind === 'redirect' ? sentence.families.includes(sent.family) && !isMadeUnasked(sentence, sent) : sentence.on.includes(sent.dst)
  return isMeant && sentence.traffic.some(traffic => isOf(traffic, sent.protocol, sent.dport)) && isAmong(sentence.from, sent, zones, comesFrom)
}

function isOf({ protocol, low, high }: RandomTraffic, sent: number, port: number | undefined): boolean {
  return protocol === sent && (low === undefined || (port !== undefined && low <= port && port <= (high ?? low)))
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
export const FIRST_ADDRESS: Readonly<Record<RandomFamily, Readonly<Record<string, string>>>> = {
  ipv4: { eth0: '203.0.113.2', eth1: '192.168.10.1', eth2: '10.0.1.1', docker0: '172.17.0.1' },
  ipv6: { eth0: '2001:db8::2', eth1: '2001:db8:a::1', eth2: '2001:db8:b::1' },
}

/** Returns the source address of what leaves: of the first sentence of source NAT, or of a hairpin, that speaks of it. */
function sourceOf({ sentences, zones }: RandomPolicy, way: Way): string | undefined {
  if (way.outDevice === '') return way.src
  for (const sentence of sentences) {
    if (sentence.kind === 'publish' && isHairpin(sentence, way, zones)) return FIRST_ADDRESS[way.family][way.outDevice]
    if (sentence.kind !== 'sourceNat') continue
    const said = isSourceOf(sentence, way, zones)
    if (said === 'unsaid') return undefined
    if (said) return sentence.to ?? FIRST_ADDRESS[way.family][way.outDevice]
  }
  return way.src
}

/** Addresses alone tell where a packet came from; whether a zone's own address is a host of it when the firewall sends by it is left open. */
function isSourceOf({ from, out, family }: RandomSourceNat, way: Way, zones: readonly RandomZone[]): Said {
  const zone = zones.find(({ name }) => name === out)
  if (family !== way.family || !zone || !isOn(zone, way.outDevice)) return false
  return isAmong(from, way, zones, ({ place, prefixes }: RandomEnd, { src, inDevice }: Way): Said => {
    const known = prefixes ?? zones.find(({ name }) => name === place)?.at
    if (known) return known.some(prefix => includes(prefix, src)) && (inDevice !== undefined || place === 'fw' || 'unsaid')
    return place === 'any' || isOwn(src)
  })
}

/** Clients beside the server that they reach by a published service. */
function isHairpin(sentence: RandomPublish, way: Way, zones: readonly RandomZone[]): boolean {
  const isNear = ({ name, at, devices }: RandomZone): boolean => {
    const has = (address: string): boolean => at?.some(prefix => includes(prefix, address)) ?? false
    return has(sentence.to) && has(way.src) && isOn({ devices }, way.outDevice) && sentence.from.included.some(({ place }) => place === 'any' || place === name)
  }
  return isPublishedBy(sentence, way) && zones.some(isNear)
}

function isPublishedBy({ on, to, port, traffic }: RandomPublish, { original, dst, dport }: Way): boolean {
  return original !== undefined && on.includes(original.dst) && traffic.some(one => isOf(one, original.protocol, original.dport)) && dst === to && dport === (port ?? original.dport)
}

function speaksOf(sentence: RandomSentence, way: Way, zones: readonly RandomZone[]): Said {
  switch (sentence.kind) {
    case 'raw':
    case 'sourceNat':
      return false
    case 'publish':
      return isPublishedBy(sentence, way)
    case 'redirect': {
      const { original } = way
      return original !== undefined && sentence.families.includes(way.family) && sentence.traffic.some(one => isOf(one, original.protocol, original.dport)) && way.outDevice === '' && way.dport === sentence.port && isAmong(sentence.from, way, zones, comesFrom)
    }
    default:
      return ruleSpeaksOf(sentence, way, zones)
  }
}

function ruleSpeaksOf(rule: RandomRule, way: Way, zones: readonly RandomZone[]): Said {
  const { verb, services, from, to, family, isOver } = rule
  if (isOver || (family && family !== way.family)) return false
  const isNamed = !services || isOfServices(services.included, services.excluded, one => isTraffic(one, way))
  // Kernel: what the firewall dials at an address of its own still counts as leaving by lo where it has been sent elsewhere.
  const goes: typeof goesTo = (end, packet, all) => (way.inDevice === undefined && way.original && isOwn(way.original.dst) && all.some(({ name }) => name === end.place) ? 'unsaid' : goesTo(end, packet, all))
  const there: Said = isNamed && both(isAmong(from, way, zones, comesFrom), isAmong(to, way, zones, goes))
  if (verb !== 'untracked' || there === true) return there
  if (there === 'unsaid' || isByDocker(way, zones)) return there
  const isAnswer = !services || isOfServices(services.included, services.excluded, one => isAnswerOf(one, way))
  const back: Said = isAnswer && both(isAmong(to, way, zones, comesFrom), isAmong(from, way, zones, answersTo))
  return back === false ? there : back
}

/** What the firewall makes by an address of its own alone nothing is said of, and so not of the answers. */
function answersTo(end: RandomEnd, way: Way, zones: readonly RandomZone[]): Said {
  const said = goesTo(end, way, zones)
  return said === true && end.place === 'any' && end.prefixes && way.outDevice === '' ? 'unsaid' : said
}

function both(one: Said, other: Said): Said {
  return one === false || other === false ? false : one === 'unsaid' || other === 'unsaid' ? 'unsaid' : true
}

function isOfServices(included: readonly RandomTraffic[], excluded: readonly RandomTraffic[], is: (traffic: RandomTraffic) => boolean): boolean {
  return included.some(is) && !excluded.some(is)
}

/** Tells whether a packet is of a service. */
export function isTraffic(traffic: RandomTraffic, way: Way): boolean {
  const { types, published, low } = traffic
  if (types) return way.family === 'ipv4' ? way.protocol === 1 && way.icmpType === types[0] : way.protocol === 58 && way.icmpType === types[1]
  const isChanged = way.original !== undefined && (way.original.dst !== way.dst || way.original.dport !== way.dport)
  if (published && (!isChanged || low === undefined)) return isChanged && way.protocol === traffic.protocol
  return isOf(traffic, way.protocol, published ? way.original?.dport : way.dport)
}

/** Messages are answered by other messages of their protocol. */
function isAnswerOf(traffic: RandomTraffic, { family, protocol, sport }: Way): boolean {
  return traffic.types ? protocol === (family === 'ipv4' ? 1 : 58) : isOf(traffic, protocol, sport)
}
