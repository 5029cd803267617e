/** untracked -> rules of raw for both directions, and the accepts that stand in for the connection. */

import { addressWidth, familyOf, lengthOfMask } from '../net/address.ts'
import type { Family, Prefix } from '../net/address.ts'
import type { Complain } from './complain.ts'
import { PREFIX } from './compiled.ts'
import { alternatives, chainOf } from './drafts.ts'
import type { Drafts } from './drafts.ts'
import { makeHeads, trafficMatches, wholeProtocol } from './heads.ts'
import { ANYTHING } from './head-words.ts'
import type { Head } from './head-words.ts'
import type { TrafficMatch } from './heads.ts'
import { lowerRule } from './lower-rules.ts'
import type { Entry } from './lower-rules.ts'
import { localAddress, NOTRACK, portMatch, UNTRACKED, untilMatch, verdict } from './matches.ts'
import { portLists } from './port-sets.ts'
import { prefixCovers } from './read-addresses.ts'
import type { End, Origin, RuleSentence, Traffic } from './resolved.ts'
import { liesInZone, sideOf, waysBetween, zoneOf } from './sides.ts'
import type { Side, Way } from './sides.ts'
import { writeSentence } from './tails.ts'

/** The chains of raw, by where packets come from. */
export type RawWay = 'notrack' | 'notrack-out'

/** Returns the chain that rules of raw stand in. */
export function rawChain({ policy }: Drafts, way: RawWay): string {
  return policy.managesAll ? (way === 'notrack' ? 'PREROUTING' : 'OUTPUT') : `${PREFIX}${way}`
}

/** Writes the rules of raw; returns the accepts of both directions. */
export function lowerUntracked(drafts: Drafts, sentence: RuleSentence, complain: Complain): readonly Entry[] {
  if (complainOf(sentence, complain) || !sentence.families.includes(drafts.family)) return []
  const { family, zones } = drafts
  const { origin } = sentence
  const traffic = trafficMatches(sentence.traffic, family)
  const back = sentence.traffic ? sentence.traffic.filter(one => one.families.includes(family)).flatMap(one => answersOf(one, family)) : traffic
  const answers: Entry[] = []
  let count = 0
  const nextMark = (): string => (++count === 1 ? origin.mark : `${origin.mark}.${count}`)
  for (const one of sentence.from.included) for (const other of sentence.to.included) {
    const ways = waysBetween(one, other, family, zones)
    const there: Direction = { from: one, to: other, traffic, ways, mark: nextMark() }
    const answer: Direction = { from: other, to: one, traffic: back, ways: ways.flatMap(way => BACK[way] ?? []), mark: nextMark() }
    writeRaw(drafts, sentence, there)
    writeRaw(drafts, sentence, answer)
    answers.push(...answerEntries(drafts, sentence, answer))
  }
  return [...lowerRule(drafts, { ...sentence, verb: 'allow' }), ...answers]
}

/** Says what cannot be done without connections; tells whether there is any of it. */
function complainOf({ from, to, traffic, origin }: RuleSentence, complain: Complain): boolean {
  const ends = [...from.included, ...to.included]
  const owned = ends.find(end => zoneOf(end)?.isDockers)
  const excluded = from.excluded[0] ?? to.excluded[0]
  // The answers of the firewall itself still tell by which device they leave.
  const routed = to.included.every(({ place }) => place === 'fw') ? to.included : ends
  const nameless = routed.find(end => zoneOf(end) && !zoneOf(end)?.at && !end.addresses)
  const published = traffic?.some(one => one.published)
  if (owned) complain('docker-zone', owned.span, 'docker translates addresses, which needs connections', 'leave docker\'s zone out of `untracked`')
  else if (excluded) complain('misplaced-clause', excluded.span, '`untracked` knows no `except`', 'name what is meant')
  else if (nameless) complain('missing-addresses', nameless.span, `zone \`${zoneOf(nameless)?.name ?? ''}\` says no addresses, and before routing only they tell where a packet goes`, 'give the zone its addresses: `zone ... at 10.0.0.0/8`, or write `any`')
  else if (published) complain('bad-service', origin.span, '`published` has no meaning here: what is not tracked is not translated', 'leave `published` out')
  return owned !== undefined || excluded !== undefined || nameless !== undefined || published === true
}

/** The ways of answers. Docker's chains let answers pass by their connections alone. */
const BACK: Readonly<Record<Way, Way | undefined>> = { in: 'out', out: 'in', forward: 'forward', docker: undefined }

function answersOf({ protocol, ports, messages }: Traffic, family: Family): readonly TrafficMatch[] {
  if (messages || !ports) return [wholeProtocol(protocol, family)]
  return portLists(ports).map(list => ({ protocol, matches: [portMatch(protocol, list, 'sport')] }))
}

/** Packets of one direction, and the ways on which they are met. */
interface Direction {
  readonly from: End
  readonly to: End
  readonly traffic: readonly TrafficMatch[]
  readonly ways: readonly Way[]
  /** Names the chains that it needs. */
  readonly mark: string
}

function writeRaw(drafts: Drafts, sentence: RuleSentence, direction: Direction): void {
  const { ways } = direction
  if (ways.includes('out')) writeRawWay(drafts, sentence, 'notrack-out', direction)
  if (ways.some(way => way !== 'out')) writeRawWay(drafts, sentence, 'notrack', direction)
}

function writeRawWay(drafts: Drafts, sentence: RuleSentence, way: RawWay, { from, to, traffic, ways, mark }: Direction): void {
  const { origin } = sentence
  const isMade = way === 'notrack-out'
  const sides = isMade || from.place === 'fw' ? addressesOf(drafts, from, origin) : alternatives(drafts, [from], origin)
  const targets = isMade ? alternatives(drafts, [to], origin) : addressesOf(drafts, to, origin)
  const heads = makeHeads(sides, targets, traffic).map((head): Head => (isMade ? offHost(head) : { ...head, matches: [...head.matches, ...localOf(head, to, ways)] }))
  const rules = writeSentence(drafts, { table: 'raw', mark: `${way}-${mark}`, origin, word: 'untracked' }, heads, ownedHeads(drafts, { from, to }, way), { guards: guardsOf(sentence), counts: false, final: NOTRACK })
  if (rules.length > 0) chainOf(drafts, 'raw', rawChain(drafts, way)).rules.push(...rules)
}

/** What docker translates needs connections: `any` leaves its zones out. */
function ownedHeads({ family, zones }: Drafts, { from, to }: Pick<Direction, 'from' | 'to'>, way: RawWay): readonly Head[] {
  const owned = zones.filter(zone => zone.isDockers)
  const devices = owned.flatMap(zone => zone.devices)
  const prefixes = owned.flatMap(zone => zone.at?.[family] ?? [])
  return [
    ...(from.place === 'any' && way === 'notrack' ? devices.map((device): Head => ({ ...ANYTHING, from: { device } })) : []),
    ...(to.place === 'any' ? (way === 'notrack' ? prefixes.map((prefix): Head => ({ ...ANYTHING, to: sideOf(prefix), matches: [localAddress('dst', 'inverted')] })) : devices.map((device): Head => ({ ...ANYTHING, to: { device } }))) : []),
  ]
}

/** Before routing nobody knows the device that a packet will leave by, and what the firewall makes comes from none: the addresses of a zone stand for it. */
function addressesOf(drafts: Drafts, end: End, origin: Origin): readonly Side[] {
  const { devices, at } = zoneOf(end) ?? {}
  const sides = alternatives(drafts, [end], origin).filter(side => !devices || side.device === devices[0]).map(({ device: _device, ...side }) => side)
  return !at || liesInZone(end, drafts.family) ? sides : sides.flatMap(side => at[drafts.family].flatMap(prefix => within(side, prefix)))
}

/** Returns what of an alternative is in a prefix. */
function within(side: Side, prefix: Prefix): readonly Side[] {
  if (!side.prefix) return [{ ...side, ...sideOf(prefix) }]
  return prefixCovers(prefix, side.prefix) ? [side] : prefixCovers(side.prefix, prefix) ? [sideOf(prefix)] : []
}

/** The firewall has addresses in the networks of its zones: what is sent to these is not sent to the zone. */
function localOf({ to }: Head, end: End, ways: readonly Way[]): readonly string[] {
  if (end.place === 'fw') return end.addresses ? [] : [localAddress('dst')]
  return ways.includes('in') || isHost(to) ? [] : [localAddress('dst', 'inverted')]
}

/** What stays on the host goes by its loopback device: no sentence speaks of it. */
function offHost(head: Head): Head {
  return head.to.device || isHost(head.to) ? head : { ...head, to: { ...head.to, device: LOOPBACK }, except: 'outDevice' }
}

const LOOPBACK = { name: 'lo', prefix: false }

function isHost({ prefix }: Side): boolean {
  return prefix !== undefined && lengthOfMask(prefix.mask) === addressWidth(familyOf(prefix.address))
}

function guardsOf({ until }: RuleSentence): readonly string[] {
  return until === undefined ? [] : [untilMatch(until)]
}

/** Without a connection the answers need a sentence of their own. */
function answerEntries(drafts: Drafts, sentence: RuleSentence, { from, to, traffic, ways, mark }: Direction): readonly Entry[] {
  const { origin } = sentence
  const heads = makeHeads(alternatives(drafts, [from], origin), alternatives(drafts, [to], origin), traffic.map(one => ({ ...one, matches: [...one.matches, UNTRACKED] })))
  return ways.map(way => ({
    way, isPlainAllow: true, isTotal: false,
    rules: () => writeSentence(drafts, { table: 'filter', mark: `${way}-answers-${mark}`, origin, word: 'untracked' }, heads, [], { guards: guardsOf(sentence), counts: false, final: verdict('ACCEPT') }),
  }))
}
