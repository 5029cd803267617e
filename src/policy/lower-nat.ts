/** publish, masquerade, snat and redirect -> rules of nat, with the accepts that belong to them. */

import type { Address, Family, Prefix } from '../net/address.ts'
import { addressWidth, familyOf, maskOfLength, prefixIncludes } from '../net/address.ts'
import type { NumberRange } from '../net/ranges.ts'
import { PREFIX } from './compiled.ts'
import { alternatives, alternativesOf, chainOf } from './drafts.ts'
import type { Drafts } from './drafts.ts'
import { makeHead, makeHeads, trafficMatches, wholeProtocol } from './heads.ts'
import type { Head } from './head-words.ts'
import type { TrafficMatch } from './heads.ts'
import type { Entry } from './lower-rules.ts'
import { connectionMatch, destinationNat, localAddress, portMatch, redirection, sourceNat, verdict } from './matches.ts'
import type { Target } from './matches.ts'
import { portLists } from './port-sets.ts'
import type { End, Ends, Origin, PublishSentence, RedirectSentence, SourceNatSentence, Traffic, Zone } from './resolved.ts'
import { includesFirewall, sideOf, waysBetween, zoneOf } from './sides.ts'
import type { Side, Way } from './sides.ts'
import { writeSentence } from './tails.ts'
import type { Tail } from './tails.ts'

/** The chains of nat, by what they are for. */
export type NatWay = 'dnat' | 'snat' | 'dnat-out'

/** Returns the chain that rules of nat stand in. */
export function natChain({ policy }: Drafts, way: NatWay): string {
  if (!policy.managesAll) return `${PREFIX}${way}`
  return way === 'dnat' ? 'PREROUTING' : way === 'snat' ? 'POSTROUTING' : 'OUTPUT'
}

const NO_SIDES: readonly Side[] = [{}]

/** Writes a published service: destination NAT and hairpin; returns its accepts. */
export function lowerPublish(drafts: Drafts, sentence: PublishSentence): readonly Entry[] {
  if (sentence.family !== drafts.family) return []
  const isForOwn = includesFirewall(sentence.from)
  drafts.publishesOwn ||= isForOwn
  const on = sentence.on.map(sideOf)
  writeDestinationNat(drafts, sentence, on, { ...plainTail(destinationNat(sentence.to, sentence.port)), needsProtocol: sentence.port !== undefined })
  writeHairpin(drafts, sentence)
  const accept = (way: Way): Entry => entryFor(way, sentence.origin, publishedHeads(sentence, {}), drafts)
  return [...waysTo(drafts, sentence).map(accept), ...(isForOwn ? [accept('out')] : [])]
}

/** What docker's zones send goes by its own way, as does what is sent to them. */
function waysTo({ family, zones }: Drafts, { from, to, origin }: PublishSentence): readonly Way[] {
  const target: End = { place: 'any', addresses: { ipv4: [], ipv6: [], [family]: [hostPrefix(to)] }, span: origin.span }
  const ways = new Set(from.included.flatMap(end => waysBetween(end, target, family, zones)))
  return (['forward', 'docker'] as const).filter(way => ways.has(way))
}

function entryFor(way: Way, origin: Origin, heads: readonly Head[], drafts: Drafts, skipped: readonly Head[] = []): Entry {
  const tail = plainTail(verdict(way === 'docker' ? 'RETURN' : 'ACCEPT'))
  return { way, isPlainAllow: true, isTotal: false, rules: () => writeSentence(drafts, { table: 'filter', mark: `${way}-${origin.mark}`, origin, word: 'allow' }, heads, skipped, tail) }
}

function plainTail(final: Target): Tail {
  return { guards: [], counts: false, final }
}

interface NatSentence {
  readonly traffic: readonly Traffic[]
  readonly from: Ends
  readonly origin: Origin
}

function writeDestinationNat(drafts: Drafts, sentence: NatSentence, on: readonly Side[], tail: Tail): void {
  const { from, origin } = sentence
  const traffic = trafficMatches(sentence.traffic, drafts.family)
  const outside = alternatives(drafts, from.included.filter(end => end.place !== 'fw'), origin)
  const own = from.included.filter(end => end.place === 'fw' || (end.place === 'any' && !end.addresses))
  if (outside.length > 0) writeNat(drafts, 'dnat', origin, makeHeads(outside, on, traffic), exceptedHeads(drafts, sentence, end => end.place !== 'fw'), tail)
  if (includesFirewall(from)) writeNat(drafts, 'dnat-out', origin, makeHeads(alternatives(drafts, own, origin), on, traffic), exceptedHeads(drafts, sentence, end => end.place === 'fw'), tail)
}

function exceptedHeads(drafts: Drafts, { from, origin }: NatSentence, isMet: (end: End) => boolean): readonly Head[] {
  return alternatives(drafts, from.excluded.filter(isMet), origin).map(side => makeHead(side, {}, { matches: [] }))
}

function writeNat(drafts: Drafts, way: NatWay, origin: Origin, heads: readonly Head[], skipped: readonly Head[], tail: Tail): void {
  const rules = writeSentence(drafts, { table: 'nat', mark: `${way}-${origin.mark}`, origin, word: way }, heads, skipped, tail)
  if (rules.length > 0) chainOf(drafts, 'nat', natChain(drafts, way)).rules.push(...rules)
}

/** Returns the heads of connections that this sentence has translated, as they look behind it. */
function publishedHeads(sentence: PublishSentence, from: Side): readonly Head[] {
  const { traffic, on, to, port, family } = sentence
  const destination = sideOf(hostPrefix(to))
  return on.flatMap(original => traffic.flatMap(one => translated(one, original, port, family).map(what => makeHead(from, destination, what))))
}

function translated({ protocol, ports }: Traffic, originalDestination: Prefix, port: number | undefined, family: Family): readonly TrafficMatch[] {
  const connection = (originalPort?: NumberRange): string => connectionMatch({ states: ['DNAT'], originalDestination, ...(originalPort ? { originalPort } : {}) })
  if (!ports) {
    const whole = wholeProtocol(protocol, family)
    return [{ ...whole, matches: [...whole.matches, connection()] }]
  }
  if (port === undefined) return portLists(ports).map(list => ({ protocol, matches: [portMatch(protocol, list), connection()] }))
  return ports.map(original => ({ protocol, matches: [portMatch(protocol, [{ low: port, high: port }]), connection(original)] }))
}

/** Clients beside the server must see the answer come from the firewall: their connections get its address. */
function writeHairpin(drafts: Drafts, sentence: PublishSentence): void {
  const { from, to, origin } = sentence
  for (const zone of drafts.zones) {
    const at = zone.at?.[drafts.family] ?? []
    if (!covers(zone, to) || !from.included.some(end => reaches(end, zone))) continue
    const heads = at.flatMap(prefix => zone.devices.flatMap(device => publishedHeads(sentence, sideOf(prefix)).map((head): Head => ({ ...head, to: { ...head.to, device } }))))
    writeNat(drafts, 'snat', origin, heads, [], plainTail(verdict('MASQUERADE')))
  }
}

function reaches(end: End, zone: Zone): boolean {
  return end.place === 'any' || zoneOf(end) === zone
}

function covers({ at }: Zone, address: Address): boolean {
  return at?.[familyOf(address)].some(prefix => prefixIncludes(prefix, address)) ?? false
}

function hostPrefix(address: Address): Prefix {
  const family = familyOf(address)
  return { address, mask: maskOfLength(family, addressWidth(family)) }
}

/** Writes source NAT. Kernel: where a packet came in is not known any more, so only its addresses tell. */
export function lowerSourceNat(drafts: Drafts, { families, from, out, to, origin }: SourceNatSentence): readonly Entry[] {
  if (!families.includes(drafts.family)) return []
  const outSides = out.devices.map((device): Side => ({ device }))
  const heads = from.included.flatMap(end => sourceHeads(drafts, end, outSides, origin))
  const skipped = from.excluded.flatMap(end => sourceHeads(drafts, end, NO_SIDES, origin))
  writeNat(drafts, 'snat', origin, heads, skipped, plainTail(to === undefined ? verdict('MASQUERADE') : sourceNat(to)))
  return []
}

function sourceHeads(drafts: Drafts, end: End, out: readonly Side[], origin: Origin): readonly Head[] {
  if (end.place === 'fw' && !end.addresses) return makeHeads(NO_SIDES, out, [{ matches: [localAddress('src')] }])
  const { devices } = zoneOf(end) ?? {}
  const sides = alternativesOf(drafts, end, origin).filter(side => !devices || side.device === devices[0]).map(({ device: _device, ...side }) => side)
  return makeHeads(sides, out, [{ matches: [] }])
}

/**
 * Writes connections sent to the firewall itself; returns their accepts. What the firewall sends itself is sent there only where `fw` is named.
 * Kernel: OUTPUT then still sees the device that the packet would have left by, not lo.
 */
export function lowerRedirect(drafts: Drafts, sentence: RedirectSentence): readonly Entry[] {
  const { families, traffic, port, origin } = sentence
  if (!families.includes(drafts.family)) return []
  const from: Ends = sentence.from.included.some(end => end.place === 'fw') ? sentence.from : { included: sentence.from.included, excluded: [...sentence.from.excluded, { place: 'fw', span: origin.span }] }
  writeDestinationNat(drafts, { traffic, from, origin }, NO_SIDES, { ...plainTail(redirection(port)), needsProtocol: true })
  const sides = alternatives(drafts, from.included.filter(end => end.place !== 'fw'), origin)
  const dialled = (needsState: (original: NumberRange) => boolean): readonly TrafficMatch[] => traffic.filter(one => one.families.includes(drafts.family)).flatMap(one => (one.ports ?? []).map(original => ({
    protocol: one.protocol, matches: [portMatch(one.protocol, [{ low: port, high: port }]), connectionMatch({ ...(needsState(original) ? { states: ['DNAT'] } : {}), originalPort: original })],
  })))
  const excepted = traffic.some(one => one.ports?.some(isKept)) ? exceptedHeads(drafts, { traffic, from, origin }, end => end.place !== 'fw') : []
  const isOwn = from.included.some(end => end.place === 'fw')
  return [
    entryFor('in', origin, makeHeads(sides, NO_SIDES, dialled(original => !isKept(original))), drafts, excepted),
    ...(isOwn ? [{ ...entryFor('out', origin, makeHeads(NO_SIDES, NO_SIDES, dialled(() => true)), drafts), staysHere: true }] : []),
  ]

  /** Kernel: what dials the firewall at this port already is not translated, and not called so. Source: net/netfilter/nf_nat_core.c nf_nat_setup_info(). */
  function isKept({ low, high }: NumberRange): boolean {
    return low <= port && port <= high
  }
}
