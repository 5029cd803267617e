/**
 * What may become of a class of packets at a hook: every rule that may decide. Where a rule may or may not match, both are followed,
 * so a class that can only be dropped is dropped for certain, whatever is not known of it.
 */

import { effectsOf, predicateOf } from '../extensions/meaning-of.ts'
import type { Span } from '../diagnostics/source-file.ts'
import type { Hook, TableName } from '../ir/hooks.ts'
import { tableNamed } from '../ir/ruleset.ts'
import type { Chain, ChainId, Rule, Ruleset } from '../ir/ruleset.ts'
import { CT_STATE } from '../meaning/fields.ts'
import type { Ternary } from '../meaning/subject.ts'
import { assignedValue } from '../meaning/effect.ts'
import type { Effect } from '../meaning/effect.ts'
import { exactly, holds, withFields } from './packet-class.ts'
import type { Known, PacketClass } from './packet-class.ts'
import { natOf, verdictOf } from './rule-facts.ts'
import { rulesInQuestion } from './rule-lookup.ts'

/** What decides: a rule, or the chain whose policy does. */
export type Decider = { readonly kind: 'rule'; readonly rule: Rule; readonly chain: Chain } | { readonly kind: 'policy'; readonly chain: Chain }

/** A way in which the class may leave a table or hook. */
export interface Ending {
  readonly verdict: 'accept' | 'drop' | 'taken'
  readonly by: Decider
}

/** What may happen. Where every ending has one verdict, that is certain. */
export interface Fate {
  readonly endings: readonly Ending[]
  /** The class as it leaves: what rules that may have matched wrote is unknown. */
  readonly packets: PacketClass
}

/** Where rules are looked up. */
export interface Course {
  readonly ruleset: Ruleset
  readonly hook: Hook
  readonly tables: readonly TableName[]
}

/** Returns what may become of a class in some tables of a hook, one after the other. */
export function fateAt({ ruleset, hook, tables }: Course, packets: PacketClass): Fate {
  const endings: Ending[] = []
  let now = packets
  let last: readonly Ending[] = []
  for (const name of tables) {
    const chain = tableNamed(ruleset, name)?.chainByName.get(hook)
    if (!chain) continue
    const fate = fateInChain(ruleset, chain, now)
    now = fate.packets
    endings.push(...fate.endings.filter(({ verdict }) => verdict !== 'accept'))
    last = fate.endings.filter(({ verdict }) => verdict === 'accept')
    if (last.length === 0) return { endings, packets: now }
  }
  return { endings: [...endings, ...last], packets: now }
}

/** Returns packets for this host as INPUT sees them; undefined where PREROUTING drops them all, or may give them another destination. */
export function atInput(ruleset: Ruleset, packets: PacketClass): PacketClass | undefined {
  const early = fateAt({ ruleset, hook: 'PREROUTING', tables: ['raw', 'mangle'] }, packets)
  if (early.endings.length > 0 && isCertain(early, 'drop')) return undefined
  const { endings } = fateAt({ ruleset, hook: 'PREROUTING', tables: ['nat'] }, early.packets)
  return endings.some(({ by }) => by.kind === 'rule' && natOf(by.rule, ruleset.family)) ? undefined : early.packets
}

/** Returns what may become of a class in a built-in chain, from its `from`th rule on. */
export function fateInChain(ruleset: Ruleset, chain: Chain, packets: PacketClass, from = 0): Fate {
  const walk: Walk = { ruleset, packets, endings: [], known: new Map() }
  if (runChain(walk, chain, from)) walk.endings.push({ verdict: chain.policy === 'DROP' ? 'drop' : 'accept', by: { kind: 'policy', chain } })
  return { endings: walk.endings, packets: walk.packets }
}

/** Tells whether a fate is certain to be this one; a hook without tables that look at it accepts. */
export function isCertain({ endings }: Fate, verdict: Ending['verdict']): boolean {
  return endings.length > 0 ? endings.every(ending => ending.verdict === verdict) : verdict === 'accept'
}

/** Returns what decides where nothing before did: the last ending. */
export function deciderOf({ endings }: Fate): Decider | undefined {
  return endings.at(-1)?.by
}

/** Returns the place of what decides: the rule, or the line that sets the policy; undefined for a policy that the text leaves out. */
export function placeOfDecider(by: Decider): Span | undefined {
  return by.kind === 'rule' ? by.rule.span : by.chain.span
}

interface Walk {
  readonly ruleset: Ruleset
  packets: PacketClass
  readonly endings: Ending[]
  /** Whether a chain comes back, for the class as it is; emptied where the class changes. */
  readonly known: Map<ChainId, boolean>
}

/** Returns whether the class may come back from the chain. */
function runChain(walk: Walk, chain: Chain, from: number): boolean {
  const before = walk.known.get(chain.id)
  if (before !== undefined && from === 0) return before
  const { packets, ruleset: { family } } = walk
  let mayReturn = false
  let asked = packets
  let inQuestion = rulesInQuestion(chain, asked)
  for (let place = placeFrom(inQuestion, from); place < (inQuestion ?? chain.rules).length; place++) {
    const index = inQuestion?.[place] ?? place
    const rule = chain.rules[index]
    const matches = rule && ruleHolds(rule, walk)
    if (!rule || matches === false) continue
    const verdict = verdictOf(rule, family)
    if (verdict === 'return') mayReturn = true
    else if (verdict === 'jump' || verdict === 'goto') {
      const to = rule.target && rule.target.kind !== 'target' ? tableNamed(walk.ruleset, chain.table)?.chainByName.get(rule.target.chain) : undefined
      const comesBack = to ? runChain(walk, to, 0) : true
      if (verdict === 'goto' && comesBack) mayReturn = true
      if (matches && !(verdict === 'jump' && comesBack)) return remember(walk, { chain, from, packets }, mayReturn)
    } else {
      applyEffects(walk, rule, matches === true)
      if (verdict !== 'continue') walk.endings.push({ verdict: verdict === 'accept' || verdict === 'drop' ? verdict : 'taken', by: { kind: 'rule', rule, chain } })
    }
    if (matches && verdict !== 'continue' && verdict !== 'jump') return remember(walk, { chain, from, packets }, mayReturn)
    if (walk.packets === asked) continue
    asked = walk.packets
    inQuestion = rulesInQuestion(chain, asked)
    place = placeFrom(inQuestion, index + 1) - 1
  }
  return remember(walk, { chain, from, packets }, true)
}

/** The first place in a list of indices, or in the chain itself, that is not before an index. */
function placeFrom(indices: readonly number[] | undefined, from: number): number {
  if (!indices || from === 0) return from
  const place = indices.findIndex(index => index >= from)
  return place === -1 ? indices.length : place
}

interface Entry {
  readonly chain: Chain
  readonly from: number
  readonly packets: PacketClass
}

/** Only what was asked from the chain's beginning, of one class to its end, holds for the next time. */
function remember(walk: Walk, { chain, from, packets }: Entry, mayReturn: boolean): boolean {
  if (from === 0 && packets === walk.packets) walk.known.set(chain.id, mayReturn)
  return mayReturn
}

function ruleHolds(rule: Rule, { ruleset, packets }: Walk): Ternary {
  let result: Ternary = true
  for (const use of rule.matches) {
    const value = holds(predicateOf(use, ruleset.family), packets)
    if (value === false) return false
    if (value === undefined) result = undefined
  }
  return result
}

/** What a target writes is known where it matches for certain and the value is; else the field is unknown from here on. */
function applyEffects(walk: Walk, rule: Rule, isSure: boolean): void {
  if (!rule.target) return
  for (const effect of effectsOf(rule.target, walk.ruleset.family)) {
    const written = writtenBy(effect, walk.packets, isSure)
    if (!written) continue
    walk.known.clear()
    const { fields } = withFields(walk.packets, written.fields)
    walk.packets = { ...walk.packets, fields: Object.fromEntries(Object.entries(fields).filter(([name]) => !written.unknown.includes(name))) }
  }
}

interface Written {
  readonly fields: PacketClass['fields']
  readonly unknown: readonly string[]
}

function writtenBy(effect: Effect, packets: PacketClass, isSure: boolean): Written | undefined {
  switch (effect.kind) {
    case 'assign': {
      if (effect.field === 'priority') return undefined
      const old = packets.fields[effect.field]
      const isKnown = isSure && effect.from === undefined && old !== undefined && old !== 'absent' && old.low === old.high && typeof old.low === 'number'
      return isKnown ? { fields: { [effect.field]: exactly(assignedValue(effect, old.low)) }, unknown: [] } : { fields: {}, unknown: [effect.field] }
    }
    case 'adjust':
      return { fields: {}, unknown: ['ip.ttl'] }
    case 'nat':
      return natWritten(effect, packets, isSure)
    case 'translatePrefix':
      return { fields: {}, unknown: ['ip.src', 'ip.dst'] }
    case 'untrack':
      return isSure ? { fields: { 'ct.state': exactly(CT_STATE.UNTRACKED) }, unknown: [] } : { fields: {}, unknown: ['ct.state'] }
    case 'track':
      return { fields: {}, unknown: ['ct.state'] }
    case 'notModelled':
      return { fields: {}, unknown: ['mark', 'ct.mark', 'ip.tos'] }
    default:
      return undefined
  }
}

function natWritten({ side, addresses, ports }: Extract<Effect, { kind: 'nat' }>, packets: PacketClass, isSure: boolean): Written {
  const end = side === 'source' ? 'src' : 'dst'
  const port = side === 'source' ? 'l4.sport' : 'l4.dport'
  const unknown = ['ct.status', `addressType.${end}`, `ct.reply.${end === 'src' ? 'dst' : 'src'}`, ...(side === 'source' ? ['l4.sport'] : [])]
  const range = addresses.kind === 'ranges' && addresses.ranges.length === 1 ? addresses.ranges[0] : undefined
  if (!isSure || side === 'ofHook' || addresses.kind === 'prefix' || (addresses.kind !== 'keep' && !range)) return { fields: {}, unknown: [...unknown, 'ct.state', `ip.${end}`, port] }
  const newPort: Known | undefined = ports && ports.base === undefined ? { low: ports.low, high: ports.high } : undefined
  const state = packets.fields['ct.state']
  const isState = state !== undefined && state !== 'absent' && state.low === state.high && typeof state.low === 'number'
  return {
    fields: { ...(isState ? { 'ct.state': exactly(state.low | (side === 'source' ? CT_STATE.SNAT : CT_STATE.DNAT)) } : {}), ...(range ? { [`ip.${end}`]: range } : {}), ...(newPort && side === 'destination' ? { [port]: newPort } : {}) },
    unknown: [...unknown, ...(isState ? [] : ['ct.state']), ...(ports && !newPort ? [port] : [])],
  }
}
