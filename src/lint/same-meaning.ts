/**
 * Proves that an edited ruleset does the same with every packet as before, what is logged, marked and counted by limits with it. Four proofs,
 * the cheapest first: no rule says anything else; rules are missing that no packet ever met; rules stand in another order that have no packet
 * in common; `diff` finds no packet that is treated differently, in tables that do nothing but let through and drop.
 */

import { alignLists } from '../analyze/align-lists.ts'
import { diffRulesets } from '../analyze/diff.ts'
import { isReached, ruleReach } from '../analyze/rule-reach.ts'
import { unlessTooBig } from '../analyze/unless-too-big.ts'
import { effectsOf, memoryOf, predicateOf } from '../extensions/meaning-of.ts'
import { targetInWords } from '../extensions/option-words.ts'
import type { Backend } from '../ir/hooks.ts'
import { tableNamed } from '../ir/ruleset.ts'
import type { Chain, MatchUse, Rule, Ruleset, Table } from '../ir/ruleset.ts'
import type { Family } from '../net/address.ts'
import { makePacketSets } from '../packetset/packet-sets.ts'
import { universeOf } from '../symbolic/rule-sets.ts'
import { hasMemory, isFinal } from './rule-facts.ts'

/** Some 200 MB: a comparison that needs more ends without a proof. */
const MOST_NODES = 8_000_000

/** A rule that only one of the versions has, with its place there: `number` is 1-based. */
interface ChangedRule {
  readonly rule: Rule
  readonly number: number
  readonly chain: Chain
}

interface Changes {
  readonly removed: readonly ChangedRule[]
  readonly added: readonly ChangedRule[]
}

/** Tells whether it is proved that both versions do the same, loaded by a backend. */
export function isSameMeaning(before: Ruleset, after: Ruleset, backend: Backend): boolean {
  const words = changesBetween(before, after, wordsKey(before.family, backend))
  const changes = words && words.added.length > 0 ? changesBetween(before, after, setKey(before, after, backend)) : words
  if (!changes) return false
  const { removed, added } = changes
  if (removed.length === 0 && added.length === 0) return true
  if (before.partial || after.partial) return false
  if (added.length === 0 && isNeverMet(before, removed, backend)) return true
  if (isMove(before, changes, backend)) return true
  const touched = new Set([...removed, ...added].map(({ chain }) => chain.table))
  if (![before, after].every(ruleset => ruleset.tables.every(table => !touched.has(table.name) || onlyJudges(table, ruleset)))) return false
  const { groups, isWhole } = diffRulesets({ before, after, backend, nodeLimit: MOST_NODES })
  return isWhole && groups.length === 0
}

/** The rules that differ in what they mean; undefined where chains or their policies differ. Unread lines are the same text in both. */
function changesBetween(before: Ruleset, after: Ruleset, keyOf: KeyOfUse): Changes | undefined {
  if (before.family !== after.family || before.tables.length !== after.tables.length) return undefined
  const removed: ChangedRule[] = []
  const added: ChangedRule[] = []
  for (const table of before.tables) {
    const other = tableNamed(after, table.name)
    if (!other || other.chains.length !== table.chains.length) return undefined
    for (const chain of table.chains) {
      const now = other.chainByName.get(chain.name)
      if (!now || now.policy !== chain.policy) return undefined
      const [was, is] = [chain, now].map(({ rules }) => rules.map(rule => meaningKey(rule, before.family, keyOf)))
      const changed = was && is ? differing(was, is) : { removed: [], added: [] }
      removed.push(...changed.removed.flatMap(index => placed(chain, index)))
      added.push(...changed.added.flatMap(index => placed(now, index)))
    }
  }
  return { removed, added }
}

function placed(chain: Chain, index: number): readonly ChangedRule[] {
  const rule = chain.rules[index]
  return rule ? [{ rule, number: index + 1, chain }] : []
}

/** Where entries are only missing, that is found however many they are. */
function differing(before: readonly string[], after: readonly string[]): { readonly removed: readonly number[]; readonly added: readonly number[] } {
  const removed: number[] = []
  let next = 0
  for (const [index, key] of before.entries()) {
    if (key === after[next]) next++
    else removed.push(index)
  }
  return next === after.length ? { removed, added: [] } : alignLists(before, after)
}

/** Equal for uses that match the same packets; empty for one that matches all, comments among them. */
type KeyOfUse = (use: MatchUse) => string

function meaningKey({ matches, target }: Rule, family: Family, keyOf: KeyOfUse): string {
  return `${matches.map(keyOf).filter(key => key !== '').join(' ')} ${target ? targetInWords(target, family) : ''}`
}

/** By the terms of the predicate. */
function wordsKey(family: Family, backend: Backend): KeyOfUse {
  return memoised(use => {
    const predicate = predicateOf(use, family, backend)
    return predicate.kind === 'always' ? '' : JSON.stringify(predicate, (_key, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))
  })
}

/** By the packet set: equal for what is said in other terms too. */
function setKey(before: Ruleset, after: Ruleset, backend: Backend): KeyOfUse {
  const sets = makePacketSets(before.family, universeOf([before, after], backend))
  return memoised(use => {
    const set = sets.setOf(predicateOf(use, before.family, backend))
    return set === sets.every ? '' : String(set)
  })
}

function memoised(keyOf: KeyOfUse): KeyOfUse {
  const known = new Map<MatchUse, string>()
  return use => {
    const key = known.get(use) ?? keyOf(use)
    known.set(use, key)
    return key
  }
}

/** No packet comes to any of the rules and matches: then all of them can go. */
function isNeverMet(ruleset: Ruleset, rules: readonly ChangedRule[], backend: Backend): boolean {
  const reach = ruleReach(ruleset, { backend, nodeLimit: MOST_NODES })
  return rules.every(one => {
    const run = reach.tables.find(({ table }) => table.name === one.chain.table)
    return run !== undefined && !unlessTooBig(() => isReached(run, one), true, () => undefined)
  })
}

/** One rule that ends the way of its packets stands elsewhere in its chain, and it shares no packet with those that it was moved across. */
function isMove(ruleset: Ruleset, { removed, added }: Changes, backend: Backend): boolean {
  const [was, is] = [removed[0], added[0]]
  if (!was || !is || removed.length > 1 || added.length > 1 || was.chain.name !== is.chain.name || was.chain.table !== is.chain.table) return false
  const { family } = ruleset
  const keyOf = wordsKey(family, backend)
  if (meaningKey(was.rule, family, keyOf) !== meaningKey(is.rule, family, keyOf)) return false
  const [from, to] = was.number < is.number ? [was.number, is.number] : [is.number - 1, was.number - 1]
  const crossed = was.chain.rules.slice(from, to)
  if (![was.rule, ...crossed].every(rule => isFinal(rule, family) && !hasMemory(rule, family))) return false
  const { sets, tables } = ruleReach(ruleset, { backend, nodeLimit: MOST_NODES })
  const matches = tables.find(({ table }) => table.name === was.chain.table)?.runs.get(was.chain)?.matches
  const own = matches?.[was.number - 1]
  return own !== undefined && crossed.every((_rule, index) => {
    const other = matches?.[from + index]
    return other !== undefined && !sets.meets(own.set(), other.set())
  })
}

/** Tells whether all that a table does is what `diff` looks at: nothing is written, logged, put into a set, or counted by a match with memory. */
function onlyJudges({ chains }: Table, { family }: Ruleset): boolean {
  return chains.every(({ rules }) => rules.every(({ matches, target }) => {
    if (matches.some(use => use.words || memoryOf(use, family))) return false
    return target?.kind !== 'target' || (!target.words && effectsOf(target, family).every(({ kind }) => kind === 'verdict' || kind === 'reject'))
  }))
}
