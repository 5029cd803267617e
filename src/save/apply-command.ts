/** One command on a table draft. */

import { writeRule } from './write-rule.ts'
import { assertNever } from '../diagnostics/diagnostic.ts'
import type { Backend } from '../ir/hooks.ts'
import type { Counters, Rule } from '../ir/ruleset.ts'
import type { Command } from './commands.ts'
import { addChain, deleteChain, findChain, setPolicy } from './restore-changes.ts'
import { appendRule, emptyChain, settle } from './chain-draft.ts'
import type { ChainDraft } from './chain-draft.ts'
import type { KnownLine } from './learn-line.ts'
import type { TableDraft } from './restore-changes.ts'
import type { Complain } from './rule-line.ts'
import type { Span } from '../diagnostics/source-file.ts'
import type { Family } from '../net/address.ts'

/** The line that a command stands on. */
export interface CommandLine {
  readonly span: Span
  readonly family: Family
  readonly backend: Backend
  readonly complain: Complain
  /** What `-c` gives. */
  readonly counters: Counters | undefined
  /** What the line of an appended rule is known by. */
  readonly known: KnownLine | undefined
}

/** Does what a command says; `rules` are the rules that its line makes, for the commands that have one. Returns whether it
 * could be done; what is refused is told to `complain`. */
export function applyCommand(table: TableDraft, command: Command, rules: readonly Rule[], line: CommandLine): boolean {
  const { complain } = line
  switch (command.kind) {
    case 'newChain':
      return addChain(table, command.chain, line.span, complain, 1) !== undefined
    case 'deleteChain':
      deleteChain(table, command.chain, complain, 1)
      return true
    case 'help':
      return true
    case 'zero':
    case 'flush':
      // Kernel: iptables-nft-restore forgets a `-F` without a chain.
      if (command.kind === 'flush' && command.chain === undefined && line.backend === 'nft') return true
      return onChains(table, command.chain, complain, chain => (command.kind === 'flush' ? flush(chain) : zero(chain)))
    case 'list':
    case 'check':
      return true
    default:
      return onOneChain(table, command, rules, line)
  }
}

type OneChainCommand = Exclude<Command, { kind: 'newChain' | 'deleteChain' | 'flush' | 'zero' | 'list' | 'check' | 'help' }>

function onOneChain(table: TableDraft, command: OneChainCommand, rules: readonly Rule[], line: CommandLine): boolean {
  const { complain } = line
  const chain = findChain(table, command.chain, complain, 1)
  if (!chain) return false
  switch (command.kind) {
    case 'append':
      for (const rule of rules) appendRule(chain, rule, line.known)
      return true
    case 'insert':
      return withNumber(chain, command.number, 1, complain, at => {
        // Kernel: several rules of one `-I` come in reverse order, each is put before the last.
        settle(chain).splice(at, 0, ...rules.toReversed())
      })
    case 'replace':
      return withNumber(chain, command.number, 0, complain, at => settle(chain).splice(at, 1, ...rules))
    case 'deleteNumber':
      return withNumber(chain, command.number, 0, complain, at => settle(chain).splice(at, 1))
    case 'deleteRule':
      return deleteRules(chain, rules, line)
    case 'policy':
      if (!setPolicy(chain, command.policy, complain, 2)) return false
      chain.span = line.span
      if (line.backend === 'legacy') chain.counters = line.counters
      return true
    case 'rename':
      return rename(table, chain, command.newName, line)
    default:
      return assertNever(command)
  }
}

/** Runs `edit` with the 0-based place of a 1-based rule number; refuses one that is too big. */
function withNumber(chain: ChainDraft, number: number, beyond: number, complain: Complain, edit: (at: number) => void): boolean {
  const { length } = settle(chain)
  if (number > length + beyond) {
    complain('rule-number', 2, `chain \`${chain.name}\` has ${length} rules: there is no place ${number}`)
    return false
  }
  edit(number - 1)
  return true
}

function deleteRules(chain: ChainDraft, rules: readonly Rule[], line: CommandLine): boolean {
  for (const rule of rules) {
    const text = writeRule(rule, line.family)
    const at = settle(chain).findIndex(other => writeRule(other, line.family) === text)
    if (at === -1) {
      line.complain('rule-number', -1, `there is no such rule in chain \`${chain.name}\` of table ${chain.table}`)
      return false
    }
    settle(chain).splice(at, 1)
  }
  return true
}

function rename(table: TableDraft, chain: ChainDraft, newName: string, { complain, span }: CommandLine): boolean {
  if (chain.hook !== undefined) {
    complain('chain-in-use', 1, `built-in chain \`${chain.name}\` cannot be renamed`)
    return false
  }
  const renamed = addChain(table, newName, chain.span ?? span, complain, 2)
  if (!renamed) return false
  renamed.rules = settle(chain)
  table.chains.delete(chain.name)
  for (const other of table.chains.values()) {
    for (const rule of settle(other)) if (rule.target && rule.target.kind !== 'target' && rule.target.chain === chain.name) rule.target = { ...rule.target, chain: newName }
  }
  return true
}

function onChains(table: TableDraft, name: string | undefined, complain: Complain, edit: (chain: ChainDraft) => void): boolean {
  const chains = name === undefined ? [...table.chains.values()] : [findChain(table, name, complain, 1)]
  for (const chain of chains) {
    if (!chain) return false
    edit(chain)
  }
  return true
}

function flush(chain: ChainDraft): void {
  emptyChain(chain)
}

function zero(chain: ChainDraft): void {
  chain.counters = undefined
  for (const rule of settle(chain)) rule.counters = undefined
}
