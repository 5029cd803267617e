/** The state of reading one rule, and what comes of it. */

import type { Counters, MatchUse, TargetUse } from '../ir/ruleset.ts'
import type { Command } from './commands.ts'
import type { ExtensionWords, ReadOption, Vocabulary } from './option-table.ts'
import type { Complain } from './rule-line.ts'

/** What a line says. `rules` has several entries where `-s a,b` makes several rules; none where the rule was refused. */
export interface ReadLine {
  readonly command: Command | undefined
  readonly table: string | undefined
  readonly rules: readonly ReadRule[]
  readonly counters: Counters | undefined
  readonly ok: boolean
}

/** The content of a rule. */
export interface ReadRule {
  readonly matches: readonly MatchUse[]
  readonly target: TargetUse | undefined
}

/** A match or target while its options are being collected; `unknown` collects the words of an extension that is not known. */
export interface OpenUse {
  readonly extension: ExtensionWords | undefined
  readonly name: string
  readonly word: number
  /** In row order. */
  readonly given: ReadOption[]
  unknown: string[] | undefined
}

/** The state of reading one rule. */
export interface RuleState {
  readonly vocabulary: Vocabulary
  readonly complain: Complain
  words: string[]
  at: number
  ok: boolean
  readonly ip: OpenUse
  /** Further values of an option of ip: each makes a rule of its own. */
  readonly others: ReadOption[]
  readonly matches: OpenUse[]
  target: OpenUse | undefined
  jump: { readonly kind: 'jump' | 'goto'; readonly chain: string; readonly word: number } | undefined
  command: Command | undefined
  table: string | undefined
  counters: Counters | undefined
}

/** Says that the rule is refused. */
export function refuseRule(state: RuleState, ...problem: Parameters<Complain>): void {
  state.ok = false
  state.complain(...problem)
}
