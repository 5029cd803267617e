/** A ruleset prepared for sets: chains joined, the meaning of each rule looked up once, and a variable of its own for every match with memory. */

import { invariant } from '../diagnostics/diagnostic.ts'
import { effectsOf, memoryOf, predicateOf } from '../extensions/meaning-of.ts'
import { TABLE_HOOKS } from '../ir/hooks.ts'
import type { Backend, Hook, TableName } from '../ir/hooks.ts'
import type { Chain, MatchUse, Rule, Ruleset } from '../ir/ruleset.ts'
import type { Effect } from '../meaning/effect.ts'
import { all, opaque } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import type { Family } from '../net/address.ts'
import { writeRule } from '../save/write-rule.ts'

/** One rule, ready to run. */
export interface PreparedRule {
  readonly rule: Rule
  /** 1-based. */
  readonly number: number
  readonly when: Predicate
  readonly effects: readonly Effect[]
  readonly jump: { readonly kind: 'jump' | 'goto'; readonly to: PreparedChain } | undefined
}

/** One chain, ready to run. */
export interface PreparedChain {
  readonly chain: Chain
  readonly rules: readonly PreparedRule[]
}

/** What stands behind a free variable. */
export interface FreeVariable {
  readonly key: string
  readonly words: string
  /** The rules that ask for it, in the order of the text. */
  readonly rules: readonly Rule[]
  /** How the simulator calls it: it numbers the matches with memory by their rules. */
  readonly decisions: readonly string[]
}

/** A ruleset, ready to run. */
export interface PreparedRuleset {
  readonly ruleset: Ruleset
  readonly builtIn: Readonly<Record<TableName, Partial<Record<Hook, PreparedChain>>>>
  readonly variables: ReadonlyMap<string, FreeVariable>
}

type Growing = Omit<FreeVariable, 'rules' | 'decisions'> & { rules: Rule[]; decisions: string[] }

interface Preparing {
  readonly family: Family
  readonly backend: Backend
  readonly scope: string
  readonly variables: Map<string, Growing>
  /** How often the same rule with memory was met in the table so far. */
  readonly seen: Map<string, number>
}

/** Returns the prepared form of a ruleset as a backend loads it. What rules remember is told apart from that of other hosts by `scope`. */
export function prepareRuleset(ruleset: Ruleset, backend: Backend, scope = ''): PreparedRuleset {
  const builtIn: Record<TableName, Partial<Record<Hook, PreparedChain>>> = { raw: {}, mangle: {}, nat: {}, filter: {}, security: {} }
  const variables = new Map<string, Growing>()
  for (const table of ruleset.tables) {
    const chains = new Map<string, GrowingChain>(table.chains.map(chain => [chain.name, { chain, rules: [] }]))
    const preparing: Preparing = { family: ruleset.family, backend, scope, variables, seen: new Map() }
    const done = new Set<GrowingChain>()
    for (const hook of TABLE_HOOKS[table.name]) {
      const prepared = chains.get(hook)
      if (!prepared) continue
      builtIn[table.name][hook] = prepared
      prepareChain(preparing, prepared, chains, done)
    }
    for (const prepared of chains.values()) prepareChain(preparing, prepared, chains, done)
  }
  return { ruleset, builtIn, variables }
}

/** A chain that is being made ready. */
interface GrowingChain {
  readonly chain: Chain
  readonly rules: PreparedRule[]
}

/** Takes rules in the order in which packets meet them, so that where a chain stands in the text says nothing. */
function prepareChain(preparing: Preparing, first: GrowingChain, chains: ReadonlyMap<string, GrowingChain>, done: Set<GrowingChain>): void {
  const open = [first]
  for (let prepared = open.at(-1); prepared; prepared = open.at(-1)) {
    done.add(prepared)
    const { chain, rules } = prepared
    const rule = chain.rules[rules.length]
    if (!rule) {
      open.pop()
      continue
    }
    rules.push(prepareRule(preparing, chain, rule, rules.length + 1, chains))
    const to = rule.target && rule.target.kind !== 'target' ? chains.get(rule.target.chain) : undefined
    if (to && !done.has(to)) open.push(to)
  }
}

function prepareRule(preparing: Preparing, chain: Chain, rule: Rule, number: number, chains: ReadonlyMap<string, PreparedChain>): PreparedRule {
  const { family } = preparing
  const { target } = rule
  const when = all(rule.matches.map(use => predicateOfUse(preparing, chain, rule, number, use)))
  if (!target) return { rule, number, when, effects: [], jump: undefined }
  if (target.kind === 'target') return { rule, number, when, effects: effectsOf(target, family), jump: undefined }
  const to = chains.get(target.chain)
  invariant(to, 'the reader lets no jump to a missing chain through')
  return { rule, number, when, effects: [], jump: { kind: target.kind, to } }
}

/**
 * A match with memory is a variable of its rule. It is named by the rule's text and how many equal rules packets could meet before it in the
 * table: so the same rule in two versions of a ruleset is taken to do the same, wherever it stands.
 */
function predicateOfUse(preparing: Preparing, chain: Chain, rule: Rule, number: number, use: MatchUse): Predicate {
  const { family, backend, scope, variables, seen } = preparing
  const predicate = predicateOf(use, family, backend)
  if (!memoryOf(use, family) || predicate.kind !== 'opaque') {
    noteVariables(variables, predicate, rule)
    return predicate
  }
  const text = `${scope}${predicate.key} of ${chain.table} ${writeRule(rule, family, backend)}`
  const count = (seen.get(text) ?? 0) + 1
  seen.set(text, count)
  const key = `${text} #${count}`
  variables.set(key, { key, words: predicate.words, rules: [rule], decisions: [`${predicate.key} of rule ${number} in ${chain.name} of ${chain.table}`] })
  return opaque(key, predicate.words)
}

function noteVariables(variables: Map<string, Growing>, predicate: Predicate, rule: Rule): void {
  switch (predicate.kind) {
    case 'opaque':
      note(variables, predicate.key, predicate.words, rule)
      return
    case 'ipset': {
      const key = `ipset ${predicate.name} ${predicate.directions.join(',')}`
      note(variables, key, key, rule)
      return
    }
    case 'not':
      noteVariables(variables, predicate.of, rule)
      return
    case 'all':
    case 'any':
      for (const part of predicate.of) noteVariables(variables, part, rule)
      return
    default:
  }
}

function note(variables: Map<string, Growing>, key: string, words: string, rule: Rule): void {
  const known = variables.get(key)
  if (!known) variables.set(key, { key, words, rules: [rule], decisions: [key] })
  else if (known.rules.at(-1) !== rule) known.rules.push(rule)
}
