/**
 * A ruleset -> a policy that manages whole tables and means the same. Chains that begin as those of a policy do become sentences as far as
 * those can say them; all else stays in iptables' own words. Whether it means the same is for `diffRulesets` to say.
 */

import type { Hook, TableName } from '../ir/hooks.ts'
import type { Chain, MatchUse, Rule, Ruleset } from '../ir/ruleset.ts'
import { CT_STATE } from '../meaning/fields.ts'
import type { Family } from '../net/address.ts'
import { writeRule } from '../save/write-rule.ts'
import { ownName } from './comparable.ts'
import { isName, plainRules, writeEnd } from './decompile-rule.ts'
import type { PlainRule } from './decompile-rule.ts'

/** How much is tried: sentences where there are any, or every rule in iptables' own words. */
export type DecompileStyle = 'sentences' | 'raw'

/** The text of a policy, unaligned, and what it is made of. */
export interface Decompiled {
  readonly text: string
  readonly sentences: number
  readonly raws: number
  /** A family of which no rules were given: the policy drops all of it. */
  readonly lacking?: Family
}

/** Returns the policy of rulesets, at most one of each family. */
export function decompileRules(rulesets: readonly Ruleset[], style: DecompileStyle): Decompiled {
  const drafts: Drafts = { zones: new Map(), lines: [], sentences: 0, raws: 0 }
  for (const ruleset of rulesets) decompileFamily(drafts, ruleset, style)
  const zones = [...drafts.zones].map(([device, name]) => `zone ${name} = ${isName(device) ? device : `"${device}"`}`)
  const lacking = FAMILIES.find(family => rulesets.every(one => one.family !== family))
  const note = lacking === undefined ? [] : [`# No ${lacking === 'ipv4' ? 'IPv4' : 'IPv6'} rules were given: the policy drops all ${lacking === 'ipv4' ? 'IPv4' : 'IPv6'}.`]
  const parts = [[...note, 'option manage = all'], zones, ['default drop'], drafts.lines].filter(part => part.length > 0)
  return { text: `${parts.map(part => part.join('\n')).join('\n\n')}\n`, sentences: drafts.sentences, raws: drafts.raws, ...(lacking === undefined ? {} : { lacking }) }
}

const FAMILIES = ['ipv4', 'ipv6'] as const

interface Drafts {
  readonly zones: Map<string, string>
  readonly lines: string[]
  sentences: number
  raws: number
}

/** Chains that only sentences came from are left out. */
function decompileFamily(drafts: Drafts, { family, tables }: Ruleset, style: DecompileStyle): void {
  for (const { name: table, chains, chainByName } of tables) {
    const needed: string[] = []
    for (const chain of chains) {
      if (chain.hook === undefined) continue
      if (table !== 'filter') addRaws(drafts, needed, { family, table, chain: chain.name, place: 'last' }, chain.rules)
      else addHookChain(drafts, needed, family, withoutDefault(inlined(chain, chainByName)), style === 'sentences' ? chainByName : undefined)
    }
    const done = new Set<string>()
    for (let name = needed.shift(); name !== undefined; name = needed.shift()) {
      const chain = chainByName.get(name)
      if (!chain || done.has(name)) continue
      done.add(name)
      // An empty chain must be made all the same: rules lead to it.
      if (chain.rules.every(({ target }) => !target)) addLines(drafts, { family, table, chain: ownName(name), place: 'last' }, ['-j RETURN'])
      else addRaws(drafts, needed, { family, table, chain: ownName(name), place: 'last' }, chain.rules)
    }
  }
  // A table that is not there lets everything pass.
  if (!tables.some(({ name }) => name === 'filter')) for (const name of ['INPUT', 'FORWARD', 'OUTPUT']) addHookChain(drafts, [], family, { name, rules: [], accepts: true }, undefined)
}

/** A chain of a hook, and what becomes of packets at its end. */
interface HookChain {
  readonly name: string
  readonly rules: readonly Rule[]
  readonly accepts: boolean
}

/** Where a chain of a hook does nothing but lead into another one that no other rule leads to, that one's rules stand for it. */
function inlined({ name, rules, policy }: Chain, chainByName: ReadonlyMap<string, Chain>): HookChain {
  const [only] = rules
  const own: HookChain = { name, rules, accepts: policy === 'ACCEPT' }
  if (rules.length !== 1 || !only || only.target?.kind !== 'jump' || only.matches.some(use => use.name !== 'comment')) return own
  const { chain: to } = only.target
  const inner = chainByName.get(to)?.rules ?? []
  // What several lead to may count for all of them.
  const isShared = [...chainByName.values()].some(chain => chain.rules.some(rule => rule !== only && rule.target !== undefined && rule.target.kind !== 'target' && rule.target.chain === to))
  return isShared || inner.some(({ target }) => target?.kind === 'target' && target.name === 'RETURN') ? own : { ...own, rules: inner }
}

/** A last rule that drops or accepts everything is the chain's policy. */
function withoutDefault({ name, rules, accepts }: HookChain): HookChain {
  const last = rules[rules.length - 1]
  const isTotal = last?.target?.kind === 'target' && last.matches.every(use => use.name === 'comment')
  if (!isTotal || last.target.kind !== 'target' || (last.target.name !== 'DROP' && last.target.name !== 'ACCEPT')) return { name, rules, accepts }
  return { name, rules: rules.slice(0, -1), accepts: last.target.name === 'ACCEPT' }
}

/** The rules of a chain of a hook: those before the frame that every policy has, the sentences, and the rest. */
interface SplitChain {
  readonly before: readonly Rule[]
  readonly plain: readonly PlainRule[]
  readonly after: readonly Rule[]
}

function splitChain({ rules, name }: HookChain, chainByName: ReadonlyMap<string, Chain>): SplitChain | undefined {
  const hook = name as Hook
  const start = rules.findIndex(rule => isVerdict(rule, CT_STATE.RELATED | CT_STATE.ESTABLISHED, 'ACCEPT'))
  const first = rules[start + 1]
  if (start === -1 || (hook !== 'OUTPUT' && (!first || !isVerdict(first, CT_STATE.INVALID, 'DROP')))) return undefined
  let next = start + (hook === 'OUTPUT' ? 1 : 2)
  const loopback = rules[next]
  if (hook !== 'FORWARD' && loopback && isLoopback(loopback)) next += 1
  else if (hook !== 'FORWARD' && !rules.slice(0, start).some(isLoopback)) return undefined
  const plain: PlainRule[] = []
  for (let rule = rules[next]; rule; rule = rules[next]) {
    const said = plainRules(rule, chainByName)?.filter(one => fitsHook(one, hook))
    if (!said || said.length === 0 || said.length !== plainRules(rule, chainByName)?.length) break
    plain.push(...said)
    next += 1
  }
  return plain.length === 0 ? undefined : { before: rules.slice(0, start), plain, after: rules.slice(next) }
}

/** A sentence between zones speaks of no other way; one without zones would. */
function fitsHook({ services, source, destination, inDevice, outDevice, limit, verb }: PlainRule, hook: Hook): boolean {
  if (hook === 'FORWARD') return inDevice !== undefined && outDevice !== undefined
  const isTotal = verb === 'allow' && limit === undefined && services === undefined && (hook === 'INPUT' ? source === undefined && inDevice === undefined : false)
  return hook === 'INPUT' ? !isTotal && destination === undefined && outDevice === undefined : source === undefined && inDevice === undefined
}

function isVerdict({ matches, target }: Rule, states: number, name: string): boolean {
  const asked = matches.filter(use => use.name !== 'comment')
  const [only] = asked
  if (target?.kind !== 'target' || target.name !== name || asked.length !== 1 || !only || (only.name !== 'conntrack' && only.name !== 'state')) return false
  const [option, ...more] = Object.values(only.infos)
  return more.length === 0 && option?.inverted === false && option.value === states
}

function isLoopback({ matches, target }: Rule): boolean {
  const asked = matches.filter(use => use.name !== 'comment')
  const options = Object.entries(asked[0]?.infos ?? {})
  const [option] = options
  return target?.kind === 'target' && target.name === 'ACCEPT' && asked.length === 1 && options.length === 1 && option !== undefined && /^(in|out)-interface$/.test(option[0]) && option[1]?.inverted === false && (option[1].value as { name: string }).name === 'lo'
}

function addHookChain(drafts: Drafts, needed: string[], family: Family, chain: HookChain, chainByName: ReadonlyMap<string, Chain> | undefined): void {
  const { name, rules, accepts } = chain
  const split = chainByName && splitChain(chain, chainByName)
  if (!split && accepts && rules.length === 0 && name !== 'FORWARD') return addSentences(drafts, family, [name === 'INPUT' ? 'allow from any to fw' : 'allow from fw'])
  // What no sentence speaks of is dropped.
  if (!accepts && rules.length === 0 && name === 'FORWARD') return
  const at = { family, table: 'filter', chain: name } as const
  const end = accepts ? '-j ACCEPT' : '-j DROP'
  // What stands first goes before the frame of a policy.
  addRaws(drafts, needed, { ...at, place: 'first' }, split ? split.before : rules)
  if (!split) return addLines(drafts, { ...at, place: 'first' }, [end])
  addSentences(drafts, family, split.plain.map(rule => writeSentence(drafts, rule, name)))
  addRaws(drafts, needed, { ...at, place: 'last' }, split.after)
  if (accepts) addLines(drafts, { ...at, place: 'last' }, [end])
}

function writeSentence(drafts: Drafts, { verb, services, source, destination, inDevice, outDevice, limit, reason }: PlainRule, chain: string): string {
  const from = chain === 'OUTPUT' ? 'fw' : (writeEnd(source, zoneOf(drafts, inDevice)) ?? 'any')
  const to = chain === 'INPUT' ? 'fw' : (writeEnd(destination, zoneOf(drafts, outDevice)) ?? 'any')
  return [verb, services, `from ${from}`, `to ${to}`, limit === undefined ? undefined : `limit ${limit}`, reason === undefined ? undefined : `"${reason.replace(/["\\]/g, '\\$&')}"`].filter(word => word !== undefined).join(' ')
}

/** A zone is called as its device; what cannot be a name gets one. */
function zoneOf({ zones }: Drafts, device: string | undefined): string | undefined {
  if (device === undefined) return undefined
  const known = zones.get(device)
  if (known !== undefined) return known
  const taken = new Set(zones.values())
  const plain = device.replace(/[^A-Za-z0-9_]+/g, '_').replace(/^(?=\d)/, '_')
  const base = isName(device) ? device : isName(plain) ? plain : `${plain}_zone`
  const name = [base, ...Array.from({ length: zones.size + 1 }, (_, index) => `${base}_${index + 2}`)].find(one => !taken.has(one)) ?? base
  zones.set(device, name)
  return name
}

function addSentences(drafts: Drafts, family: Family, sentences: readonly string[]): void {
  for (const sentence of sentences) drafts.lines.push(sentence.includes('"') ? sentence.replace(/ (?=")/, ` ${family} `) : `${sentence} ${family}`)
  drafts.sentences += sentences.length
}

interface RawPlace {
  readonly family: Family
  readonly table: TableName
  readonly chain: string
  readonly place: 'first' | 'last'
}

function addLines(drafts: Drafts, { family, table, chain, place }: RawPlace, rules: readonly string[]): void {
  for (const rule of rules) drafts.lines.push(`raw ${family} ${table} ${chain} ${place} \`${rule}\``)
  drafts.raws += rules.length
}

/** A rule without a target counts only: the language has none. */
function addRaws(drafts: Drafts, needed: string[], place: RawPlace, rules: readonly Rule[]): void {
  for (const { matches, target } of rules) {
    if (!target) continue
    if (target.kind !== 'target') needed.push(target.chain)
    const renamed = target.kind === 'target' ? target : { ...target, chain: ownName(target.chain) }
    addLines(drafts, place, [writeRule({ matches: matches.filter(use => use.name !== 'comment' || !isPlace(use)), target: renamed }, place.family)])
  }
}

function isPlace({ infos }: MatchUse): boolean {
  return /^\S+\.gate(:\d+)?( |$)/.test(String(infos['comment']?.value))
}
