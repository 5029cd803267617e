/**
 * A ruleset prepared for running: chains joined, meanings looked up and made into functions once. It holds no state of a run and
 * serves any number of worlds. A chain is prepared when the first packet comes to it: most chains of a large ruleset see none.
 */

import { invariant } from '../diagnostics/diagnostic.ts'
import type { MatchDefinition } from '../extensions/extension.ts'
import { effectsOf, isNativeInNft, memoryOf, predicateOf } from '../extensions/meaning-of.ts'
import type { Backend, Hook, TableName } from '../ir/hooks.ts'
import type { Chain, MatchUse, Rule, Ruleset } from '../ir/ruleset.ts'
import type { Effect } from '../meaning/effect.ts'
import { isDecidedByFields, testOf } from '../meaning/evaluate.ts'
import type { PredicateTest } from '../meaning/evaluate.ts'
import { all } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import type { Family } from '../net/address.ts'
import { indexRules } from './rule-index.ts'
import type { RuleIndex } from './rule-index.ts'
import type { PathStep, RulePlace } from './trace-events.ts'
import type { TableVerdict } from './verdict.ts'

/** One match of a rule. */
export interface PreparedMatch {
  readonly use: MatchUse
  readonly predicate: Predicate
  readonly memory: MatchDefinition['memory']
  /** nf_tables itself reads the transport header for it, not an extension of ip_tables. */
  readonly isNativeInNft: boolean
}

/** One rule, ready to run. */
export interface PreparedRule {
  readonly rule: Rule
  /** 1-based. */
  readonly number: number
  readonly step: PathStep
  readonly matches: readonly PreparedMatch[]
  /** What the leading matches that fields alone decide mean together. */
  readonly first: PredicateTest
  /** The matches after those: they have memory or free variables, or stand behind one that has. */
  readonly others: readonly PreparedMatch[]
  readonly effects: readonly Effect[]
  readonly jump: { readonly kind: 'jump' | 'goto'; readonly to: PreparedChain } | undefined
  /** Where it stood when it last matched: most packets find it in the same place. */
  lastPlace: RulePlace | undefined
}

/** The rules of one chain, ready to run. */
export interface PreparedRules {
  /** As many as the chain has, those that are prepared: of a chain with an index a rule is when `preparedAt` first asks for it. */
  readonly rules: (PreparedRule | undefined)[]
  readonly prepareAt: (index: number) => PreparedRule
  /** Which rules a packet can match, for long chains. */
  readonly index: RuleIndex | undefined
}

/** One chain, its rules prepared when they are first asked for by `rulesOf`. */
export interface PreparedChain {
  readonly chain: Chain
  readonly ofPolicy: PathStep
  /** How the chain ends, being a built-in one, where its rules decide nothing; noted when it first does. */
  byPolicy: TableVerdict | undefined
  readonly prepare: () => PreparedRules
  prepared: PreparedRules | undefined
}

/** A ruleset, ready to run. */
export interface PreparedRuleset {
  readonly family: Family
  readonly builtIn: Readonly<Record<TableName, Partial<Record<Hook, PreparedChain>>>>
}

const preparedOf = { legacy: new WeakMap<Ruleset, PreparedRuleset>(), nft: new WeakMap<Ruleset, PreparedRuleset>() }

/** Returns the prepared form of a ruleset as a backend loads it, made once. */
export function prepareRuleset(ruleset: Ruleset, backend: Backend): PreparedRuleset {
  const known = preparedOf[backend].get(ruleset)
  if (known) return known
  const builtIn: Record<TableName, Partial<Record<Hook, PreparedChain>>> = { raw: {}, mangle: {}, nat: {}, filter: {}, security: {} }
  for (const table of ruleset.tables) {
    const chains = new Map<string, PreparedChain>()
    for (const chain of table.chains) {
      const prepared = prepareChain(chain, { family: ruleset.family, backend, chains })
      chains.set(chain.name, prepared)
      if (chain.hook) builtIn[table.name][chain.hook] = prepared
    }
  }
  const prepared = { family: ruleset.family, builtIn }
  preparedOf[backend].set(ruleset, prepared)
  return prepared
}

/** Returns the rules of a chain. */
export function rulesOf(chain: PreparedChain): PreparedRules {
  chain.prepared ??= chain.prepare()
  return chain.prepared
}

/** Returns a rule of a chain by its 0-based index, undefined behind the last. */
export function preparedAt({ rules, prepareAt }: PreparedRules, index: number): PreparedRule | undefined {
  return rules[index] ?? (index < rules.length ? (rules[index] = prepareAt(index)) : undefined)
}

/** What the rules of a table are prepared with. */
interface Surroundings {
  readonly family: Family
  readonly backend: Backend
  readonly chains: ReadonlyMap<string, PreparedChain>
}

function prepareChain(chain: Chain, around: Surroundings): PreparedChain {
  const prepare = (): PreparedRules => {
    const count = chain.digest?.ruleCount ?? chain.rules.length
    const ruleAt = (index: number): Rule => {
      const rule = chain.digest?.ruleAt(index) ?? chain.rules[index]
      invariant(rule, 'a chain has the rules that it counts')
      return rule
    }
    const index = indexRules(count, place => leadingOf(matchesOf(ruleAt(place), around)))
    const prepareAt = (place: number): PreparedRule => prepareRule(chain, ruleAt(place), place + 1, around)
    return { rules: index ? new Array<PreparedRule | undefined>(count) : Array.from({ length: count }, (_, place) => prepareAt(place)), prepareAt, index }
  }
  const ofPolicy: PathStep = { table: chain.table, chain: chain.name, number: 'policy' }
  return { chain, ofPolicy, byPolicy: undefined, prepare, prepared: undefined }
}

function matchesOf(rule: Rule, { family, backend }: Surroundings): readonly PreparedMatch[] {
  return rule.matches.map((use): PreparedMatch => ({ use, predicate: predicateOf(use, family, backend), memory: memoryOf(use, family), isNativeInNft: isNativeInNft(use, family) }))
}

/** What the leading matches that fields alone decide mean together. */
function leadingOf(matches: readonly PreparedMatch[]): Predicate {
  return all(matches.slice(0, decidedIn(matches)).map(match => match.predicate))
}

/** How many of the leading matches fields alone decide. */
function decidedIn(matches: readonly PreparedMatch[]): number {
  const free = matches.findIndex(match => match.memory !== undefined || !isDecidedByFields(match.predicate))
  return free === -1 ? matches.length : free
}

function prepareRule(chain: Chain, rule: Rule, number: number, around: Surroundings): PreparedRule {
  const matches = matchesOf(rule, around)
  const { target } = rule
  return {
    rule,
    number,
    step: { table: chain.table, chain: chain.name, number },
    matches,
    first: testOf(leadingOf(matches)),
    others: matches.slice(decidedIn(matches)),
    effects: target?.kind === 'target' ? effectsOf(target, around.family) : [],
    jump: target && target.kind !== 'target' ? { kind: target.kind, to: chainNamed(around.chains, target.chain) } : undefined,
    lastPlace: undefined,
  }
}

function chainNamed(chains: ReadonlyMap<string, PreparedChain>, name: string): PreparedChain {
  const to = chains.get(name)
  invariant(to, 'the reader lets no jump to a missing chain through')
  return to
}
