/** A ruleset that is being written: applies an engine's steps, and gives the text that iptables-save would print, with the reason of every line. */

import { TABLE_HOOKS, isBuiltInChain } from '../ir/hooks.ts'
import type { TableName } from '../ir/hooks.ts'
import type { ChainPolicy, Counters, Ruleset } from '../ir/ruleset.ts'
import type { Family } from '../net/address.ts'
import { writeCounters } from '../save/counters.ts'
import { writeRule } from '../save/write-rule.ts'
import type { RuleStep, Step } from './step.ts'

/** One rule of a draft. `step` is absent for a rule that was there before. */
export interface DraftRule {
  readonly text: string
  readonly step: RuleStep | undefined
}

interface DraftChain {
  policy: ChainPolicy
  /** Why the engine set the policy. */
  policyReason: string | undefined
  readonly counters: Counters | undefined
  rules: DraftRule[]
  /** The texts of the rules: "is it there already?" is asked for each new one. */
  readonly texts: Set<string>
}

/** Chains by name within tables. */
export interface RuleBook {
  readonly family: Family
  readonly tables: Map<TableName, Map<string, DraftChain>>
}

/** Returns a book with the rules of a host, or an empty one. */
export function openBook(family: Family, base?: Ruleset): RuleBook {
  const book: RuleBook = { family, tables: new Map() }
  for (const table of base?.tables ?? []) {
    for (const chain of table.chains) {
      const rules = chain.rules.map(rule => ({ text: writeRule(rule, family), step: undefined }))
      tableOf(book, table.name).set(chain.name, { policy: chain.policy, policyReason: undefined, counters: chain.counters, rules, texts: new Set(rules.map(rule => rule.text)) })
    }
  }
  return book
}

/** Adds an empty table where it is absent. */
export function addTable(book: RuleBook, name: TableName): void {
  void tableOf(book, name)
}

/** Does one step. */
export function applyStep(book: RuleBook, step: Step): void {
  if (step.kind === 'chain') void chainOf(book, step.table, step.chain)
  else if (step.kind === 'flush') flushRules(chainOf(book, step.table, step.chain))
  else if (step.kind === 'remove') removeRule(book, step)
  else if (step.kind === 'removeChain') removeChain(book, step.table, step.chain)
  else if (step.kind === 'policy') setPolicy(chainOf(book, step.table, step.chain), step)
  else writeStep(chainOf(book, step.table, step.chain), step, book.family)
}

function removeRule(book: RuleBook, { table, chain: name, matches, target }: Extract<Step, { kind: 'remove' }>): void {
  const chain = book.tables.get(table)?.get(name)
  const text = chain && writeRule({ matches, target }, book.family)
  if (!chain || text === undefined || !chain.texts.delete(text)) return
  chain.rules.splice(chain.rules.findIndex(rule => rule.text === text), 1)
}

/** The kernel keeps a chain that a rule leads to. */
function removeChain(book: RuleBook, table: TableName, name: string): void {
  const chains = book.tables.get(table)
  const chain = chains?.get(name)
  if (!chains || !chain) return
  flushRules(chain)
  const isUsed = [...chains.values()].some(other => other.rules.some(({ text }) => text.endsWith(`-j ${name}`) || text.endsWith(`-g ${name}`)))
  if (!isUsed) chains.delete(name)
}

function flushRules(chain: DraftChain): void {
  chain.rules = []
  chain.texts.clear()
}

function setPolicy(chain: DraftChain, { policy, reason }: Extract<Step, { kind: 'policy' }>): void {
  chain.policy = policy
  chain.policyReason = reason
}

function writeStep(chain: DraftChain, step: RuleStep, family: Family): void {
  const text = writeRule(step, family)
  if (chain.texts.has(text) && step.place !== 'restore') {
    if (step.place !== 'top') return
    chain.rules.splice(chain.rules.findIndex(rule => rule.text === text), 1)
  }
  chain.texts.add(text)
  if (step.place === 'append' || step.place === 'restore') chain.rules.push({ text, step })
  else chain.rules.unshift({ text, step })
}

function tableOf(book: RuleBook, name: TableName): Map<string, DraftChain> {
  const known = book.tables.get(name)
  if (known) return known
  const table = new Map<string, DraftChain>(TABLE_HOOKS[name].map(hook => [hook, makeDraft('ACCEPT')]))
  book.tables.set(name, table)
  return table
}

function chainOf(book: RuleBook, table: TableName, name: string): DraftChain {
  const chains = tableOf(book, table)
  const known = chains.get(name)
  if (known) return known
  const chain = makeDraft(isBuiltInChain(table, name) ? 'ACCEPT' : '-')
  chains.set(name, chain)
  return chain
}

function makeDraft(policy: ChainPolicy): DraftChain {
  return { policy, policyReason: undefined, counters: undefined, rules: [], texts: new Set() }
}

/** One line of the text: a rule has its step where an engine wrote it, a built-in chain the reason of a policy that an engine set. */
export interface BookLine {
  readonly text: string
  readonly table: TableName
  readonly chain?: string
  readonly step?: RuleStep
  readonly policyReason?: string
}

/** The order in which packets meet the tables. */
const TABLE_ORDER: readonly TableName[] = ['raw', 'mangle', 'nat', 'filter', 'security']

/** Returns the lines that iptables-save would print; tables in which nothing was ever written are left out. */
export function bookLines(book: RuleBook): readonly BookLine[] {
  return TABLE_ORDER.flatMap(table => {
    const chains = book.tables.get(table)
    return chains ? tableLines(table, chains) : []
  })
}

function tableLines(table: TableName, chains: ReadonlyMap<string, DraftChain>): readonly BookLine[] {
  const builtIn: readonly string[] = TABLE_HOOKS[table]
  const names = [...builtIn, ...[...chains.keys()].filter(name => !builtIn.includes(name)).sort(byBytes)]
  const lines: BookLine[] = [{ text: `*${table}`, table }]
  for (const name of names) {
    const chain = chains.get(name)
    lines.push({ text: `:${name} ${chain?.policy ?? 'ACCEPT'} ${writeCounters(chain?.policy === '-' ? undefined : chain?.counters)}`, table, chain: name, ...(chain?.policyReason === undefined ? {} : { policyReason: chain.policyReason }) })
  }
  for (const name of names) {
    for (const { text, step } of chains.get(name)?.rules ?? []) lines.push({ text: text === '' ? `-A ${name}` : `-A ${name} ${text}`, table, chain: name, ...(step ? { step } : {}) })
  }
  lines.push({ text: 'COMMIT', table })
  return lines
}

/** Returns the text of lines; empty where there are none. */
export function textOfLines(lines: readonly BookLine[]): string {
  return lines.map(({ text }) => `${text}\n`).join('')
}

function byBytes(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}
