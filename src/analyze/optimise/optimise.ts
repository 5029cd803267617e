/** A ruleset with fewer rules and the same meaning: what does nothing dropped, neighbours merged, lists put into ipsets, hot rules moved up. */

import type { Backend, TableName } from '../../ir/hooks.ts'
import { eachRule } from '../../ir/ruleset.ts'
import type { Chain, Rule, Ruleset, Table } from '../../ir/ruleset.ts'
import { makePacketSets } from '../../packetset/packet-sets.ts'
import { ipsetMeaning } from '../../symbolic/ipset-meaning.ts'
import { universeOf } from '../../symbolic/rule-sets.ts'
import type { Ipset } from '../../topology/topology.ts'
import { findDead } from '../dead.ts'
import { unlessTooBig } from '../unless-too-big.ts'
import { chainFacts } from './chain-facts.ts'
import { costOf, enteringOf, flowsOf, hasCounters, takenBy } from './cost.ts'
import type { Cost } from './cost.ts'
import { rulesetOfDrafts } from './draft.ts'
import type { DraftRule, DraftTable, NotTaken } from './draft.ts'
import { dropDead } from './drop.ts'
import type { Dropped } from './drop.ts'
import { makeIpsets } from './make-ipsets.ts'
import type { IpsetShop, NewIpset } from './make-ipsets.ts'
import { mergeRules } from './merge.ts'
import { movesBetween, reorderRules } from './reorder.ts'
import type { Move } from './reorder.ts'
import { actOf, countedIpsets } from './rule-acts.ts'
import type { ActSpace } from './rule-acts.ts'

/** What can be done, in this order. */
export const STEPS = ['drop', 'merge', 'ipset', 'order'] as const

/** The name of a step. */
export type StepName = (typeof STEPS)[number]

/** `ipsetThreshold`: lists of fewer rules stay rules. */
export interface OptimiseOptions {
  readonly steps: ReadonlySet<StepName>
  readonly ipsetThreshold: number
  readonly backend?: Backend
  /** Kernel sets whose content is known, and stays. */
  readonly ipsets?: readonly Ipset[]
}

/** Rules that one rule stands for now. */
export interface Merged {
  readonly chain: Chain
  readonly draft: DraftRule
  /** The ipset that it asks, where it asks one that was made for it. */
  readonly ipset: NewIpset | undefined
}

/** A rule moved up in its chain. */
export interface Moved extends Move {
  readonly chain: Chain
}

/** What became of one table. */
export interface TableResult {
  readonly name: TableName
  readonly rulesBefore: number
  readonly rulesAfter: number
  readonly costBefore: Cost
  readonly costAfter: Cost
}

/** A ruleset made shorter, and what was done to it. */
export interface Optimised {
  readonly ruleset: Ruleset
  readonly ipsets: readonly NewIpset[]
  readonly tables: readonly TableResult[]
  readonly dropped: readonly Dropped[]
  readonly merged: readonly Merged[]
  readonly moved: readonly Moved[]
  readonly notTaken: readonly NotTaken[]
  /** What was too big to be decided, as sentences' ends. */
  readonly undecided: readonly string[]
}

/** What needs more is left as it is, and told: some 400 MB for long rulesets, less and so earlier for short ones. */
function mostNodes({ ruleCount }: Ruleset): number {
  return Math.min(16_000_000, 1_500_000 + 1500 * ruleCount)
}

/** Pairs of rules that are compared at most for a step: a few seconds. */
const MOST_PAIRS = 4_000_000

/** Optimises a ruleset that was read as a whole. Every step is proved over all packets before it is taken; see README.md. */
export function optimiseRuleset(ruleset: Ruleset, { steps, ipsetThreshold, backend = 'legacy', ipsets = [] }: OptimiseOptions): Optimised {
  let lastId = ruleset.ruleCount
  const notTaken: NotTaken[] = []
  const made: NewIpset[] = []
  const undecided: string[] = []
  const shop: IpsetShop = { makeId: () => lastId++, budget: { pairs: MOST_PAIRS }, notTaken, threshold: ipsetThreshold, taken: ipsetNames(ruleset), made }
  const space = spaceOf(ruleset, backend, made, ipsets)
  const drafts = ruleset.tables.map(table => draftTable(space, table, undecided))
  const dropped: Dropped[] = []
  const dead = steps.has('drop') ? unlessTooBig(() => findDead(ruleset, { backend, nodeLimit: mostNodes(ruleset), universe: { ipsets }, isEachTableAlone: true }), undefined, () => undecided.push('what does nothing')) : undefined
  undecided.push(...(dead?.undecided ?? []))
  const shorter = drafts.map(draft => {
    const live = dead ? dropDead(draft, { report: dead, notTaken, dropped }) : draft
    const merged = steps.has('merge') ? eachChain(live, shop, mergeRules, undecided) : live
    const listed = steps.has('ipset') ? eachChain(merged, shop, makeIpsets, undecided) : merged
    return steps.has('merge') && listed !== merged ? eachChain(listed, shop, mergeRules, undecided) : listed
  })
  const moved: Moved[] = []
  const ordered = steps.has('order') ? shorter.map(draft => orderTable(draft, { ...shop, budget: { pairs: MOST_PAIRS } }, moved, undecided)) : shorter
  return {
    ruleset: rulesetOfDrafts(ruleset, ordered),
    ipsets: made,
    tables: drafts.map((draft, index) => resultOf(draft, ordered[index] ?? draft)),
    dropped, merged: ordered.flatMap(draft => mergedIn(draft, made)), moved, notTaken: withoutStale(notTaken, ordered), undecided: [...new Set(undecided)],
  }
}

/** What is in a new ipset is known to the proofs; of others what was given. */
function spaceOf(ruleset: Ruleset, backend: Backend, made: readonly NewIpset[], ipsets: readonly Ipset[]): ActSpace {
  const { family } = ruleset
  const universe = universeOf([ruleset], backend, { ipsetMeaning: use => ipsetMeaning([...ipsets, ...made.map(({ set }) => set)], use, family) })
  return { sets: makePacketSets(family, { ...universe, nodeLimit: mostNodes(ruleset) }), family, backend, counted: countedIpsets(ruleset) }
}

function ipsetNames(ruleset: Ruleset): Set<string> {
  const names = new Set<string>()
  eachRule(ruleset, ({ matches, target }) => {
    const uses = [...matches, ...(target?.kind === 'target' ? [target] : [])]
    for (const { infos } of uses) for (const option of ['match-set', 'add-set', 'del-set', 'map-set']) names.add((infos[option]?.value as { readonly name?: string } | undefined)?.name ?? '')
  })
  return names
}

function draftTable(space: ActSpace, table: Table, undecided: string[]): DraftTable {
  const rules = new Map(table.chains.map(chain => [chain, chain.rules.map((rule): DraftRule => ({ rule, act: actOf(space, rule, rule.id), from: [rule], joined: [], packets: Number(rule.counters?.packets ?? 0n) }))]))
  const facts = unlessTooBig(() => chainFacts(space, table), new Map(), () => undecided.push(`what jumps of the ${table.name} table amount to`))
  return { table, space: { ...space, facts }, rules }
}

/** Does something to each chain by itself; a chain that is too big stays as it is. */
function eachChain(draft: DraftTable, shop: IpsetShop, work: (space: DraftTable['space'], chain: Chain, rules: readonly DraftRule[], shop: IpsetShop) => readonly DraftRule[], undecided: string[]): DraftTable {
  let isChanged = false
  const rules = new Map([...draft.rules].map(([chain, list]) => {
    const now = unlessTooBig(() => work(draft.space, chain, list, shop), list, () => undecided.push(`whether rules of ${chain.name} in the ${chain.table} table can be joined`))
    isChanged ||= now.length !== list.length
    return [chain, now] as const
  }))
  return isChanged ? { ...draft, rules } : draft
}

function orderTable(draft: DraftTable, shop: IpsetShop, moved: Moved[], undecided: string[]): DraftTable {
  if (!hasCounters(draft)) return draft
  const flows = flowsOf(draft)
  const rules = new Map([...draft.rules].map(([chain, list]) => {
    const taken = list.map(one => takenBy(one, flows))
    const now = unlessTooBig(() => reorderRules(draft.space, list, taken, shop), undefined, () => undecided.push(`which rules of ${chain.name} in the ${chain.table} table can be moved up`))
    if (shop.budget.pairs <= 0) shop.notTaken.push({ chain, rule: undefined, why: { kind: 'tooLong', words: 'not every rule that takes many packets was tried further up: there are too many' } })
    if (now) moved.push(...movesBetween(list, now, one => takenBy(one, flows) > 0).map(move => ({ ...move, chain })))
    return [chain, now ?? list] as const
  }))
  return { ...draft, rules }
}

function resultOf(before: DraftTable, after: DraftTable): TableResult {
  const entering = enteringOf(before)
  const rulesOf = ({ rules }: DraftTable): number => [...rules.values()].reduce((sum, list) => sum + list.length, 0)
  return { name: before.table.name, rulesBefore: rulesOf(before), rulesAfter: rulesOf(after), costBefore: costOf(before, entering), costAfter: costOf(after, entering) }
}

function mergedIn({ rules }: DraftTable, made: readonly NewIpset[]): readonly Merged[] {
  return [...rules].flatMap(([chain, list]) => list.filter(({ from }) => from.length > 1).map(draft => ({ chain, draft, ipset: made.find(({ set }) => asks(draft.rule, set.name)) })))
}

function asks({ matches }: Rule, name: string): boolean {
  return matches.some(use => use.name === 'set' && (use.infos['match-set']?.value as { readonly name: string } | undefined)?.name === name)
}

/** Each reason once, and only of rules that still stand by themselves. */
function withoutStale(notTaken: readonly NotTaken[], drafts: readonly DraftTable[]): readonly NotTaken[] {
  const standing = new Set(drafts.flatMap(({ rules }) => [...rules.values()].flat().flatMap(({ rule, from }) => (from.length === 1 ? [rule.id] : []))))
  const seen = new Set<string>()
  return notTaken.filter(({ chain, rule, why }) => {
    const key = `${chain.id} ${rule?.id ?? ''} ${why.kind}`
    if (seen.has(key) || (rule && !standing.has(rule.id))) return false
    seen.add(key)
    return true
  })
}
