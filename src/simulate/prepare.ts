/** A ruleset prepared for running: chains joined, meanings looked up once. It holds no state and serves any number of worlds. */

import { invariant } from '../diagnostics/diagnostic.ts'
import type { MatchDefinition } from '../extensions/extension.ts'
import { effectsOf, memoryOf, predicateOf } from '../extensions/meaning-of.ts'
import type { Backend, Hook, TableName } from '../ir/hooks.ts'
import type { Chain, MatchUse, Rule, Ruleset } from '../ir/ruleset.ts'
import type { Effect } from '../meaning/effect.ts'
import type { Predicate } from '../meaning/predicate.ts'
import type { Family } from '../net/address.ts'

/** One match of a rule. */
export interface PreparedMatch {
  readonly use: MatchUse
  readonly predicate: Predicate
  readonly memory: MatchDefinition['memory']
}

/** One rule, ready to run. */
export interface PreparedRule {
  readonly rule: Rule
  /** 1-based. */
  readonly number: number
  readonly matches: readonly PreparedMatch[]
  readonly effects: readonly Effect[]
  readonly jump: { readonly kind: 'jump' | 'goto'; readonly to: PreparedChain } | undefined
}

/** One chain, ready to run. */
export interface PreparedChain {
  readonly chain: Chain
  readonly rules: readonly PreparedRule[]
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
    const chains = new Map<string, { chain: Chain; rules: PreparedRule[] }>(table.chains.map(chain => [chain.name, { chain, rules: [] }]))
    for (const prepared of chains.values()) {
      for (const [index, rule] of prepared.chain.rules.entries()) prepared.rules.push(prepareRule(rule, index + 1, { family: ruleset.family, backend }, chains))
      if (prepared.chain.hook) builtIn[table.name][prepared.chain.hook] = prepared
    }
  }
  const prepared = { family: ruleset.family, builtIn }
  preparedOf[backend].set(ruleset, prepared)
  return prepared
}

function prepareRule(rule: Rule, number: number, { family, backend }: { readonly family: Family; readonly backend: Backend }, chains: ReadonlyMap<string, PreparedChain>): PreparedRule {
  const matches = rule.matches.map(use => ({ use, predicate: predicateOf(use, family, backend), memory: memoryOf(use, family) }))
  const { target } = rule
  if (!target) return { rule, number, matches, effects: [], jump: undefined }
  if (target.kind === 'target') return { rule, number, matches, effects: effectsOf(target, family), jump: undefined }
  const to = chains.get(target.chain)
  invariant(to, 'the reader lets no jump to a missing chain through')
  return { rule, number, matches, effects: [], jump: { kind: target.kind, to } }
}
