/** The tables while a text is being loaded: what each command of iptables-restore changes, and at the end the IR. */

import type { Complain } from './rule-line.ts'
import type { Span } from '../diagnostics/source-file.ts'
import { isBuiltInChain, TABLE_HOOKS } from '../ir/hooks.ts'
import type { Backend, Hook, TableName } from '../ir/hooks.ts'
import type { Chain, ChainPolicy, Counters, Ruleset, Table } from '../ir/ruleset.ts'
import type { Family } from '../net/address.ts'
import { emptyChain, finishChain, settle } from './chain-draft.ts'
import type { ChainDraft } from './chain-draft.ts'
import { didYouMean } from '../extensions/did-you-mean.ts'
import { targetNames } from '../extensions/registry.ts'

/** A table that can still change. */
export interface TableDraft {
  readonly name: TableName
  readonly chains: Map<string, ChainDraft>
}

/** The longest chain name in bytes. Source: XT_EXTENSION_MAXNAMELEN - 1. */
export const CHAIN_NAME_LIMIT = 28

/** Returns an empty table: its built-in chains with policy ACCEPT. */
export function makeTable(name: TableName): TableDraft {
  const chains = new Map<string, ChainDraft>()
  for (const hook of TABLE_HOOKS[name]) chains.set(hook, makeChain(name, hook, hook, undefined))
  return { name, chains }
}

/** Returns a copy that later changes leave alone. */
export function copyTable({ name, chains }: TableDraft): TableDraft {
  return { name, chains: new Map([...chains].map(([key, chain]) => [key, { ...chain }])) }
}

/** Empties a table as iptables-restore does at `*table`: rules and user chains go. Kernel: chain policies stay on legacy only. */
export function flushTable(table: TableDraft, backend: Backend): void {
  for (const [name, chain] of table.chains) {
    if (chain.hook === undefined) table.chains.delete(name)
    else {
      emptyChain(chain)
      if (backend === 'nft') chain.policy = 'ACCEPT'
    }
  }
}

/** Adds a user chain as `-N` does; refuses a name that is taken, too long, like an option or a target's. Kernel: `-E` looks at the names of verdicts only. */
export function addChain(table: TableDraft, name: string, span: Span, complain: Complain, word: number, isReserved = isTargetName): ChainDraft | undefined {
  const problem = lengthProblem(name) ?? beginningProblem(name) ?? (isReserved(name) ? targetProblem(name) : undefined)
  if (problem === undefined) return declare(table, name, span, complain, word)
  complain('chain-name', word, problem)
  return undefined
}

/**
 * Adds the user chain of a chain line. Kernel: iptables-legacy-restore takes names that look like options, both take those of targets but for the
 * four that the kernel knows; iptables-nft-restore empties a chain that exists.
 */
export function declareChain(table: TableDraft, name: string, span: Span, complain: Complain, backend: Backend): ChainDraft | undefined {
  const problem = lengthProblem(name) ?? (isVerdictName(name) ? targetProblem(name) : undefined)
  const oddity = beginningProblem(name)
  if (problem !== undefined) {
    complain('chain-name', 0, problem)
    return undefined
  }
  if (oddity !== undefined) complain('chain-name', 0, oddity, { backend: 'nft' })
  const existing = backend === 'nft' ? table.chains.get(name) : undefined
  if (existing) emptyChain(existing)
  return declare(table, name, span, complain, 0) ?? existing
}

function declare(table: TableDraft, name: string, span: Span, complain: Complain, word: number): ChainDraft | undefined {
  if (table.chains.has(name)) complain('chain-exists', word, `chain \`${name}\` exists already in table ${table.name}`, { backend: 'legacy' })
  else {
    const chain = makeChain(table.name, name, undefined, span)
    table.chains.set(name, chain)
    return chain
  }
  return undefined
}

/** Sets the policy that a chain line gives. Kernel: iptables-nft-restore does not look at it where the chain is a user chain. */
export function declarePolicy(chain: ChainDraft, policy: string, complain: Complain, word: number): void {
  if (chain.hook === undefined) refuseUserPolicy(chain, complain, word, { backend: 'legacy' })
  else setPolicy(chain, policy, complain, word)
}

/** Sets a built-in chain's policy; refuses user chains and other verdicts. */
export function setPolicy(chain: ChainDraft, policy: string, complain: Complain, word: number): boolean {
  if (policy !== 'ACCEPT' && policy !== 'DROP') {
    complain('unknown-policy', word, `\`${policy}\` cannot be a chain policy`, { help: didYouMean(policy, ['ACCEPT', 'DROP']) ?? 'a chain policy is ACCEPT or DROP' })
    return false
  }
  if (chain.hook === undefined) {
    refuseUserPolicy(chain, complain, word)
    return false
  }
  chain.policy = policy
  chain.counters = undefined
  return true
}

function refuseUserPolicy({ name }: ChainDraft, complain: Complain, word: number, where: { readonly backend?: Backend } = {}): void {
  complain('unknown-policy', word, `user chain \`${name}\` cannot have a chain policy`, { help: 'only built-in chains have one: write `-` here and end the chain with a rule', ...where })
}

/** Returns the chain of a name; refuses an unknown one. */
export function findChain(table: TableDraft, name: string, complain: Complain, word: number): ChainDraft | undefined {
  const chain = table.chains.get(name)
  if (!chain) complain('unknown-chain', word, `there is no chain \`${name}\` in table ${table.name}`, { help: unknownChainHelp(table, name) })
  return chain
}

/** Removes a user chain, or with no name all that are not jumped to; refuses what the kernel refuses. */
export function deleteChain(table: TableDraft, name: string | undefined, complain: Complain, word: number): void {
  const used = new Set([...table.chains.values()].flatMap(chain => settle(chain).map(rule => (rule.target && rule.target.kind !== 'target' ? rule.target.chain : ''))))
  if (name === undefined) {
    for (const chain of [...table.chains.values()]) if (chain.hook === undefined && !used.has(chain.name) && chain.rules.length === 0) table.chains.delete(chain.name)
    return
  }
  const chain = findChain(table, name, complain, word)
  if (!chain) return
  if (chain.hook !== undefined) complain('chain-in-use', word, `built-in chain \`${name}\` cannot be deleted`)
  else if (used.has(name)) complain('chain-in-use', word, `chain \`${name}\` is still jumped to`)
  else if (chain.rules.length > 0) complain('chain-in-use', word, `chain \`${name}\` is not empty`, { help: `flush it first: \`-F ${name}\`` })
  else table.chains.delete(name)
}

/** Returns the finished ruleset; chains and rules get their numbers here. */
export function finishRuleset(family: Family, drafts: Iterable<TableDraft>, partial: boolean): Ruleset {
  let chainCount = 0
  let ruleCount = 0
  const tables: Table[] = []
  for (const draft of drafts) {
    const chains: Chain[] = []
    for (const chain of draft.chains.values()) {
      const finished = finishChain(chain, chainCount++, ruleCount)
      ruleCount += finished.ruleCount
      chains.push(finished.chain)
    }
    tables.push({ name: draft.name, chains, chainByName: new Map(chains.map(chain => [chain.name, chain])) })
  }
  return { family, tables, chainCount, ruleCount, partial }
}

function makeChain(table: TableName, name: string, hook: Hook | undefined, span: Span | undefined): ChainDraft {
  const policy: ChainPolicy = hook === undefined ? '-' : 'ACCEPT'
  const counters: Counters | undefined = undefined
  return { id: 0, table, name, hook, policy, counters, rules: [], lines: undefined, span }
}

function lengthProblem(name: string): string | undefined {
  if (name === '') return 'a chain name is empty'
  return name.length > CHAIN_NAME_LIMIT ? `chain name \`${name}\` is longer than ${CHAIN_NAME_LIMIT} characters` : undefined
}

function beginningProblem(name: string): string | undefined {
  return name.startsWith('-') || name.startsWith('!') ? `chain name \`${name}\` begins with \`${name[0]}\`` : undefined
}

const VERDICTS: ReadonlySet<string> = new Set(['ACCEPT', 'DROP', 'RETURN', 'QUEUE'])

/** Tells whether the kernel itself has a verdict of that name. */
export function isVerdictName(name: string): boolean {
  return VERDICTS.has(name)
}

/** `standard` is the program's own name for verdicts and jumps. */
function isTargetName(name: string): boolean {
  return isVerdictName(name) || name === 'standard' || targetNames('ipv4').includes(name) || targetNames('ipv6').includes(name)
}

function targetProblem(name: string): string {
  return `a chain cannot be called \`${name}\`: that is a target`
}

function unknownChainHelp(table: TableDraft, name: string): string | undefined {
  const elsewhere = Object.keys(TABLE_HOOKS).find(other => other !== table.name && isBuiltInChain(other as TableName, name))
  return elsewhere === undefined ? didYouMean(name, [...table.chains.keys()]) : `table ${table.name} has no chain ${name}; table ${elsewhere} has`
}
