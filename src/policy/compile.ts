/** A policy whose names are looked up -> the rules of both families. */

import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { ChainPolicy } from '../ir/ruleset.ts'
import type { Hook } from '../ir/hooks.ts'
import type { Family } from '../net/address.ts'
import { complainTo } from './complain.ts'
import type { Complain } from './complain.ts'
import { countRules } from './compiled.ts'
import type { CompiledRules } from './compiled.ts'
import { chainOf, makeRule, ownOrigin, startDrafts } from './drafts.ts'
import type { Drafts } from './drafts.ts'
import { lowerPublish, lowerRedirect, lowerSourceNat, natChain } from './lower-nat.ts'
import type { NatWay } from './lower-nat.ts'
import { placeRaw, readRaw } from './lower-raw.ts'
import { lowerRule } from './lower-rules.ts'
import type { Entry } from './lower-rules.ts'
import { lowerUntracked, rawChain } from './lower-untracked.ts'
import { jumpTo } from './matches.ts'
import type { RawSentence, ResolvedPolicy, Sentence } from './resolved.ts'
import type { Way } from './sides.ts'
import { writeWay } from './write-ways.ts'

/** The rules of a policy, and what there is to say about them. */
export interface CompiledPolicy {
  readonly rules: Readonly<Record<Family, CompiledRules>>
  readonly diagnostics: readonly Diagnostic[]
}

/** Compiles a policy. */
export function compilePolicy(policy: ResolvedPolicy): CompiledPolicy {
  const diagnostics: Diagnostic[] = []
  const complain = complainTo(diagnostics)
  const raws = readRaws(policy, diagnostics)
  const silent = new Map<string, Drafts['silent']>()
  const compileFor = (family: Family): CompiledRules => {
    const drafts = startDrafts(policy, family)
    const rules = compileFamily(drafts, raws, family === 'ipv4' ? complain : () => undefined)
    silent.set(family, drafts.silent)
    return rules
  }
  const rules = { ipv4: compileFor('ipv4'), ipv6: compileFor('ipv6') }
  for (const family of ['ipv4', 'ipv6'] as const) noteSilent(family, silent.get(family) ?? new Map(), policy, complain)
  return { rules, diagnostics }
}

/** Returns how many rules both families have together. */
export function countAll({ rules }: CompiledPolicy): number {
  return countRules(rules.ipv4) + countRules(rules.ipv6)
}

type Raws = ReadonlyMap<RawSentence, Readonly<Partial<Record<Family, Extract<ReturnType<typeof readRaw>, { rule: unknown }>['rule']>>>>

/** A raw rule that names no family is for those that take it. */
function readRaws({ sentences }: ResolvedPolicy, diagnostics: Diagnostic[]): Raws {
  const found = new Map<RawSentence, Record<string, unknown>>()
  for (const sentence of sentences) {
    if (sentence.kind !== 'raw') continue
    const read = sentence.families.map(family => ({ family, ...readRaw(sentence, family) }))
    const good = read.filter(one => 'rule' in one)
    if (good.length === 0 || (sentence.isForOneFamily && good.length < read.length)) for (const one of read.slice(0, 1)) if ('problems' in one) diagnostics.push(...one.problems)
    found.set(sentence, Object.fromEntries(good.map(one => [one.family, 'rule' in one ? one.rule : undefined])))
  }
  return found as Raws
}

function compileFamily(drafts: Drafts, raws: Raws, complain: Complain): CompiledRules {
  const { family, policy } = drafts
  const entries: Entry[] = []
  for (const sentence of policy.sentences) for (const entry of lowerSentence(drafts, sentence, complain)) entries.push(entry)
  const ways = (way: Way): readonly Entry[] => entries.filter(entry => entry.way === way)
  if (drafts.zones.some(zone => zone.isDockers)) writeWay(drafts, 'docker', ways('docker'))
  writeWay(drafts, 'in', ways('in'))
  writeWay(drafts, 'forward', ways('forward'))
  writeWay(drafts, 'out', ways('out'))
  for (const way of ['dnat', 'snat', 'dnat-out'] as const) hookNat(drafts, way)
  for (const way of ['notrack', 'notrack-out'] as const) hookChain(drafts, 'raw', rawChain(drafts, way), way === 'notrack' ? 'PREROUTING' : 'OUTPUT')
  for (const sentence of policy.sentences) {
    const rule = sentence.kind === 'raw' ? raws.get(sentence)?.[family] : undefined
    if (sentence.kind === 'raw' && rule) placeRaw(drafts, sentence, rule)
  }
  return { family, chains: [...drafts.chains.values()], hooks: drafts.hooks, ipsets: [...drafts.ipsets.values()], policies: chainPolicies(drafts, entries), managesAll: policy.managesAll }
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
  hooks.push({ table, chain: hook, place: 'last', rule: makeRule(ownOrigin(drafts), [], jumpTo(chainOf(drafts, table, name).name)) })
}

/** Where whole tables are managed, what no rule decides is dropped. */
function chainPolicies({ policy }: Drafts, entries: readonly Entry[]): CompiledRules['policies'] {
  if (!policy.managesAll) return {}
  const policyOf = (way: Way): ChainPolicy => (entries.find(entry => entry.way === way)?.isTotal === true && entries.find(entry => entry.way === way)?.isPlainAllow === true ? 'ACCEPT' : 'DROP')
  return { INPUT: policyOf('in'), FORWARD: policyOf('forward'), OUTPUT: policyOf('out') }
}

function noteSilent(family: Family, silent: Drafts['silent'], policy: ResolvedPolicy, complain: Complain): void {
  const [first] = silent
  if (!first) return
  const zones = [...silent.keys()].filter(name => policy.zones.some(zone => zone.name === name))
  const lists = [...silent.keys()].filter(name => !zones.includes(name))
  const words = [...(zones.length > 0 ? [`${zones.length === 1 ? 'zone' : 'zones'} ${listOf(zones)}`] : []), ...(lists.length > 0 ? [`${lists.length === 1 ? 'list' : 'lists'} ${listOf(lists)}`] : [])].join(' and ')
  const other = family === 'ipv4' ? 'IPv4' : 'IPv6'
  const isOne = silent.size === 1
  complain('one-family', first[1], `${words} ${isOne ? 'has' : 'have'} no ${other} addresses: sentences about ${isOne ? 'it' : 'them'} make no ${other} rules`, undefined, { severity: 'note' })
}

function listOf(names: readonly string[]): string {
  const quoted = names.map(name => `\`${name}\``)
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} and ${quoted[quoted.length - 1] ?? ''}`
}
