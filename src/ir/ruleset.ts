/** The one representation of a ruleset that everything after the readers works on: readonly plain data. */

import type { Span } from '../diagnostics/source-file.ts'
import type { Family } from '../net/address.ts'
import type { Hook, TableName } from './hooks.ts'

/** Packets and bytes, as `[12:3456]` says them; bigint because kernel counters have 64 bits. */
export interface Counters {
  readonly packets: bigint
  readonly bytes: bigint
}

/** One option given in a match or target: its value as its row's type read it, and whether `!` stood before it. */
export interface OptionUse {
  readonly value: unknown
  readonly inverted: boolean
}

/** All options given in one use, by the name of their row. */
export type Infos = Readonly<Record<string, OptionUse>>

/**
 * A use of a match. Equal uses are one shared object within a ruleset. The options of ip itself (`-s -d -i -o -p -f`) are the
 * match named `ip`, which stands first where present. `words` are the unread words of an extension that is not known.
 */
export interface MatchUse {
  readonly name: string
  readonly infos: Infos
  readonly words?: readonly string[]
}

/** A use of a target: a jump or goto to a user chain, or an extension (ACCEPT and its kin among them). */
export type TargetUse =
  | { readonly kind: 'jump' | 'goto'; readonly chain: string }
  | { readonly kind: 'target'; readonly name: string; readonly infos: Infos; readonly words?: readonly string[] }

/** A dense number: the rule's place among all rules of its ruleset, in the order of tables, chains and rules. */
export type RuleId = number

/** One rule. `target` is absent where the rule only counts. */
export interface Rule {
  readonly id: RuleId
  readonly matches: readonly MatchUse[]
  readonly target: TargetUse | undefined
  readonly counters: Counters | undefined
  /** Where it was read: one line, without its line end. */
  readonly span: Span
}

/** A dense number: the chain's place among all chains of its ruleset. */
export type ChainId = number

/** A chain. Built-in ones have the name of their hook and a chain policy; where the policy is a user chain's it is '-'. */
export interface Chain {
  readonly id: ChainId
  readonly table: TableName
  readonly name: string
  readonly hook: Hook | undefined
  readonly policy: ChainPolicy
  readonly counters: Counters | undefined
  /** The reader makes them when they are first asked for. */
  readonly rules: readonly Rule[]
  /** What is known of the rules without making them; absent where they are made. */
  readonly digest?: ChainDigest
  /** Where it was declared; absent for a built-in chain that the text leaves out. */
  readonly span: Span | undefined
}

/** What is known of a chain's rules without having them: enough to tell that nothing is wrong with any of them. */
export interface ChainDigest {
  readonly ruleCount: number
  /** The kinds of rules, in the order of their first rules. */
  readonly kinds: readonly RuleKind[]
  /** The jumps and gotos, in rule order. */
  readonly jumps: readonly ChainJump[]
  /** A number of every rule: rules that say the same have equal ones, other rules hardly ever. Undefined where some are not known. */
  readonly marks: readonly number[] | undefined
  /** Returns the rule of a 0-based index. */
  readonly ruleAt: (index: number) => Rule | undefined
}

/** Rules of a chain that differ only in values that no check looks at: addresses, ports, names of devices and chains, comments. */
export interface RuleKind {
  /** A rule of this kind, perhaps of another chain. */
  readonly sample: Rule
  /** Indices of the first and the last rule of the kind in the chain. */
  readonly first: number
  readonly last: number
}

/** A rule that jumps or goes to a user chain: its index in its own chain, and the other's name. */
export interface ChainJump {
  readonly index: number
  readonly chain: string
}

/** The default verdict of a built-in chain; '-' for a user chain. */
export type ChainPolicy = 'ACCEPT' | 'DROP' | '-'

/** A table with all its built-in chains in hook order, then the user chains in the order of their declaration. */
export interface Table {
  readonly name: TableName
  readonly chains: readonly Chain[]
  readonly chainByName: ReadonlyMap<string, Chain>
}

/** A ruleset of one family. Tables stand in the order of their first appearance in the text. */
export interface Ruleset {
  readonly family: Family
  readonly tables: readonly Table[]
  readonly chainCount: number
  readonly ruleCount: number
  /** Something was not read: no analysis may claim to speak of the whole. */
  readonly partial: boolean
}

/** Returns the table of a name, undefined where the ruleset has none. */
export function tableNamed(ruleset: Ruleset, name: TableName): Table | undefined {
  return ruleset.tables.find(table => table.name === name)
}

/** Calls `visit` for every rule with its chain and its 1-based number there. */
export function eachRule(ruleset: Ruleset, visit: (rule: Rule, number: number, chain: Chain, table: Table) => void): void {
  for (const table of ruleset.tables) for (const chain of table.chains) chain.rules.forEach((rule, index) => visit(rule, index + 1, chain, table))
}
