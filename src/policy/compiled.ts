/** What a policy becomes for one family: chains of its own, hooks that lead to them, and ipsets. */

import type { Hook, TableName } from '../ir/hooks.ts'
import type { ChainPolicy } from '../ir/ruleset.ts'
import type { Span } from '../diagnostics/source-file.ts'
import type { Family, Prefix } from '../net/address.ts'
import { writeHead } from './head-words.ts'
import type { Head } from './head-words.ts'

/** A rule, and the sentence that it comes from. A long policy makes so many that they are put into words only where they are written. */
export interface CompiledRule {
  readonly head: Head
  /** What it asks besides, in words. */
  readonly guards: readonly string[]
  /** Where it comes from and why: the rules of a sentence share it. */
  readonly comment: string
  readonly target: string
  readonly span: Span
}

/** Returns the rule as iptables-save prints it, without `-A CHAIN`. */
export function ruleInWords({ head, guards, comment, target }: CompiledRule): string {
  return `${writeHead(head, guards)}${comment} ${target}`
}

/** A chain of the policy's own; with `option manage = all` also a built-in one. */
export interface CompiledChain {
  readonly table: TableName
  readonly name: string
  readonly rules: CompiledRule[]
}

/** A rule in a chain of others that leads into one of the policy's own. */
export interface CompiledHook {
  readonly table: TableName
  readonly chain: string
  readonly place: 'first' | 'last'
  readonly rule: CompiledRule
}

/** A set of prefixes. */
export interface CompiledIpset {
  readonly name: string
  readonly family: Family
  readonly prefixes: readonly Prefix[]
  /** Where the list is written. */
  readonly place: string
}

/** The rules of one family. `policies` are those of the built-in chains where whole tables are managed. */
export interface CompiledRules {
  readonly family: Family
  readonly chains: readonly CompiledChain[]
  readonly hooks: readonly CompiledHook[]
  readonly ipsets: readonly CompiledIpset[]
  readonly policies: Readonly<Partial<Record<Hook, ChainPolicy>>>
  readonly managesAll: boolean
}

/** All names of the policy's own chains and ipsets begin with it. */
export const PREFIX = 'gate-'

/** Characters of the name of a chain. Source: include/uapi/linux/netfilter/x_tables.h XT_EXTENSION_MAXNAMELEN; iptables refuses 29. */
export const CHAIN_NAME_LIMIT = 28

/** The chain in which docker leaves room for rules of others. */
export const DOCKER_CHAIN = 'DOCKER-USER'

/** Returns how many rules there are, hooks included. */
export function countRules({ chains, hooks }: CompiledRules): number {
  return chains.reduce((sum, chain) => sum + chain.rules.length, hooks.length)
}
