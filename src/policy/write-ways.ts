/** The entries of a way -> its chain: replies first, then the sentences in their order, zone pairs with many rules in chains of their own, then the default. */

import type { MatchUse } from '../ir/ruleset.ts'
import { CHAIN_NAME_LIMIT, DOCKER_CHAIN, PREFIX } from './compiled.ts'
import type { CompiledRule } from './compiled.ts'
import { alternativesOf, chainOf, DOCKER_WAY, makeRule, ownOrigin } from './drafts.ts'
import type { Drafts, Pair } from './drafts.ts'
import { makeHeads } from './heads.ts'
import { includesFirewall } from './lower-nat.ts'
import type { Entry } from './lower-rules.ts'
import { ESTABLISHED, INVALID, ipMatch, jumpTo, rejection, UNTRANSLATED, verdict } from './matches.ts'
import type { Zone } from './resolved.ts'
import type { Way } from './sides.ts'
import { writeSentence } from './tails.ts'

/** So many rules of a zone pair get a chain of their own. */
const PAIR_RULES = 3

/** Writes the chains of a way, and the hook that leads to them. */
export function writeWay(drafts: Drafts, way: Way, entries: readonly Entry[]): void {
  const decided = upToTotal(entries.filter(entry => entry.staysHere !== true))
  const last = decided[decided.length - 1]
  // What is let pass as a whole needs no rules: the chain of the hook goes on.
  if (decided.length === 1 && last?.isTotal && last.isPlainAllow && way !== 'docker') return leaveOpen(drafts, way)
  // The host itself needs its loopback device, and its answers to what it forwards get out, whatever the sentences say.
  if (decided.length === 0 && way !== 'in' && way !== 'out') return leaveToDefault(drafts, way)
  const name = wayChain(drafts, way)
  const { rules } = chainOf(drafts, 'filter', name)
  rules.push(...frameOf(drafts, way))
  for (const entry of entries) if (entry.staysHere === true) rules.push(...entry.rules(false))
  if (way === 'docker') for (const entry of decided) writeInOrder(drafts, entry)
  else rules.push(...writeSegments(drafts, decided))
  const end = way === 'docker' ? chainOf(drafts, 'filter', drafts.dockerChain).rules : rules
  if (!last?.isTotal) end.push(...defaultRules(drafts, 'chain'))
  hookUp(drafts, way, [makeRule(ownOrigin(drafts), [], jumpTo(name))])
}

/** Returns the chain that a way's rules stand in. */
export function wayChain({ policy }: Drafts, way: Way): string {
  return policy.managesAll && way !== 'docker' ? BUILT_IN[way] : OWN[way]
}

const OWN: Readonly<Record<Way, string>> = { in: `${PREFIX}in`, forward: `${PREFIX}fwd`, out: `${PREFIX}out`, docker: DOCKER_WAY }
const BUILT_IN = { in: 'INPUT', forward: 'FORWARD', out: 'OUTPUT', docker: '' } as const

/** What comes after an entry that decides every packet is never asked. */
function upToTotal(entries: readonly Entry[]): readonly Entry[] {
  const first = entries.findIndex(entry => entry.isTotal)
  return first === -1 ? entries : entries.slice(0, first + 1)
}

function leaveToDefault(drafts: Drafts, way: Way): void {
  const rules = defaultRules(drafts, 'hook')
  if (drafts.policy.managesAll && way !== 'docker') chainOf(drafts, 'filter', wayChain(drafts, way)).rules.push(...rules)
  else hookUp(drafts, way, rules)
}

function leaveOpen(drafts: Drafts, way: Way): void {
  if (drafts.policy.managesAll) chainOf(drafts, 'filter', wayChain(drafts, way))
}

/** Replies are the most packets, so they come first. */
function frameOf(drafts: Drafts, way: Way): readonly CompiledRule[] {
  const pass = verdict(way === 'docker' ? 'RETURN' : 'ACCEPT')
  const established = makeRule(ownOrigin(drafts, 'replies, and errors about connections'), [ESTABLISHED], pass)
  const invalid = makeRule(ownOrigin(drafts, 'belongs to no connection'), [INVALID], verdict('DROP'))
  const loopback = (side: 'inDevice' | 'outDevice', more: readonly MatchUse[]): CompiledRule => makeRule(ownOrigin(drafts, 'loopback'), [...present(ipMatch({ [side]: { name: 'lo', prefix: false } })), ...more], verdict('ACCEPT'))
  if (way === 'in') return [established, invalid, loopback('inDevice', [])]
  return way === 'out' ? [established, loopback('outDevice', publishesOwn(drafts) ? [UNTRANSLATED] : [])] : [established, invalid]
}

/** Kernel: what the firewall sends to an address of its own that is published still counts as leaving by lo. */
function publishesOwn({ family, policy }: Drafts): boolean {
  return policy.sentences.some(sentence => sentence.kind === 'publish' && sentence.family === family && includesFirewall(sentence.from))
}

function present(use: MatchUse | undefined): readonly MatchUse[] {
  return use ? [use] : []
}

/** Returns the rules of the default verdict, at the end of a chain or as a hook: that always leads into a chain, by which a later plan knows it. */
function defaultRules(drafts: Drafts, place: 'chain' | 'hook'): readonly CompiledRule[] {
  const { verdict: word, log, origin } = drafts.policy.defaultVerdict
  if (!log && word === 'drop' && drafts.policy.managesAll) return []
  if (!log && word === 'drop' && place === 'chain') return [makeRule(origin, [], verdict('DROP'))]
  const name = `${PREFIX}${word}`
  const { rules } = chainOf(drafts, 'filter', name)
  if (rules.length === 0) {
    const tail = { guards: [], counts: false, ...(log ? { log: { prefix: `gate ${word}: `, ...log } } : {}), final: word === 'reject' ? ('none' as const) : verdict('DROP') }
    rules.push(...writeSentence(drafts, { table: 'filter', mark: `${word}-default`, origin, word }, [{ matches: [] }], [], tail))
    if (word === 'reject') rules.push(makeRule(origin, present(ipMatch({ protocol: 6 })), rejection(drafts.family, true)), makeRule(origin, [], rejection(drafts.family, false)))
  }
  return [makeRule(origin, [], jumpTo(name))]
}

function writeInOrder(drafts: Drafts, entry: Entry): void {
  const rules = entry.rules(false)
  chainOf(drafts, 'filter', drafts.dockerChain).rules.push(...rules)
}

interface Slot {
  readonly pair?: Pair
  readonly entries: Entry[]
}

/** Entries of zone pairs may change places with those of others as long as nothing that decides otherwise stands between. */
function writeSegments(drafts: Drafts, entries: readonly Entry[]): readonly CompiledRule[] {
  const rules: CompiledRule[] = []
  let slots = new Map<Pair | Entry, Slot>()
  let generics = 0
  let isPlain = true
  const flush = (): void => {
    for (const slot of slots.values()) for (const rule of writeSlot(drafts, slot)) rules.push(rule)
    slots = new Map()
    generics = 0
    isPlain = true
  }
  for (const entry of entries) {
    const { pair } = entry
    const commutes = entry.isPlainAllow && isPlain
    if (!commutes && (pair ? generics > 0 : slots.size > 0)) flush()
    if (!pair) generics++
    const slot = slots.get(pair ?? entry)
    if (slot) slot.entries.push(entry)
    else slots.set(pair ?? entry, { ...(pair ? { pair } : {}), entries: [entry] })
    isPlain &&= entry.isPlainAllow
    if (!pair && !entry.isPlainAllow) flush()
  }
  flush()
  return rules
}

function writeSlot(drafts: Drafts, { pair, entries }: Slot): readonly CompiledRule[] {
  const [first] = entries
  if (!pair || !first) return entries.flatMap(entry => entry.rules(false))
  const inside = entries.flatMap(entry => entry.rules(true))
  if (inside.length < PAIR_RULES) return entries.flatMap(entry => entry.rules(false))
  const name = pairChain(drafts, pair)
  const chain = chainOf(drafts, 'filter', name)
  for (const rule of inside) chain.rules.push(rule)
  const origin = ownOrigin(drafts, `from ${placeName(pair.from)} to ${placeName(pair.to)}`)
  const [from, to] = [pair.from, pair.to].map(place => (place === 'fw' ? [{}] : alternativesOf(drafts, { place, span: place.span }, origin)))
  return makeHeads(from ?? [], to ?? [], [{ matches: [] }]).map(head => makeRule(origin, head.matches, jumpTo(name)))
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
function hookUp(drafts: Drafts, way: Way, targets: readonly CompiledRule[]): void {
  const { hooks, policy, zones } = drafts
  if (way !== 'docker') {
    if (policy.managesAll) chainOf(drafts, 'filter', wayChain(drafts, way))
    else for (const rule of targets) hooks.push({ table: 'filter', chain: BUILT_IN[way], place: 'last', rule })
    return
  }
  for (const rule of targets) for (const device of zones.filter(zone => zone.isDockers).flatMap(zone => zone.devices)) {
    const from = present(ipMatch({ inDevice: device, outDevice: device, except: 'outDevice' }))
    const to = present(ipMatch({ inDevice: device, outDevice: device, except: 'inDevice' }))
    for (const matches of [from, to]) hooks.push({ table: 'filter', chain: DOCKER_CHAIN, place: 'first', rule: { ...rule, matches: [...matches, ...rule.matches] } })
  }
}
