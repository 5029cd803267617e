/** From the rules that are loaded to those of a policy: the smallest text for `iptables-restore --noflush`. What is not the policy's own stays. */

import { TABLE_HOOKS, TABLES } from '../ir/hooks.ts'
import type { TableName } from '../ir/hooks.ts'
import { tableNamed } from '../ir/ruleset.ts'
import type { Chain, Rule, Ruleset } from '../ir/ruleset.ts'
import type { Family } from '../net/address.ts'
import { writeRule } from '../save/write-rule.ts'
import { DOCKER_CHAIN, PREFIX, ruleInWords } from './compiled.ts'
import type { CompiledHook, CompiledRules } from './compiled.ts'
import { lineEdits } from './line-edits.ts'
import { writeRestore } from './write-restore.ts'

/** A plan. `text` is empty where nothing is to be done. */
export interface Plan {
  readonly family: Family
  readonly text: string
  /** Lines that change something, without `*table` and COMMIT. */
  readonly changes: number
  /** Chains of others into which hooks go that the live rules do not have. */
  readonly missing: readonly { readonly table: TableName; readonly chain: string }[]
}

/** Returns how to get from the live rules to those of a policy that has chains of its own. */
export function planChanges(rules: CompiledRules, live: Ruleset): Plan {
  if (rules.managesAll) return planWhole(rules, live)
  const tables = TABLES.map(table => ({ table, lines: planTable(rules, live, table) })).filter(({ lines }) => lines.length > 0)
  const text = tables.map(({ table, lines }) => [`*${table}`, ...lines, 'COMMIT', ''].join('\n')).join('')
  const missing = rules.hooks.filter(({ table, chain }) => !isThere(live, table, chain)).map(({ table, chain }) => ({ table, chain }))
  return {
    family: rules.family, text, changes: tables.reduce((sum, { lines }) => sum + lines.length, 0),
    missing: missing.filter((one, index) => missing.findIndex(other => other.table === one.table && other.chain === one.chain) === index),
  }
}

/** Whole tables are loaded again where anything in them differs. */
function planWhole(rules: CompiledRules, live: Ruleset): Plan {
  const text = writeRestore(rules)
  const isSame = live.tables.every(({ name, chains }) => chains.every(chain => {
    const wanted = rules.chains.find(one => one.table === name && one.name === chain.name)
    const policy = chain.hook !== undefined && name === 'filter' ? (rules.policies[chain.hook] ?? 'ACCEPT') : chain.hook === undefined ? '-' : 'ACCEPT'
    const isKnown = wanted !== undefined || chain.hook !== undefined || !rules.chains.some(one => one.table === name)
    return isKnown && chain.policy === policy && linesOf(chain.rules, rules.family) === (wanted?.rules ?? []).map(ruleInWords).join('\n')
  })) && rules.chains.every(({ table, name }) => tableNamed(live, table)?.chainByName.has(name) ?? false)
  return { family: rules.family, text: isSame ? '' : text, changes: isSame ? 0 : text.split('\n').filter(line => /^[:-]/.test(line)).length, missing: [] }
}

function linesOf(rules: readonly Rule[], family: Family): string {
  return rules.map(rule => writeRule(rule, family)).join('\n')
}

function isThere(live: Ruleset, table: TableName, chain: string): boolean {
  return chain === DOCKER_CHAIN || TABLE_HOOKS[table].some(hook => hook === chain) || (tableNamed(live, table)?.chainByName.has(chain) ?? false)
}

/** Chains are made or changed before the hooks that lead to them, and go after their hooks have gone. */
function planTable(rules: CompiledRules, live: Ruleset, table: TableName): readonly string[] {
  const chains = [...(tableNamed(live, table)?.chains ?? [])]
  const wanted = rules.chains.filter(chain => chain.table === table)
  const obsolete = chains.filter(chain => isOwn(chain.name) && !wanted.some(({ name }) => name === chain.name))
  const made: string[] = []
  const filled: string[] = []
  for (const chain of wanted) {
    const lines = chain.rules.map(ruleInWords)
    const old = chains.find(({ name }) => name === chain.name)
    const change = old ? editChain(old, lines, rules.family) : undefined
    if (change) filled.push(...change)
    else {
      made.push(`:${chain.name} - [0:0]`)
      filled.push(...lines.map(line => `-A ${chain.name} ${line}`))
    }
  }
  const hooks = [...makeRoom(rules, chains, table), ...planHooks(rules, chains, table)]
  return [...made, ...filled, ...hooks, ...obsolete.map(({ name }) => `-F ${name}`), ...obsolete.map(({ name }) => `-X ${name}`)]
}

function isOwn(name: string): boolean {
  return name.startsWith(PREFIX)
}

/** Returns single edits where they are fewer lines than to write the chain anew; undefined where they are not. */
function editChain(old: Chain, wanted: readonly string[], family: Family): readonly string[] | undefined {
  const edits = lineEdits(old.rules.map(rule => writeRule(rule, family)), wanted, wanted.length + 1)
  if (!edits) return undefined
  const lines: string[] = []
  let number = 1
  for (let index = 0; index < edits.length; index++) {
    const edit = edits[index]
    const next = edits[index + 1]
    if (edit?.kind === 'keep') number++
    else if (edit?.kind === 'delete' && next?.kind === 'insert') {
      lines.push(`-R ${old.name} ${number++} ${next.line}`)
      index++
    } else if (edit?.kind === 'delete') lines.push(`-D ${old.name} ${number}`)
    else if (edit) lines.push(`-I ${old.name} ${number++} ${edit.line}`)
  }
  return lines.length < wanted.length + 1 ? lines : undefined
}

/** Docker takes its chain as it finds it, and puts the jump there on top when it starts. */
function makeRoom({ hooks }: CompiledRules, chains: readonly Chain[], table: TableName): readonly string[] {
  const isNeeded = table === 'filter' && hooks.some(hook => hook.chain === DOCKER_CHAIN) && !chains.some(({ name }) => name === DOCKER_CHAIN)
  return isNeeded ? [`:${DOCKER_CHAIN} - [0:0]`, `-I FORWARD 1 -j ${DOCKER_CHAIN}`] : []
}

/** Hooks that are there stay where they are, doubles and those of earlier policies go. */
function planHooks({ hooks, family }: CompiledRules, chains: readonly Chain[], table: TableName): readonly string[] {
  const open = hooks.filter(hook => hook.table === table).map(hook => ({ hook, line: ruleInWords(hook.rule), isThere: false }))
  const lines: string[] = []
  for (const chain of chains.filter(({ name }) => !isOwn(name))) {
    for (const rule of chain.rules.filter(isHook)) {
      const text = writeRule(rule, family)
      const match = open.find(one => one.hook.chain === chain.name && one.line === text && !one.isThere)
      if (match) match.isThere = true
      else lines.push(`-D ${chain.name} ${text}`)
    }
  }
  return [...open.filter(({ isThere }) => !isThere).map(({ hook, line }) => hookLine(hook, line)), ...lines]
}

function hookLine({ chain, place }: CompiledHook, line: string): string {
  return place === 'first' ? `-I ${chain} 1 ${line}` : `-A ${chain} ${line}`
}

/** Rules in chains of others are the policy's where they lead into its chains. */
function isHook({ target }: Rule): boolean {
  return target !== undefined && target.kind !== 'target' && isOwn(target.chain)
}
