/**
 * What an extension is: rows of options, from which the reader, the writer, the refusals, the reference page and all readings of
 * its meaning derive. An extension is one file in matches/ or targets/ and one line in registry.ts.
 */

import type { Backend, Hook, TableName } from '../ir/hooks.ts'
import type { MatchUse } from '../ir/ruleset.ts'
import type { Effect } from '../meaning/effect.ts'
import type { Predicate } from '../meaning/predicate.ts'
import type { Subject, Ternary } from '../meaning/subject.ts'
import type { Family } from '../net/address.ts'

/** What a value was read as, or why it could not be. `change` says what loading would alter without a word. */
export type Reading<T> =
  | { readonly ok: true; readonly value: T; readonly change?: string }
  | { readonly ok: false; readonly problem: string; readonly help?: string }

/** A reading that succeeded. */
export function read<T>(value: T, change?: string): Reading<T> {
  return change === undefined ? { ok: true, value } : { ok: true, value, change }
}

/** A reading that failed; the message is lower case without a final stop, user text in backticks. */
export function refuse(problem: string, help?: string): Reading<never> {
  return help === undefined ? { ok: false, problem } : { ok: false, problem, help }
}

/** Reads and writes the words that follow an option. */
export interface OptionType<T> {
  /** How the reference page shows the words, such as `port[:port]`. */
  readonly syntax: string
  /** How many words follow the option. */
  readonly words: 0 | 1 | 2
  /** They may be left out; what begins with `-` or `!` is none of them. */
  readonly isOptional?: boolean
  read(words: readonly string[], family: Family): Reading<T>
  /** The canonical words, unquoted. */
  write(value: T, family: Family): readonly string[]
  /** Spellings whose values no check looks at and whose meaning is the same for both backends: see plain-values.ts. */
  plain?(family: Family): readonly PlainForm[]
}

/** A spelling of values that can be told by its characters alone. */
export interface PlainForm {
  /** Returns where the value that begins at `at` ends, -1 where it is not so spelled. `end` is where the line ends. */
  readonly scan: (text: string, at: number, end: number) => number
  /** What iptables-save prints after it; nothing where absent. */
  readonly suffix?: string
  /** iptables-save prints all letters in one case. */
  readonly ignoresCase?: boolean
}

/** One option of an extension; rows stand in the order in which iptables-save prints them. */
export interface OptionRow<T> {
  readonly type: OptionType<T>
  readonly doc: string
  /** Where it exists; both where absent. */
  readonly families?: readonly Family[]
  /** `!` may stand before it. */
  readonly invertible?: boolean
  /** The extension is refused without it (or, in a group, without one of them: see `requiresOneOf`). */
  readonly required?: boolean
  /** It may be given more than once ('otherSpelling': in another spelling only): the last wins, unless `merge` joins them. */
  readonly repeatable?: boolean | 'otherSpelling'
  merge?(earlier: OptionUseOf<T>, later: OptionUseOf<T>): OptionUseOf<T>
  /** A comma-separated list makes several rules, one for each value. */
  readonly makesRules?: boolean
  /** Other names of the option, with the same words. */
  readonly aliases?: readonly string[]
  /** Other options that say the same in other words, such as `--syn` for `--tcp-flags`. */
  readonly spellings?: Readonly<Record<string, OptionType<T>>>
  readonly excludes?: readonly string[]
  readonly requires?: readonly string[]
  /** Options before it on the line that it makes the program forget. */
  forgets?(value: T): readonly string[]
  /** Another option that must stand before it on the line. */
  readonly after?: string
  /** Why the words are refused after the `-p` that stands before them on the line (undefined: none): the program asks for it as it reads. */
  afterProtocol?(words: readonly string[], protocol: number | undefined): string | undefined
  /** The value where the option is not given; it is printed. */
  readonly default?: T
  /** iptables-save leaves it out (a default value, say). */
  omitted?(use: OptionUseOf<T>, family: Family): boolean
  /** Prints another text than ` --name words`: the words as they stand on the line. `undefined`: nothing. */
  print?(use: OptionUseOf<T>, family: Family): string | undefined
  /** A match's meaning, never with the inversion: that is applied in one place. */
  means?(value: T, family: Family): Predicate
  /** A target's effects. */
  does?(value: T, family: Family): readonly Effect[]
}

/** An option as given. */
export interface OptionUseOf<T> {
  readonly value: T
  readonly inverted: boolean
}

/** The options given in one use. */
export type InfosOf<V> = { readonly [K in keyof V]?: OptionUseOf<V[K]> }

/** What stands around a use, for refusals that one option cannot decide. */
export interface Surroundings {
  readonly family: Family
  readonly table: TableName
  /** Which program loads the rule: what only one of them refuses is reported for that one. */
  readonly backend: Backend
  /** The hooks that the kernel knows of when it asks: for legacy those from which the rule is reached, for nft that of its own chain; empty where none. */
  readonly hooks: readonly Hook[]
  /** All matches of the rule. */
  readonly matches: readonly MatchUse[]
  /** `-p`, where the rule has it; `inverted` with `!`. */
  readonly protocol: { readonly number: number; readonly inverted: boolean } | undefined
}

interface ExtensionShape<V> {
  readonly name: string
  /** One sentence: what it matches or does. */
  readonly doc: string
  readonly families?: readonly Family[]
  readonly tables?: readonly TableName[]
  readonly hooks?: readonly Hook[]
  /** The rule must have `-p` with one of these, not inverted. */
  readonly protocols?: readonly number[]
  readonly options: { readonly [K in keyof V]: OptionRow<V[K]> }
  /** Options of older versions under names that are refused now: the names to write. */
  readonly formerNames?: Readonly<Record<string, keyof V & string>>
  /** At least one of these must be given. */
  readonly requiresOneOf?: readonly (keyof V & string)[]
  /** The options as a backend's save shows them, where loading changes them; undefined: the whole use is gone. */
  savedBy?(backend: Backend, infos: InfosOf<V>): InfosOf<V> | undefined
  /** Prints all options at once, for what rows cannot say one by one. */
  print?(infos: InfosOf<V>, family: Family): string
  /** What else loading would refuse; the message of the refusal. A message that asks for `-p` in backticks is a `protocol-needed`. */
  check?(infos: InfosOf<V>, around: Surroundings): string | undefined
}

/** A match with memory (limit, quota, ...): a small state machine beside its opaque meaning. Times are in milliseconds. */
export interface Memory<V> {
  start(infos: InfosOf<V>): unknown
  /** The name of a state that several uses share (recent, hashlimit); absent where each use has its own. */
  sharedBy?(infos: InfosOf<V>): string
  /** Whether it matches now, undefined where chance decides, 'hotdrop' where the kernel drops the packet whatever the rule says; `state` is what `start` made and may be changed. */
  step(state: unknown, infos: InfosOf<V>, subject: Subject, now: number): Ternary | 'hotdrop'
}

/** A match extension with the values `V` of its options by name. */
export interface MatchShape<V> extends ExtensionShape<V> {
  /** Also read under these names; saved under `name`. */
  readonly aliases?: readonly string[]
  /** What the match means beyond the conjunction of its options. */
  means?(infos: InfosOf<V>, family: Family): Predicate
  readonly memory?: Memory<V>
  /** Options that iptables-nft loads with another meaning, though it saves them as they were; `help` says which, where it is not that it joins them into one expression. */
  nftJoins?(infos: InfosOf<V>): { readonly options: readonly string[]; readonly means: Predicate; readonly help?: string } | undefined
  /** iptables-nft writes this use as expressions of its own: it reads several of a rule back as one. */
  isNativeInNft?(infos: InfosOf<V>): boolean
}

/** A target extension with the values `V` of its options by name. */
export interface TargetShape<V> extends ExtensionShape<V> {
  /** The effects, after those of its options' rows. */
  does?(infos: InfosOf<V>, family: Family): readonly Effect[]
}

/** A match, whatever its options. */
export type MatchDefinition = MatchShape<Record<string, unknown>> & { readonly kind: 'match' }

/** A target, whatever its options. */
export type TargetDefinition = TargetShape<Record<string, unknown>> & { readonly kind: 'target' }

/** Any extension. */
export type ExtensionDefinition = MatchDefinition | TargetDefinition

/** Returns a match; its option values are inferred from the rows. */
export function defineMatch<V extends Record<string, unknown>>(shape: MatchShape<V>): MatchDefinition {
  return { ...(shape as unknown as MatchShape<Record<string, unknown>>), kind: 'match' }
}

/** Returns a target; its option values are inferred from the rows. */
export function defineTarget<V extends Record<string, unknown>>(shape: TargetShape<V>): TargetDefinition {
  return { ...(shape as unknown as TargetShape<Record<string, unknown>>), kind: 'target' }
}
