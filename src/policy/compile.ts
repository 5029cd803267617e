/** A policy whose names are looked up -> the rules of both families. */

import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { ChainPolicy } from '../ir/ruleset.ts'
import type { Hook } from '../ir/hooks.ts'
import type { Family } from '../net/address.ts'
import { complainTo } from './complain.ts'
import type { Complain } from './complain.ts'
import { didYouMean } from '../extensions/did-you-mean.ts'
import { countRules, PREFIX } from './compiled.ts'
import type { CompiledIpset, CompiledRule, CompiledRules } from './compiled.ts'
import { chainOf, makeRule, ownOrigin, startDrafts } from './drafts.ts'
import type { Drafts } from './drafts.ts'
import { lowerPublish, lowerRedirect, lowerSourceNat, natChain } from './lower-nat.ts'
import type { NatWay } from './lower-nat.ts'
import { placeRaws, readRaw } from './lower-raw.ts'
import type { RawRule } from './lower-raw.ts'
import { lowerRule } from './lower-rules.ts'
import type { Entry } from './lower-rules.ts'
import { lowerUntracked, rawChain } from './lower-untracked.ts'
import { ANYTHING } from './head-words.ts'
import { jumpTo } from './matches.ts'
import { writeMatches, writeTarget } from '../save/write-rule.ts'
import type { Origin, PolicyFrame, RawSentence, ResolvedPolicy, Sentence } from './resolved.ts'
import type { Way } from './sides.ts'
import { startTranslations } from './translations.ts'
import type { NatSentence } from './translations.ts'
import { addEntry, finishWay, startWay } from './write-ways.ts'
import type { WayDraft } from './write-ways.ts'

/** The rules of a policy, and what there is to say about them. */
export interface CompiledPolicy {
  readonly rules: Readonly<Record<Family, CompiledRules>>
  readonly diagnostics: readonly Diagnostic[]
}

/** Rules in the making: sentences are added in their order, and need not be kept. */
export interface Compilation {
  add(sentence: Sentence): void
  /** Returns the rules; to be called once. */
  finish(): CompiledPolicy
}

/** Compiles a policy. */
export function compilePolicy(policy: ResolvedPolicy): CompiledPolicy {
  const compilation = startCompilation(policy)
  for (const sentence of policy.sentences) compilation.add(sentence)
  return compilation.finish()
}

/** Returns a compilation that has no sentences yet. */
export function startCompilation(frame: PolicyFrame): Compilation {
  const diagnostics: Diagnostic[] = []
  const complain = complainTo(diagnostics)
  const raws: PlacedRaw[] = []
  // What is said of a sentence is said once.
  const families = [startFamily(frame, 'ipv4', complain), startFamily(frame, 'ipv6', () => undefined)] as const
  let batch: Sentence[] = []
  const translations = startTranslations()
  const addBatch = (): void => {
    const fates = families.map(family => batch.map(sentence => addSentence(family, sentence)))
    batch.forEach(({ origin }, index) => complainOfDead(origin, fates[0]?.[index], fates[1]?.[index], complain))
    batch = []
  }
  return {
    add(sentence) {
      const earlier = isNat(sentence) ? translations.add(sentence) : undefined
      if (earlier) complainOfLate(sentence.origin, earlier, complain)
      else if (sentence.kind === 'raw') raws.push({ sentence, rules: readForFamilies(sentence, diagnostics) })
      else if (batch.push(sentence) >= BATCH) addBatch()
    },
    finish() {
      addBatch()
      const [ipv4, ipv6] = families
      const rules = { ipv4: finishFamily(ipv4, raws), ipv6: finishFamily(ipv6, raws) }
      for (const raw of raws) complainOfJump(raw, families, complain)
      for (const { drafts } of families) noteSilent(drafts, complain)
      return { rules, diagnostics }
    },
  }
}

/** Returns how many rules both families have together. */
export function countAll({ rules }: CompiledPolicy): number {
  return countRules(rules.ipv4) + countRules(rules.ipv6)
}

/** So many sentences are read before they are compiled: to change from one to the other at each would take longer. */
const BATCH = 500

interface PlacedRaw {
  readonly sentence: RawSentence
  readonly rules: ReadonlyMap<Family, RawRule>
}

/** A raw rule that names no family is for those that take it. */
function readForFamilies(sentence: RawSentence, diagnostics: Diagnostic[]): ReadonlyMap<Family, RawRule> {
  const read = sentence.families.map(family => ({ family, ...readRaw(sentence, family) }))
  const good = read.flatMap(one => ('rule' in one ? [[one.family, one.rule] as const] : []))
  const [first] = read
  if (first && 'problems' in first && (good.length === 0 || sentence.isForOneFamily)) diagnostics.push(...first.problems)
  return new Map(good)
}

interface FamilyCompilation {
  readonly drafts: Drafts
  readonly ways: Readonly<Record<Way, WayDraft>>
  readonly complain: Complain
}

function startFamily(frame: PolicyFrame, family: Family, complain: Complain): FamilyCompilation {
  return { drafts: startDrafts(frame, family), ways: { docker: startWay('docker'), in: startWay('in'), forward: startWay('forward'), out: startWay('out') }, complain }
}

/** Returns the sentence by which all packets of this one are decided already; undefined where it decides some, or the family has none. */
function addSentence({ drafts, ways, complain }: FamilyCompilation, sentence: Sentence): Fate {
  let lives = false
  let decidedBy: Origin | undefined
  for (const entry of lowerSentence(drafts, sentence, complain)) {
    const earlier = addEntry(drafts, ways[entry.way], entry, sentence.origin)
    decidedBy ??= earlier
    lives ||= earlier === undefined
  }
  return lives || sentence.kind !== 'rule' || sentence.verb === 'untracked' ? 'lives' : decidedBy
}

/** What becomes of a sentence in a family: it decides packets, another decides all of them before, or it speaks of none (undefined). */
type Fate = Origin | 'lives' | undefined

function complainOfDead({ span }: Origin, fate: Fate, other: Fate, complain: Complain): void {
  const earlier = fate ?? other
  if (earlier === undefined || earlier === 'lives' || other === 'lives') return
  complain('dead-sentence', span, 'the sentence is never asked: an earlier one decides every packet before', 'put it before that one, or delete it', { severity: 'warning', related: [{ span: earlier.span, message: 'this one decides them' }] })
}

function complainOfLate({ span }: Origin, earlier: Origin, complain: Complain): void {
  const help = 'put it before that one, or leave its packets out there with `except`'
  complain('dead-sentence', span, 'the sentence does nothing: an earlier one translates all that it speaks of', help, { severity: 'warning', related: [{ span: earlier.span, message: 'this one translates it' }] })
}

function isNat(sentence: Sentence): sentence is NatSentence {
  return sentence.kind === 'publish' || sentence.kind === 'sourceNat' || sentence.kind === 'redirect'
}

function finishFamily({ drafts, ways }: FamilyCompilation, raws: readonly PlacedRaw[]): CompiledRules {
  const { family, policy, zones, room: chains, hooks } = drafts
  const isBehind = ({ table, chain, place }: RawSentence): boolean => table === 'filter' && (place === 'last' || chain.startsWith(PREFIX))
  const needed: ReadonlySet<string> = new Set(raws.flatMap(({ sentence, rules }) => (rules.has(family) && isBehind(sentence) ? [sentence.chain] : [])))
  if (zones.some(zone => zone.isDockers)) finishWay(drafts, ways.docker, needed)
  for (const way of [ways.in, ways.forward, ways.out]) finishWay(drafts, way, needed)
  for (const way of ['dnat', 'snat', 'dnat-out'] as const) hookNat(drafts, way)
  for (const way of ['notrack', 'notrack-out'] as const) hookChain(drafts, 'raw', rawChain(drafts, way), way === 'notrack' ? 'PREROUTING' : 'OUTPUT')
  placeRaws(drafts, raws.flatMap(({ sentence, rules }) => {
    const rule = rules.get(family)
    return rule && missingChain(drafts, sentence, rule, raws) === undefined ? [{ sentence, rule: ruleOfRaw(sentence, rule, family) }] : []
  }))
  return { family, chains, hooks, ipsets: usedIpsets(drafts), policies: chainPolicies(policy, ways), managesAll: policy.managesAll }
}

/** A list of which only sentences speak that are never asked needs no ipset. */
function usedIpsets({ ipsets, room }: Drafts): readonly CompiledIpset[] {
  if (ipsets.size === 0) return NO_IPSETS
  const used = new Set<string>()
  for (const { rules } of room) for (const { head, guards } of rules) for (const words of [head.matches, guards]) for (const word of words) {
    for (const [, name] of word.matchAll(/--match-set (\S+)/g)) if (name !== undefined) used.add(name)
  }
  return [...ipsets.values()].filter(({ name }) => used.has(name))
}

const NO_IPSETS: readonly CompiledIpset[] = []

function ruleOfRaw({ origin }: RawSentence, { matches, target }: RawRule, family: Family): CompiledRule {
  const words = writeMatches(matches, family)
  return makeRule(origin, ANYTHING, { words: writeTarget(target, family) }, words === '' ? [] : [words])
}

/** Returns the chain of the policy's own that a raw rule leads into and that is not there; another raw sentence may make it. */
function missingChain({ chains, family }: Drafts, { table }: RawSentence, { target }: RawRule, raws: readonly PlacedRaw[]): string | undefined {
  const name = target.kind === 'target' ? '' : target.chain
  const isMade = !name.startsWith(PREFIX) || chains.has(`${table} ${name}`) || raws.some(({ sentence, rules }) => sentence.table === table && sentence.chain === name && rules.has(family))
  return isMade ? undefined : name
}

/** A chain may be there for one family only: then the rule is for that one. */
function complainOfJump({ sentence, rules }: PlacedRaw, families: readonly FamilyCompilation[], complain: Complain): void {
  const missing = families.flatMap(({ drafts }) => {
    const rule = rules.get(drafts.family)
    return rule ? [{ drafts, name: missingChain(drafts, sentence, rule, []) }] : []
  })
  const [first] = missing
  if (first?.name === undefined || missing.some(({ name }) => name === undefined)) return
  const known = [...first.drafts.chains.values()].filter(({ table }) => table === sentence.table).map(({ name }) => name)
  complain('unknown-target', sentence.ruleSpan, `the policy makes no chain \`${first.name}\` in table ${sentence.table}`, didYouMean(first.name, known) ?? 'a `raw` sentence about that chain makes it')
}

function lowerSentence(drafts: Drafts, sentence: Sentence, complain: Complain): readonly Entry[] {
  switch (sentence.kind) {
    case 'rule':
      return sentence.verb === 'untracked' ? lowerUntracked(drafts, sentence, complain) : lowerRule(drafts, sentence)
    case 'publish':
      return lowerPublish(drafts, sentence)
    case 'sourceNat':
      return lowerSourceNat(drafts, sentence)
    case 'redirect':
      return lowerRedirect(drafts, sentence)
    default:
      return []
  }
}

function hookNat(drafts: Drafts, way: NatWay): void {
  hookChain(drafts, 'nat', natChain(drafts, way), way === 'dnat' ? 'PREROUTING' : way === 'snat' ? 'POSTROUTING' : 'OUTPUT')
}

function hookChain(drafts: Drafts, table: 'nat' | 'raw', name: string, hook: Hook): void {
  const { policy, hooks, chains } = drafts
  if (policy.managesAll || (chains.get(`${table} ${name}`)?.rules.length ?? 0) === 0) return
  hooks.push({ table, chain: hook, place: 'last', rule: makeRule(ownOrigin(drafts), ANYTHING, jumpTo(chainOf(drafts, table, name).name)) })
}

/** Where whole tables are managed, what no rule decides is dropped. */
function chainPolicies({ managesAll }: PolicyFrame, ways: FamilyCompilation['ways']): CompiledRules['policies'] {
  const policyOf = ({ isOpen }: WayDraft): ChainPolicy => (isOpen ? 'ACCEPT' : 'DROP')
  return managesAll ? { INPUT: policyOf(ways.in), FORWARD: policyOf(ways.forward), OUTPUT: policyOf(ways.out) } : {}
}

function noteSilent({ family, silent, policy }: Drafts, complain: Complain): void {
  const [first] = silent
  if (!first) return
  const isZone = (name: string): boolean => policy.zones.some(zone => zone.name === name)
  const zones = [...silent.keys()].filter(isZone)
  const lists = [...silent.keys()].filter(name => !isZone(name))
  const words = [...(zones.length > 0 ? [`${zones.length === 1 ? 'zone' : 'zones'} ${listOf(zones)}`] : []), ...(lists.length > 0 ? [`${lists.length === 1 ? 'list' : 'lists'} ${listOf(lists)}`] : [])].join(' and ')
  const other = family === 'ipv4' ? 'IPv4' : 'IPv6'
  const isOne = silent.size === 1
  complain('one-family', first[1], `${words} ${isOne ? 'has' : 'have'} no ${other} addresses: sentences about ${isOne ? 'it' : 'them'} make no ${other} rules`, undefined, { severity: 'note' })
}

/** Names a few; a long policy may have thousands. */
function listOf(names: readonly string[]): string {
  const quoted = names.slice(0, MOST).map(name => `\`${name}\``)
  if (names.length > MOST) return `${quoted.join(', ')} and ${names.length - MOST} more`
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} and ${quoted[quoted.length - 1] ?? ''}`
}

const MOST = 8
