/** The entries of a way -> its chain: replies first, then the sentences in their order, zone pairs with many rules in chains of their own, then the default. */

import { PROTOCOL } from '../net/protocol.ts'
import { CHAIN_NAME_LIMIT, DOCKER_CHAIN, PREFIX } from './compiled.ts'
import type { CompiledChain, CompiledRule } from './compiled.ts'
import { decidedBy, decideEnds } from './decided-ends.ts'
import type { DecidedEnds } from './decided-ends.ts'
import { alternativesOf, chainOf, DOCKER_WAY, makeIn, makeRule, ownOrigin } from './drafts.ts'
import type { Drafts, Pair } from './drafts.ts'
import { ANYTHING } from './head-words.ts'
import { makeHeads } from './heads.ts'
import type { Entry } from './lower-rules.ts'
import { ESTABLISHED, INVALID, jumpTo, rejection, UNTRANSLATED, verdict } from './matches.ts'
import type { Origin, Zone } from './resolved.ts'
import type { Way } from './sides.ts'
import { writeSentence } from './tails.ts'

/** So many rules of a zone pair get a chain of their own. */
const PAIR_RULES = 3

/** A way while its entries come in, one by one: those of a long policy must not all be there at once. */
export interface WayDraft {
  readonly way: Way
  /** The rules of its chain, and the chains that these need. */
  readonly rules: CompiledRule[]
  readonly chains: CompiledChain[]
  /** Entries about what stays on the host: they are asked first. */
  readonly staying: Entry[]
  /** What may still change places, in all and by pair, and whether all of it only lets pass. */
  slots: Slot[]
  readonly ofPairs: Map<Pair, Slot>
  isPlain: boolean
  /** How many entries decide something. */
  count: number
  /** The ends of which sentences decide every packet. */
  readonly decided: DecidedEnds
  /** The sentence that decides every packet: what comes after it is never asked. */
  decidedBy: Origin | undefined
  /** That one is the first, and lets all pass. */
  isOpen: boolean
}

/** Rules that stand together, and the chains that they need: those of a pair as its chain has them, or those of others. `entries` are those of a pair that are too few for a chain. */
interface Slot {
  readonly pair: Pair | undefined
  readonly rules: CompiledRule[]
  readonly chains: CompiledChain[]
  entries: Entry[]
}

/** Returns a way without entries. */
export function startWay(way: Way): WayDraft {
  return { way, rules: [], chains: [], staying: [], slots: [], ofPairs: new Map(), isPlain: true, count: 0, decided: new Map(), decidedBy: undefined, isOpen: false }
}

/** Adds an entry of a sentence behind those before; returns the sentence that leaves it nothing to decide, undefined where none does. */
export function addEntry(drafts: Drafts, draft: WayDraft, entry: Entry, origin: Origin): Origin | undefined {
  if (entry.staysHere === true) draft.staying.push(entry)
  if (entry.staysHere === true) return undefined
  const earlier = draft.decidedBy ?? (entry.ends && decidedBy(draft.decided, entry.ends))
  if (earlier) return earlier
  draft.count++
  if (entry.isWhole === true && entry.ends) decideEnds(draft.decided, entry.ends, origin)
  if (entry.isTotal) draft.decidedBy = origin
  draft.isOpen = entry.isTotal && entry.isPlainAllow && draft.count === 1 && draft.way !== 'docker'
  if (draft.isOpen) return undefined
  if (draft.way === 'docker') makeIn(drafts, draft.chains, () => addForDocker(drafts, draft, entry))
  else addToSlots(drafts, draft, entry)
  return undefined
}

/** Writes the chains of a way, and the hook that leads to them. `needed` are chains of the table filter where raw sentences count on the rules of the way. */
export function finishWay(drafts: Drafts, draft: WayDraft, needed: ReadonlySet<string>): void {
  const { way, chains, count, isOpen } = draft
  const name = wayChain(drafts, way)
  const isNeeded = needed.has(name) || needed.has(BUILT_IN[way])
  // What is let pass as a whole needs no rules: the chain of the hook goes on.
  if (isOpen && !isNeeded) return leaveOpen(drafts, way)
  // The host itself needs its loopback device, and its answers to what it forwards get out, whatever the sentences say.
  if (count === 0 && way !== 'in' && way !== 'out' && !isNeeded) return leaveToDefault(drafts, way)
  if (way !== 'docker') writeOwnChain(drafts, draft)
  else if (count === 0) chainOf(drafts, 'filter', name).rules.push(...frameOf(drafts, way))
  for (const chain of chains) drafts.room.push(chain)
  if (!draft.decidedBy) chainOf(drafts, 'filter', way === 'docker' ? drafts.dockerChain : name).rules.push(...defaultRules(drafts, 'chain'))
  else if (isOpen) chainOf(drafts, 'filter', name).rules.push(makeRule(draft.decidedBy, ANYTHING, verdict('ACCEPT')))
  hookUp(drafts, way, makeRule(ownOrigin(drafts), ANYTHING, jumpTo(name)))
}

function writeOwnChain(drafts: Drafts, draft: WayDraft): void {
  flush(drafts, draft)
  const { rules } = chainOf(drafts, 'filter', wayChain(drafts, draft.way))
  rules.push(...frameOf(drafts, draft.way))
  for (const entry of draft.staying) rules.push(...entry.rules(false))
  for (const rule of draft.rules) rules.push(rule)
}

/** Returns the chain that a way's rules stand in. */
export function wayChain({ policy }: Drafts, way: Way): string {
  return policy.managesAll && way !== 'docker' ? BUILT_IN[way] : OWN[way]
}

const OWN: Readonly<Record<Way, string>> = { in: `${PREFIX}in`, forward: `${PREFIX}fwd`, out: `${PREFIX}out`, docker: DOCKER_WAY }
const BUILT_IN = { in: 'INPUT', forward: 'FORWARD', out: 'OUTPUT', docker: '' } as const

function leaveToDefault(drafts: Drafts, way: Way): void {
  const rules = defaultRules(drafts, 'hook')
  if (drafts.policy.managesAll && way !== 'docker') chainOf(drafts, 'filter', wayChain(drafts, way)).rules.push(...rules)
  else for (const rule of rules) hookUp(drafts, way, rule)
}

function leaveOpen(drafts: Drafts, way: Way): void {
  if (drafts.policy.managesAll) chainOf(drafts, 'filter', wayChain(drafts, way))
}

/** Replies are the most packets, so they come first. */
function frameOf(drafts: Drafts, way: Way): readonly CompiledRule[] {
  const pass = verdict(way === 'docker' ? 'RETURN' : 'ACCEPT')
  const established = makeRule(ownOrigin(drafts, 'replies, and errors about connections'), ANYTHING, pass, [ESTABLISHED])
  const invalid = makeRule(ownOrigin(drafts, 'belongs to no connection'), ANYTHING, verdict('DROP'), [INVALID])
  const loopback = (end: 'from' | 'to', more: readonly string[]): CompiledRule => makeRule(ownOrigin(drafts, 'loopback'), { ...ANYTHING, [end]: { device: { name: 'lo', prefix: false } } }, verdict('ACCEPT'), more)
  if (way === 'in') return [established, invalid, loopback('from', [])]
  return way === 'out' ? [established, loopback('to', drafts.publishesOwn ? [UNTRANSLATED] : [])] : [established, invalid]
}

/** Returns the rules of the default verdict, at the end of a chain or as a hook: that always leads into a chain, by which a later plan knows it. */
function defaultRules(drafts: Drafts, place: 'chain' | 'hook'): readonly CompiledRule[] {
  const { verdict: word, log, origin } = drafts.policy.defaultVerdict
  if (!log && word === 'drop' && drafts.policy.managesAll) return []
  if (!log && word === 'drop' && place === 'chain') return [makeRule(origin, ANYTHING, verdict('DROP'))]
  const name = `${PREFIX}${word}`
  const { rules } = chainOf(drafts, 'filter', name)
  if (rules.length === 0) {
    const tail = { guards: [], counts: false, ...(log ? { log: { prefix: `gate ${word}: `, ...log } } : {}), final: word === 'reject' ? ('none' as const) : verdict('DROP') }
    rules.push(...writeSentence(drafts, { table: 'filter', mark: `${word}-default`, origin, word }, [ANYTHING], [], tail))
    if (word === 'reject') rules.push(makeRule(origin, { ...ANYTHING, protocol: PROTOCOL.tcp }, rejection(drafts.family, true)), makeRule(origin, ANYTHING, rejection(drafts.family, false)))
  }
  return [makeRule(origin, ANYTHING, jumpTo(name))]
}

/** Docker's zones are decided in the order of the sentences: the last chain on the way takes the next. */
function addForDocker(drafts: Drafts, { count }: WayDraft, entry: Entry): void {
  if (count === 1) chainOf(drafts, 'filter', DOCKER_WAY).rules.push(...frameOf(drafts, 'docker'))
  const rules = entry.rules(false)
  chainOf(drafts, 'filter', drafts.dockerChain).rules.push(...rules)
}

/** Entries of zone pairs may change places with those of others as long as nothing that decides otherwise stands between. */
function addToSlots(drafts: Drafts, draft: WayDraft, entry: Entry): void {
  const { pair, isPlainAllow } = entry
  const commutes = isPlainAllow && draft.isPlain
  const hasOthers = draft.slots.length > draft.ofPairs.size
  if (!commutes && (!pair || hasOthers)) flush(drafts, draft)
  addToSlot(drafts, slotFor(draft, pair), entry)
  draft.isPlain &&= isPlainAllow
  if (!pair && !isPlainAllow) flush(drafts, draft)
}

function slotFor({ slots, ofPairs }: WayDraft, pair: Pair | undefined): Slot {
  const known = pair ? ofPairs.get(pair) : slots[slots.length - 1]
  if (known && known.pair === pair) return known
  const slot: Slot = { pair, rules: [], chains: [], entries: [] }
  slots.push(slot)
  if (pair) ofPairs.set(pair, slot)
  return slot
}

function addToSlot(drafts: Drafts, slot: Slot, entry: Entry): void {
  if (!slot.pair) return writeEntries(drafts, slot, [entry], 'outside')
  if (slot.rules.length > 0) return writeEntries(drafts, slot, [entry], 'inside')
  slot.entries.push(entry)
  if (slot.entries.length < PAIR_RULES) return
  writeEntries(drafts, slot, slot.entries, 'inside')
  slot.entries = []
}

function writeEntries(drafts: Drafts, { rules, chains }: Slot, entries: readonly Entry[], place: 'inside' | 'outside'): void {
  makeIn(drafts, chains, () => {
    for (const entry of entries) for (const rule of entry.rules(place === 'inside')) rules.push(rule)
  })
}

function flush(drafts: Drafts, draft: WayDraft): void {
  for (const slot of draft.slots) {
    for (const rule of makeIn(drafts, slot.chains, () => writeSlot(drafts, slot))) draft.rules.push(rule)
    for (const chain of slot.chains) draft.chains.push(chain)
  }
  draft.slots = []
  draft.ofPairs.clear()
  draft.isPlain = true
}

function writeSlot(drafts: Drafts, slot: Slot): readonly CompiledRule[] {
  const { pair, rules, entries } = slot
  if (!pair) return rules
  // An entry may make several rules.
  if (!entries.every(entry => entry.isOneRule)) writeEntries(drafts, slot, entries, 'inside')
  if (rules.length < PAIR_RULES && entries.length > 0) return entries.flatMap(entry => entry.rules(false))
  const name = pairChain(drafts, pair)
  const chain = chainOf(drafts, 'filter', name)
  for (const rule of rules) chain.rules.push(rule)
  const origin = ownOrigin(drafts, `from ${placeName(pair.from)} to ${placeName(pair.to)}`)
  const [from, to] = [pair.from, pair.to].map(place => (place === 'fw' ? [{}] : alternativesOf(drafts, { place, span: place.span }, origin)))
  return makeHeads(from ?? [], to ?? [], [{ matches: [] }]).map(head => makeRule(origin, head, jumpTo(name)))
}

function placeName(place: Zone | 'fw'): string {
  return place === 'fw' ? 'fw' : place.name
}

/** A later segment of the same pair has a chain of its own. */
function pairChain({ pairCounts, chains }: Drafts, pair: Pair): string {
  const base = `${PREFIX}${placeName(pair.from)}-${placeName(pair.to)}`
  for (let count = (pairCounts.get(base) ?? 0) + 1; ; count++) {
    const more = count === 1 ? '' : `-${count}`
    const name = `${base.slice(0, CHAIN_NAME_LIMIT - more.length)}${more}`
    if (chains.has(`filter ${name}`)) continue
    pairCounts.set(base, count)
    return name
  }
}

/** Docker's room is for its zones alone, and stands before docker's own rules; all else comes after the rules of others. */
function hookUp(drafts: Drafts, way: Way, rule: CompiledRule): void {
  const { hooks, policy, zones } = drafts
  if (way !== 'docker') {
    if (policy.managesAll) chainOf(drafts, 'filter', wayChain(drafts, way))
    else hooks.push({ table: 'filter', chain: BUILT_IN[way], place: 'last', rule })
    return
  }
  for (const device of zones.filter(zone => zone.isDockers).flatMap(zone => zone.devices)) for (const except of ['outDevice', 'inDevice'] as const) {
    hooks.push({ table: 'filter', chain: DOCKER_CHAIN, place: 'first', rule: { ...rule, head: { ...ANYTHING, from: { device }, to: { device }, except } } })
  }
}
