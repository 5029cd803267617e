/** One command on a table draft. */

import { writeRule } from './write-rule.ts'
import { assertNever } from '../diagnostics/diagnostic.ts'
import type { Backend } from '../ir/hooks.ts'
import type { Counters, Rule } from '../ir/ruleset.ts'
import type { Command } from './commands.ts'
import { addChain, deleteChain, findChain, isVerdictName, setPolicy } from './restore-changes.ts'
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
  /** It is a line of iptables-restore's format, not of a script. */
  readonly inRestore: boolean
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
      // In a script `-L CHAIN` and `-C CHAIN ...` ask, and what follows depends on the answer.
      return !line.inRestore || command.chain === undefined || findChain(table, command.chain, complain, 1) !== undefined
    case 'check':
      return !line.inRestore || hasRules(table, command.chain, rules, line)
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
    case 'zeroRule':
      return zeroRule(chain, command.number, line)
    case 'replace':
      sayCrash(line, 'a rule is replaced')
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

function sayCrash({ inRestore, complain }: CommandLine, what: string): void {
  if (inRestore) complain('rule-number', 2, `iptables-nft-restore 1.8.9 crashes where ${what} in the text that makes it`, { backend: 'nft' })
}

function sayNoPlace(chain: ChainDraft, number: number, complain: Complain, where: { readonly backend?: Backend } = {}): void {
  complain('rule-number', 2, `chain \`${chain.name}\` has ${settle(chain).length} rules: there is no place ${number}`, where)
}

/** Runs `edit` with the 0-based place of a 1-based rule number; refuses one that is too big. */
function withNumber(chain: ChainDraft, number: number, beyond: number, complain: Complain, edit: (at: number) => void): boolean {
  const { length } = settle(chain)
  if (number > length + beyond) {
    sayNoPlace(chain, number, complain)
    return false
  }
  edit(number - 1)
  return true
}

function hasRules(table: TableDraft, name: string, rules: readonly Rule[], line: CommandLine): boolean {
  const chain = findChain(table, name, line.complain, 1)
  return chain !== undefined && rules.every(rule => placeOf(chain, rule, line) !== undefined)
}

function zeroRule(chain: ChainDraft, number: number, line: CommandLine): boolean {
  const rules = settle(chain)
  const rule = rules[number - 1]
  if (rule) {
    sayCrash(line, 'the counters of one rule are set to zero')
    rule.counters = undefined
  } else sayNoPlace(chain, number, line.complain, { backend: 'legacy' })
  return rule !== undefined
}

function deleteRules(chain: ChainDraft, rules: readonly Rule[], line: CommandLine): boolean {
  for (const rule of rules) {
    const at = placeOf(chain, rule, line)
    if (at === undefined) return false
    settle(chain).splice(at, 1)
  }
  return true
}

/** Returns where the first rule stands that is the same; refuses one that is nowhere. */
function placeOf(chain: ChainDraft, rule: Rule, { family, complain }: CommandLine): number | undefined {
  const text = writeRule(rule, family)
  const at = settle(chain).findIndex(other => writeRule(other, family) === text)
  if (at === -1) complain('rule-number', -1, `there is no such rule in chain \`${chain.name}\` of table ${chain.table}`)
  return at === -1 ? undefined : at
}

/** Kernel: iptables-nft-restore cannot rename a chain that it makes in the same load. */
function rename(table: TableDraft, chain: ChainDraft, newName: string, { complain, span, inRestore }: CommandLine): boolean {
  if (inRestore) complain('chain-in-use', 1, `chain \`${chain.name}\` cannot be renamed in the text that makes it`, { backend: 'nft' })
  if (chain.hook !== undefined) {
    complain('chain-in-use', 1, `built-in chain \`${chain.name}\` cannot be renamed`)
    return false
  }
  const renamed = addChain(table, newName, chain.span ?? span, complain, 2, isVerdictName)
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
