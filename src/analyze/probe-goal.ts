/** What a search for packets aims at: a rule or the end of a built-in chain, and what must hold on the way there. */

import { effectsOf, predicateOf } from '../extensions/meaning-of.ts'
import { chainGraph, hooksOf, pathFrom, ruleOf } from '../ir/chain-graph.ts'
import type { ChainGraph } from '../ir/chain-graph.ts'
import type { Backend, Hook, TableName } from '../ir/hooks.ts'
import { eachRule } from '../ir/ruleset.ts'
import type { Chain, Rule, Ruleset, Table } from '../ir/ruleset.ts'
import type { NumberField } from '../meaning/fields.ts'
import { all } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import type { Address, Family } from '../net/address.ts'
import type { Wish } from './literals.ts'

/** A rule, or where it is absent the end of a built-in chain. */
export interface Goal {
  readonly table: TableName
  readonly chain: Chain
  /** 1-based. */
  readonly number: number | 'policy'
  readonly rule?: Rule
}

/** A hook and what must hold of a packet there so that it meets the goal, leaving aside the rules before it. */
export interface Approach {
  readonly hook: Hook
  readonly wishes: readonly Wish[]
}

/** A rule that gives packets what they do not arrive with: another destination, a mark, the state UNTRACKED. */
export interface Enabler {
  readonly gives: 'destination' | 'mark' | 'ct.mark' | 'untracked' | 'source'
  readonly approaches: readonly Approach[]
  /** The new destination, where it is one for all. */
  readonly destination?: Address
}

/** A ruleset with what a search looks up in it. */
export interface SearchedRuleset {
  readonly ruleset: Ruleset
  readonly backend: Backend
  readonly graphs: ReadonlyMap<TableName, ChainGraph>
  readonly enablers: readonly Enabler[]
}

/** Prepares a ruleset for searches. */
export function searchRuleset(ruleset: Ruleset, backend: Backend): SearchedRuleset {
  const graphs = new Map(ruleset.tables.map(table => [table.name, chainGraph(table)]))
  const searched = { ruleset, backend, graphs, enablers: [] }
  const enablers: Enabler[] = []
  eachRule(ruleset, (rule, number, chain, table) => {
    const gives = giftOf(rule, ruleset.family, chain, graphs.get(table.name))
    if (gives) enablers.push({ ...gives, approaches: approachesTo({ table: table.name, chain, number, rule }, searched) })
  })
  return { ...searched, enablers: enablers.filter(enabler => enabler.approaches.length > 0) }
}

/** Returns the rules of a ruleset and the ends of the built-in chains that have rules or a policy of their own. */
export function goalsOf(ruleset: Ruleset): readonly Goal[] {
  return ruleset.tables.flatMap(table => table.chains.flatMap(chain => goalsIn(table, chain)))
}

/** Returns how a goal can be come by, by hook; none for a chain that nothing jumps to. */
export function approachesTo(goal: Goal, { ruleset, backend, graphs }: Pick<SearchedRuleset, 'ruleset' | 'backend' | 'graphs'>): readonly Approach[] {
  const graph = graphs.get(goal.table)
  if (!graph) return []
  const own = goal.rule ? [wish(predicateIn(goal.rule, ruleset.family, backend))] : []
  return hooksOf(graph, goal.chain).map(hook => ({ hook, wishes: [...pathFrom(graph, hook, goal.chain).map(jump => wish(predicateIn(ruleOf(jump), ruleset.family, backend))), ...own] }))
}

/** Returns what a rule's matches mean together. */
export function predicateIn(rule: Rule, family: Family, backend: Backend): Predicate {
  return all(rule.matches.map(use => predicateOf(use, family, backend)))
}

/** Tells whether a predicate speaks of a field. */
export function speaksOf(predicate: Predicate, fields: readonly NumberField[]): boolean {
  switch (predicate.kind) {
    case 'within':
    case 'masked':
      return fields.includes(predicate.field)
    case 'not':
      return speaksOf(predicate.of, fields)
    case 'all':
    case 'any':
      return predicate.of.some(part => speaksOf(part, fields))
    default:
      return false
  }
}

function goalsIn(table: Table, chain: Chain): readonly Goal[] {
  const rules = chain.rules.map((rule, index): Goal => ({ table: table.name, chain, number: index + 1, rule }))
  const hasEnd = chain.hook !== undefined && (chain.rules.length > 0 || chain.policy === 'DROP')
  return hasEnd ? [...rules, { table: table.name, chain, number: 'policy' }] : rules
}

function wish(predicate: Predicate): Wish {
  return { predicate, negated: false }
}

function giftOf(rule: Rule, family: Family, chain: Chain, graph: ChainGraph | undefined): Pick<Enabler, 'gives' | 'destination'> | undefined {
  if (!rule.target || !graph) return undefined
  for (const effect of effectsOf(rule.target, family)) {
    if (effect.kind === 'nat') {
      const isDestination = effect.side === 'destination' || (effect.side === 'ofHook' && hooksOf(graph, chain).some(hook => hook === 'PREROUTING' || hook === 'OUTPUT'))
      const [range] = effect.addresses.kind === 'ranges' ? effect.addresses.ranges : []
      return { gives: isDestination ? 'destination' : 'source', ...(range ? { destination: range.low } : {}) }
    }
    if (effect.kind === 'untrack') return { gives: 'untracked' }
    if (effect.kind === 'assign' && (effect.field === 'mark' || effect.field === 'ct.mark')) return { gives: effect.field }
  }
  return undefined
}
