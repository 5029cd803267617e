/** What an engine does to a ruleset, one command at a time, each with its reason. */

import type { Hook, TableName } from '../ir/hooks.ts'
import type { MatchUse, TargetUse } from '../ir/ruleset.ts'

/** Whom a rule serves, such as `network shop_front` or `the engine`. */
export type Owner = string

/** A rule to be written. `append` and `insert` only where it is absent; `top` takes it out first, so it ends on top in any case; `restore` at the end in any case. */
export interface RuleStep {
  readonly kind: 'rule'
  readonly place: 'append' | 'insert' | 'top' | 'restore'
  readonly table: TableName
  readonly chain: string
  readonly matches: readonly MatchUse[]
  /** Undefined where the rule does nothing but count. */
  readonly target: TargetUse | undefined
  /** Why: a sentence without its final stop. */
  readonly reason: string
  readonly owner: Owner
}

/** One command: a new chain (kept where it exists), a rule, a removal, or a chain policy. */
export type Step =
  | { readonly kind: 'chain'; readonly table: TableName; readonly chain: string }
  /** The chain is made, or loses all its rules. */
  | { readonly kind: 'flush'; readonly table: TableName; readonly chain: string }
  | RuleStep
  /** Takes a rule out, or all rules of a chain and the chain too, unless rules of others lead there; nothing where there is none. */
  | { readonly kind: 'remove'; readonly table: TableName; readonly chain: string; readonly matches: readonly MatchUse[]; readonly target: TargetUse }
  | { readonly kind: 'removeChain'; readonly table: TableName; readonly chain: string }
  | { readonly kind: 'policy'; readonly table: TableName; readonly chain: Hook; readonly policy: 'ACCEPT' | 'DROP'; readonly reason: string }

/** The engine's own rules belong to nobody else. */
export const ENGINE: Owner = 'the engine'

/** A place for rules. */
export interface ChainPlace {
  readonly table: TableName
  readonly chain: string
}

/** Returns the place of a chain of table filter. */
export function inFilter(chain: string): ChainPlace {
  return { table: 'filter', chain }
}

/** Returns the place of a chain of table nat. */
export function inNat(chain: string): ChainPlace {
  return { table: 'nat', chain }
}

/** Before connection tracking and nat, where the packet still has the destination that it came with. */
export const RAW: ChainPlace = { table: 'raw', chain: 'PREROUTING' }

/** A rule and why it is there. */
export interface RuleWords {
  readonly matches: readonly MatchUse[]
  readonly target: TargetUse | undefined
  readonly reason: string
  readonly owner: Owner
}

/** Makes a chain where it is absent. */
export function makeChain(place: ChainPlace): Step {
  return { kind: 'chain', ...place }
}

/** Makes a chain or takes all its rules out, as a chain's line does in what `iptables-restore --noflush` is given. */
export function flushChain(place: ChainPlace): Step {
  return { kind: 'flush', ...place }
}

/** Takes a rule out where it is. */
export function remove(place: ChainPlace, matches: readonly MatchUse[], target: TargetUse): Step {
  return { kind: 'remove', ...place, matches, target }
}

/** Writes a rule at the end of a chain where it is absent. */
export function append(place: ChainPlace, rule: RuleWords): Step {
  return { kind: 'rule', place: 'append', ...place, ...rule }
}

/** Writes a rule at the beginning of a chain where it is absent. */
export function insert(place: ChainPlace, rule: RuleWords): Step {
  return { kind: 'rule', place: 'insert', ...place, ...rule }
}

/** Writes a rule at the beginning of a chain, and nowhere else. */
export function keepOnTop(place: ChainPlace, rule: RuleWords): Step {
  return { kind: 'rule', place: 'top', ...place, ...rule }
}

/** Writes a rule at the end of a chain, also where it is there already, as iptables-restore does. */
export function restore(place: ChainPlace, rule: RuleWords): Step {
  return { kind: 'rule', place: 'restore', ...place, ...rule }
}
