/** Rules -> entries of the chains that they concern: to the firewall, from it, through it, and through it from or to docker's zones. */

import type { CompiledRule } from './compiled.ts'
import { PREFIX } from './compiled.ts'
import type { EntryEnds } from './decided-ends.ts'
import { alternatives, alternativesOf, chainOf, makeRule, noteSilent } from './drafts.ts'
import type { Drafts, Group, Pair } from './drafts.ts'
import { ANYTHING } from './head-words.ts'
import type { Head } from './head-words.ts'
import { fitsInHeads, makeHead, makeHeads, trafficMatches } from './heads.ts'
import type { Exception, TrafficMatch } from './heads.ts'
import { gotoChain, jumpTo, limitMatch, maximumMatch, untilMatch, verdict } from './matches.ts'
import { LISTENER_QUERIES, LISTENER_REPORTS } from './read-services.ts'
import type { End, Ends, RuleSentence, Traffic, Zone } from './resolved.ts'
import { liesInZone, sidesMeet, waysBetween, zoneOf } from './sides.ts'
import type { Side, Way } from './sides.ts'
import { writeSentence, writeTail } from './tails.ts'
import type { Place, Tail } from './tails.ts'

/** What a sentence adds to the chain of a way. `rules(true)` leaves out what a chain for the pair has asked already; the last call counts. */
export interface Entry {
  readonly way: Way
  readonly pair?: Pair
  /** Only lets packets pass, whatever came before: the order of such entries does not matter. */
  readonly isPlainAllow: boolean
  /** Decides every packet of the way. */
  readonly isTotal: boolean
  /** The ends that it speaks of, and whether it decides every packet between them. Absent where more than ends is asked always. */
  readonly ends?: EntryEnds
  readonly isWhole?: boolean
  /** Makes one rule, inside the chain of its pair and outside. */
  readonly isOneRule?: boolean
  /** Is about what stays on the host though it was sent to others: as with lo, no sentence speaks of that. */
  readonly staysHere?: boolean
  rules(insidePair: boolean): readonly CompiledRule[]
}

/** Returns the entries of a rule. Those for docker's zones are written at once, since their order makes chains. */
export function lowerRule(drafts: Drafts, sentence: RuleSentence): readonly Entry[] {
  if (!sentence.families.includes(drafts.family)) return NO_ENTRIES
  const entries: Entry[] = []
  const groups = knownGroups(drafts, sentence)
  for (let index = 0; index < groups.length; index++) {
    const group = groups[index]
    const entry = group && lowerGroup(drafts, sentence, group, markOf(groups, index, sentence.origin.mark))
    if (entry) entries.push(entry)
  }
  return entries
}

/** A limit decides which ends are taken together. */
function knownGroups(drafts: Drafts, sentence: RuleSentence): readonly Group[] {
  const { from, to, limit, max } = sentence
  if (!from.isNamed || !to.isNamed || limit || max) return groupsOf(drafts, sentence)
  const known = drafts.groups.get(from)?.get(to)
  if (known) return known
  const groups = groupsOf(drafts, sentence)
  const ofFrom = drafts.groups.get(from) ?? new Map<Ends, readonly Group[]>()
  drafts.groups.set(from, ofFrom.set(to, groups))
  return groups
}

/** Returns the groups of a rule, each with its alternatives; none where the family has no addresses. */
function groupsOf(drafts: Drafts, sentence: RuleSentence): readonly Group[] {
  const lacksFrom = lacksFamily(drafts, sentence.from)
  // Both are asked: what has no addresses is remembered.
  if (lacksFamily(drafts, sentence.to) || lacksFrom) return NO_GROUPS
  const groups: Group[] = []
  for (const { way, pair, from: fromEnds, to: toEnds } of joinEnds(drafts, sentence)) {
    const from = alternatives(drafts, fromEnds, sentence.origin)
    const to = from.length === 0 ? [] : alternatives(drafts, toEnds, sentence.origin)
    if (from.length === 0 || to.length === 0) groups.push({ way, pair: undefined, from: [], to: [], insideFrom: [], insideTo: [] })
    else groups.push({ way, pair, from, to, insideFrom: pair ? insideSides(fromEnds, from) : from, insideTo: pair ? insideSides(toEnds, to) : to })
  }
  return groups
}

const NO_GROUPS: readonly Group[] = []
const NO_ENTRIES: readonly Entry[] = []

/** Returns what names the chains of a group: those of one way are numbered. */
function markOf(groups: readonly Group[], index: number, mark: string): string {
  const way = groups[index]?.way ?? 'in'
  let number = 1
  for (let before = 0; before < index; before++) if (groups[before]?.way === way) number++
  return `${MARKS[way]}-${mark}${number === 1 ? '' : `.${number}`}`
}

/** Tells whether no end has addresses in the family; what has none is remembered for a note. */
function lacksFamily(drafts: Drafts, { included }: Ends): boolean {
  for (const end of included) if ((end.addresses ?? zoneOf(end)?.at)?.[drafts.family].length !== 0) return false
  for (const end of included) noteSilent(drafts, end)
  return true
}

interface JoinedEnds {
  readonly way: Way
  readonly from: readonly End[]
  readonly to: readonly End[]
  readonly pair?: Pair
}

/** Ends of one way are taken together, except where a chain for a pair of zones may take them; a limit is one for all of them. */
function joinEnds(drafts: Drafts, { from, to, limit, max }: RuleSentence): readonly JoinedEnds[] {
  const { family, zones } = drafts
  const onlyFrom = from.included[0]
  const onlyTo = to.included[0]
  if (onlyFrom && onlyTo && from.included.length === 1 && to.included.length === 1) {
    return waysBetween(onlyFrom, onlyTo, family, zones).map(way => withPair({ way, from: from.included, to: to.included }, pairOf(onlyFrom, onlyTo, way, drafts)))
  }
  const pairs: JoinedEnds[] = []
  const others = new Map<string, { way: Way; from: End[]; to: readonly End[] }>()
  for (const one of from.included) {
    const byWay = new Map<Way, End[]>()
    for (const other of to.included) for (const way of waysBetween(one, other, family, zones)) {
      const pair = max || (limit && !limit.per) ? undefined : pairOf(one, other, way, drafts)
      if (pair) pairs.push({ way, from: [one], to: [other], pair })
      else byWay.set(way, [...(byWay.get(way) ?? []), other])
    }
    for (const [way, ends] of byWay) {
      const key = `${way} ${ends.map(end => to.included.indexOf(end)).join()}`
      const known = others.get(key)
      if (known) known.from.push(one)
      else others.set(key, { way, from: [one], to: ends })
    }
  }
  return [...pairs, ...others.values()]
}

function withPair(group: JoinedEnds, pair: Pair | undefined): JoinedEnds {
  return pair ? { ...group, pair } : group
}

function pairOf(from: End, to: End, way: Way, drafts: Drafts): Pair | undefined {
  if (way === 'docker') return undefined
  const one = way === 'out' ? firewallOf(from) : zoneAlone(from, drafts)
  const other = way === 'in' ? firewallOf(to) : zoneAlone(to, drafts)
  return one && other ? knownPair(drafts, one, other) : undefined
}

/** Equal pairs are one object. */
function knownPair({ pairs }: Drafts, from: Pair['from'], to: Pair['to']): Pair {
  const known = pairs.get(from)?.get(to)
  if (known) return known
  const pair = { from, to }
  const ofFrom = pairs.get(from) ?? new Map<Pair['to'], Pair>()
  pairs.set(from, ofFrom.set(to, pair))
  return pair
}

function firewallOf(end: End): 'fw' | undefined {
  return end.place === 'fw' && !end.addresses ? 'fw' : undefined
}

/** Packets of zones that overlap would be met in the chain of either. */
function zoneAlone(end: End, { family, overlapping }: Drafts): Zone | undefined {
  const zone = zoneOf(end)
  return zone && !overlapping.has(zone) && liesInZone(end, family) ? zone : undefined
}

const NO_EXCEPTIONS: readonly Exception[] = []

interface Parts {
  readonly from: readonly Side[]
  readonly to: readonly Side[]
  readonly traffic: readonly TrafficMatch[]
}

/** Returns the entry of a group; `mark` names the chains that it needs. */
function lowerGroup(drafts: Drafts, sentence: RuleSentence, group: Group, mark: string): Entry | undefined {
  const { way, pair } = group
  const parts: Parts = { from: group.from, to: group.to, traffic: trafficMatches(trafficOn(way, sentence), drafts.family) }
  if (parts.from.length === 0 || parts.traffic.length === 0) return undefined
  if (leavesOut(sentence, way)) return undefined
  const excepted = sentence.from.excluded.length + sentence.to.excluded.length === 0 ? NO_EXCEPTIONS : exceptionsOf(drafts, sentence, parts, way)
  const tail = tailOf(drafts, sentence, way)
  const isConditional = excepted.length > 0 || tail.guards.length > 0
  const isWhole = !sentence.traffic && sentence.verb !== 'log' && !isConditional
  const isTotal = isWhole && parts.from.every(isEverything) && parts.to.every(isEverything)
  const isPlainAllow = sentence.verb === 'allow' && !sentence.log && tail.guards.length === 0
  if (way === 'docker' && sentence.verb === 'allow') return { way, isPlainAllow, isTotal, isWhole, ends: parts, rules: () => writeForDocker(drafts, sentence, parts, { mark, excepted, tail }) }
  const write = (inside: boolean): readonly CompiledRule[] => writeParts(drafts, sentence, { mark, excepted, tail }, inside ? { from: group.insideFrom, to: group.insideTo, traffic: parts.traffic } : parts)
  const isOneRule = excepted.length === 0 && isOne(parts) && isInline(tail)
  return { way, ...(pair ? { pair } : {}), isPlainAllow, isTotal, isWhole, ends: parts, isOneRule, rules: write }
}

function isEverything({ device, prefix, set }: Side): boolean {
  return !device && !prefix && set === undefined
}

/** `except fw` takes a whole way out. */
function leavesOut({ from, to }: RuleSentence, way: Way): boolean {
  const isFirewall = (end: End) => end.place === 'fw' && !end.addresses
  return (way === 'in' && to.excluded.some(isFirewall)) || (way === 'out' && from.excluded.some(isFirewall))
}

/** Of ICMP errors only what comes with no connection needs a rule; what belongs to the link is never forwarded. */
function trafficOn(way: Way, { traffic, verb }: RuleSentence): readonly Traffic[] | undefined {
  if (!traffic) return undefined
  if (!traffic.some(one => one.comesRelated || one.onLink)) return traffic
  const needed = verb === 'allow' ? traffic.filter(one => !one.comesRelated) : traffic
  if (!needed.some(one => one.onLink)) return needed
  if (way !== 'in' && way !== 'out') return needed.filter(one => !one.onLink)
  return needed.map(one => (one.onLink && one.messages ? { ...one, messages: one.messages.filter(({ type }) => !(way === 'in' ? LISTENER_REPORTS : LISTENER_QUERIES).includes(type)) } : one))
}

function exceptionsOf(drafts: Drafts, { from, to, origin }: RuleSentence, parts: Parts, way: Way): readonly Exception[] {
  const exceptions = (end: Exception['end'], { excluded }: Ends, ownWay: Way): readonly Exception[] =>
    excluded.filter(one => isMetOn(way, one, ownWay)).flatMap(one => alternativesOf(drafts, one, origin).map(side => ({ end, side })))
  const all = [...exceptions('from', from, 'out'), ...exceptions('to', to, 'in')]
  return all.filter(({ end, side }) => (end === 'from' ? parts.from : parts.to).some(one => sidesMeet(one, side)))
}

/** Packets from the firewall (to it) are met on one way only, and there none from (to) a zone. */
function isMetOn(way: Way, { place }: End, ownWay: Way): boolean {
  return place === 'any' || (place === 'fw') === (way === ownWay)
}

function tailOf(drafts: Drafts, sentence: RuleSentence, way: Way): Tail {
  const { limit, max, until, log, verb, origin } = sentence
  if (verb === 'allow' && !limit && !max && !log && until === undefined) return way === 'docker' ? PLAIN_RETURN : PLAIN_ACCEPT
  const guards: string[] = []
  if (until !== undefined) guards.push(untilMatch(until))
  if (max) guards.push(maximumMatch(max, drafts.family))
  if (limit) guards.push(limitMatch(limit, `${PREFIX}${origin.mark}`, drafts.family))
  return { guards, counts: max !== undefined || (limit !== undefined && limit.per === undefined), ...(verb === 'log' ? { log: {} } : log ? { log } : {}), final: finalOf(verb, way) }
}

const PLAIN_ACCEPT: Tail = { guards: [], counts: false, final: verdict('ACCEPT') }
const PLAIN_RETURN: Tail = { guards: [], counts: false, final: verdict('RETURN') }

function finalOf(verb: RuleSentence['verb'], way: Way): Tail['final'] {
  if (verb === 'log') return 'none'
  if (verb === 'reject') return 'reject'
  if (verb === 'deny') return verdict('DROP')
  return verdict(way === 'docker' ? 'RETURN' : 'ACCEPT')
}

/** What a chain for the pair has asked is left out: devices, and the addresses that its zones have. */
function insideSides(ends: readonly End[], sides: readonly Side[]): readonly Side[] {
  if (!ends[0]?.addresses) return [{}]
  const first = sides[0]?.device?.name
  return sides.filter(side => side.device?.name === first).map(({ device: _device, ...side }) => side)
}

interface Writing {
  readonly mark: string
  readonly excepted: readonly Exception[]
  readonly tail: Tail
}

function writeParts(drafts: Drafts, sentence: RuleSentence, { mark, excepted, tail }: Writing, parts: Parts): readonly CompiledRule[] {
  const { origin } = sentence
  const from = parts.from[0]
  const to = parts.to[0]
  const traffic = parts.traffic[0]
  if (from && to && traffic && isOne(parts) && excepted.length === 0 && isInline(tail) && typeof tail.final !== 'string') {
    return [makeRule(origin, makeHead(from, to, traffic), tail.final, tail.guards)]
  }
  const place: Place = { table: 'filter', mark, origin, word: sentence.verb }
  const exception = excepted[0]
  if (exception && excepted.length === 1 && fitsInHeads(exception, parts.from, parts.to)) return writeSentence(drafts, place, makeHeads(parts.from, parts.to, parts.traffic, exception), [], tail)
  if (excepted.length === 0) {
    const factored = writeFactored(drafts, place, parts, tail)
    if (factored) return factored
  }
  return writeSentence(drafts, place, makeHeads(parts.from, parts.to, parts.traffic), excepted.map(headOfException), tail)
}

function isOne({ from, to, traffic }: Parts): boolean {
  return from.length === 1 && to.length === 1 && traffic.length === 1
}

/** Limits and verdict stand in the rule itself. */
function isInline({ log, final }: Tail): boolean {
  return !log && typeof final !== 'string'
}

const MARKS: Readonly<Record<Way, string>> = { in: 'in', out: 'out', forward: 'fwd', docker: 'docker' }

function headOfException({ end, side }: Exception): Head {
  return end === 'from' ? makeHead(side, {}, { matches: [] }) : makeHead({}, side, { matches: [] })
}

/** Where a product of alternatives makes many rules, its longest factor gets a chain of its own. */
function writeFactored(drafts: Drafts, place: Place, { from, to, traffic }: Parts, tail: Tail): readonly CompiledRule[] | undefined {
  const total = from.length * to.length * traffic.length
  const longest = Math.max(from.length, to.length, traffic.length)
  const others = total / longest
  if (others < 2 || longest + others + SAVING > total || tail.counts || tail.log || tail.final === 'reject') return undefined
  const none: readonly Side[] = [{}]
  const heads = longest === traffic.length ? makeHeads(from, to, [{ matches: [] }]) : longest === from.length ? makeHeads(none, to, traffic) : makeHeads(from, none, traffic)
  const inner = longest === traffic.length ? makeHeads(none, none, traffic) : longest === from.length ? makeHeads(from, none, [{ matches: [] }]) : makeHeads(none, to, [{ matches: [] }])
  const { rules } = chainOf(drafts, place.table, `${PREFIX}${place.mark}`)
  rules.length = 0
  rules.push(...writeSentence(drafts, place, inner, [], tail))
  const jump = jumpTo(`${PREFIX}${place.mark}`)
  return heads.map(head => makeRule(place.origin, head, jump))
}

/** Rules that a chain must save to be worth its jump. */
const SAVING = 2

/**
 * What docker's zones are allowed returns to docker's own chains, which only the last chain on the way can say: conditions that need a chain
 * are reached by goto, and the rest of the rules is reached by goto from there.
 */
function writeForDocker(drafts: Drafts, sentence: RuleSentence, { from, to, traffic }: Parts, { mark, excepted, tail }: Writing): readonly CompiledRule[] {
  const { origin } = sentence
  const place: Place = { table: 'filter', mark, origin, word: sentence.verb }
  const [exception] = excepted
  const isSimple = excepted.length === 0 || (exception !== undefined && excepted.length === 1 && fitsInHeads(exception, from, to))
  const heads = makeHeads(from, to, traffic, isSimple ? exception : undefined)
  if (isSimple && (heads.length === 1 ? !tail.log || tail.guards.length === 0 : !tail.counts && !tail.log)) return writeSentence(drafts, place, heads, [], tail)
  const name = `${PREFIX}${place.mark}`
  const rest = `${PREFIX}${mark.replace('-', '-from-')}`
  const { rules } = chainOf(drafts, 'filter', name)
  if (!isSimple) for (const one of excepted) rules.push(makeRule(origin, headOfException(one), gotoChain(rest)))
  if (!tail.log) rules.push(makeRule(origin, ANYTHING, verdict('RETURN'), tail.guards))
  else {
    // A limit that is asked twice would count twice.
    const passing = tail.guards.length === 0 ? rules : chainOf(drafts, 'filter', `${name}-ok`).rules
    passing.push(...writeTail(drafts, place, { guards: [], counts: false, log: tail.log, final: 'none' }, undefined), makeRule(origin, ANYTHING, verdict('RETURN')))
    if (passing !== rules) rules.push(makeRule(origin, ANYTHING, gotoChain(`${name}-ok`), tail.guards))
  }
  if (tail.guards.length > 0) rules.push(makeRule(origin, ANYTHING, gotoChain(rest)))
  chainOf(drafts, 'filter', drafts.dockerChain).rules.push(...heads.map(head => makeRule(origin, head, gotoChain(name))), makeRule(origin, ANYTHING, gotoChain(rest)))
  drafts.dockerChain = rest
  return []
}
