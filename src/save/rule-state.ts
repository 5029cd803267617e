/** The state of reading one rule, and what comes of it. */

import type { Counters, MatchUse, TargetUse } from '../ir/ruleset.ts'
import type { Command } from './commands.ts'
import type { ExtensionWords, ReadOption, Vocabulary, WrittenOption } from './option-table.ts'
import type { Complain } from './rule-line.ts'

/** What a line says. `rules` has several entries where `-s a,b` makes several rules; none where the rule was refused. */
export interface ReadLine {
  readonly command: Command | undefined
  readonly table: string | undefined
  readonly rules: readonly ReadRule[]
  readonly counters: Counters | undefined
  /** The line is for the other family: nothing is to be done. */
  readonly otherFamily: boolean
  readonly ok: boolean
}

/** The content of a rule. */
export interface ReadRule {
  readonly matches: readonly MatchUse[]
  readonly target: TargetUse | undefined
}

/** A match or target while its options are being collected. The objects are used again for every rule. */
export interface OpenUse {
  extension: ExtensionWords | undefined
  name: string
  /** Where it was named. */
  word: number
  /** The first `count` are the options given, in row order. */
  readonly given: ReadOption[]
  count: number
  /** Options that later ones made the program forget: they still cannot stand twice, nor beside what they exclude. */
  forgotten: readonly ReadOption[]
  /** The words of an extension that is not known. */
  unknown: string[] | undefined
}

/** The state of reading one rule; one object reads all rules of a source. */
export interface RuleState {
  readonly vocabulary: Vocabulary
  readonly complain: Complain
  /** The words are a line of iptables-restore's format, not a command line. */
  inRestore: boolean
  words: readonly string[]
  at: number
  ok: boolean
  /** Of every word that is the one value of an option: that option. */
  readonly optionAt: (WrittenOption | undefined)[]
  readonly ip: OpenUse
  /** Further values of an option of ip: each makes a rule of its own. */
  others: readonly ReadOption[]
  /** The first `matchCount` are the matches named. */
  readonly matches: OpenUse[]
  matchCount: number
  readonly ownTarget: OpenUse
  /** `ownTarget` once a target is named. */
  target: OpenUse | undefined
  jump: { readonly kind: 'jump' | 'goto'; readonly chain: string; readonly word: number } | undefined
  command: Command | undefined
  /** The word that names it. */
  commandAt: number
  table: string | undefined
  counters: Counters | undefined
  /** `-4` or `-6` of the other family stands on the line: the programs skip it. */
  otherFamily: boolean
}

/** Says that the rule is refused. */
export function refuseRule(state: RuleState, ...problem: Parameters<Complain>): void {
  state.ok = false
  state.complain(...problem)
}

/** Returns a state for the rules of one source. */
export function makeRuleState(vocabulary: Vocabulary, complain: Complain): RuleState {
  return {
    vocabulary, complain, inRestore: true, words: [], at: 0, ok: true, optionAt: [], ip: openUse(vocabulary.ip, 'ip'), others: [], matches: [], matchCount: 0,
    ownTarget: openUse(undefined, ''), target: undefined, jump: undefined, command: undefined, commandAt: 0, table: undefined, counters: undefined,
    otherFamily: false,
  }
}

/** Makes a state ready for the next rule. */
export function startRule(state: RuleState, words: readonly string[]): void {
  state.words = words
  state.at = 0
  state.ok = true
  state.otherFamily = false
  state.optionAt.length = 0
  state.ip.count = 0
  state.matchCount = 0
  if (state.others.length > 0) state.others = []
  state.target = state.jump = state.command = state.table = state.counters = undefined
}

/** Adds a match to the rule. */
export function startMatch(state: RuleState, extension: ExtensionWords | undefined, name: string, word: number): void {
  const use = state.matches[state.matchCount++]
  if (use) reopen(use, extension, name, word)
  else state.matches.push(openUse(extension, name, word))
}

/** Gives the rule its target. */
export function startTarget(state: RuleState, extension: ExtensionWords | undefined, name: string, word: number): void {
  state.target = state.ownTarget
  reopen(state.target, extension, name, word)
}

/** Returns the matches and the target named so far, the newest last. */
export function namedUses(state: RuleState): OpenUse[] {
  return [...state.matches.slice(0, state.matchCount), ...(state.target ? [state.target] : [])].sort((a, b) => a.word - b.word)
}

/** Returns the option of ip given under a name, undefined where it is not. */
export function givenIpOption(state: RuleState, name: string): ReadOption | undefined {
  return state.ip.given.slice(0, state.ip.count).find(option => option.written.name === name)
}

const NOTHING: readonly ReadOption[] = []

function openUse(extension: ExtensionWords | undefined, name: string, word = 0): OpenUse {
  return { extension, name, word, given: [], count: 0, forgotten: NOTHING, unknown: undefined }
}

function reopen(use: OpenUse, extension: ExtensionWords | undefined, name: string, word: number): void {
  use.extension = extension
  use.name = name
  use.word = word
  use.count = 0
  use.forgotten = NOTHING
  use.unknown = undefined
}
