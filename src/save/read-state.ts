/** The state of reading one source, and what every kind of line does with its words. */

import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { SourceFile, Span } from '../diagnostics/source-file.ts'
import type { Backend, TableName } from '../ir/hooks.ts'
import type { Counters, Rule } from '../ir/ruleset.ts'
import { applyCommand } from './apply-command.ts'
import { linesOf } from './chain-draft.ts'
import type { Writable } from './chain-draft.ts'
import type { KnownLine } from './learn-line.ts'
import type { LineTree } from './line-tree.ts'
import { learnKnownLine, makeKnownLines } from './known-lines.ts'
import type { KnownLines } from './known-lines.ts'
import type { Vocabulary } from './option-table.ts'
import { readRuleWords } from './read-rule.ts'
import { makeTable } from './restore-changes.ts'
import type { TableDraft } from './restore-changes.ts'
import { complainInto } from './rule-line.ts'
import type { Complain, RuleLine } from './rule-line.ts'
import { makeRuleState } from './rule-state.ts'
import type { RuleState } from './rule-state.ts'

/** The state of reading: the tables so far and the line at hand. */
export interface ReadState {
  readonly vocabulary: Vocabulary
  readonly backend: Backend
  /** The counters of the text count. */
  readonly counters: boolean
  readonly tables: Map<TableName, TableDraft>
  readonly diagnostics: Diagnostic[]
  readonly line: RuleLine
  readonly complain: Complain
  readonly rule: RuleState
  readonly known: KnownLines
  /** The table between `*table` and COMMIT. */
  table: TableDraft | undefined
  /** What that table was before: it stays so where the load ends before COMMIT. */
  before: TableDraft | undefined
  /** The load has ended: no further line counts. */
  ended: boolean
  /** Inside a table of an unknown name: its lines are skipped. */
  skipping: boolean
  partial: boolean
  /** CR LF line ends were reported. */
  saidCarriageReturn: boolean
  /** What a shell would have to work out was reported. */
  saidShellScript: boolean
  /** The tables that have begun, and where they did so last. */
  readonly begun: Map<TableName, SourceFile>
}

/** What all sources of a ruleset share while they are read. */
export type SharedState = Pick<ReadState, 'vocabulary' | 'backend' | 'counters' | 'tables' | 'diagnostics' | 'begun'> & { readonly tree: LineTree }

/** Returns the state for reading a source. */
export function makeReadState(shared: SharedState, source: SourceFile): ReadState {
  const line: RuleLine = { source, start: 0, end: 0, words: [], quoting: 'restore' }
  const complain = complainInto(shared.diagnostics, line)
  const known = makeKnownLines(shared.tree, shared.vocabulary, line, shared.counters)
  return { ...shared, line, complain, rule: makeRuleState(shared.vocabulary, complain), known, table: undefined, before: undefined, ended: false, skipping: false, partial: false, saidCarriageReturn: false, saidShellScript: false }
}

/** Returns the draft of a table, made when first named. */
export function tableDraft(state: ReadState, name: TableName): TableDraft {
  const known = state.tables.get(name) ?? makeTable(name)
  state.tables.set(name, known)
  return known
}

/** Returns the place of the whole line. */
export function lineSpan(line: RuleLine, start = line.start): Span {
  return { source: line.source, start, end: line.end }
}

/** Says that a line was left out. */
export function skipLine(state: ReadState, ...problem: Parameters<Complain>): void {
  state.partial = true
  state.complain(...problem)
}

/** Does what the words of the line say; `wholeStart` is where the line begins with its counters. Returns false where they were refused. */
export function runWords(state: ReadState, table: TableDraft, counters: Counters | undefined, wholeStart: number): boolean {
  const { line, complain } = state
  const before = state.diagnostics.length
  const read = readRuleWords(line.words, state.rule)
  if (read.otherFamily) {
    state.diagnostics.length = before
    return true
  }
  if (!read.ok) {
    state.partial = true
    return false
  }
  if (!read.command) {
    skipLine(state, 'unknown-command', 0, line.words.length === 0 ? 'the line is blank but not empty' : `\`${line.words[0]}\` is not a command`, {
      help: line.words.length === 0 ? 'iptables-restore takes only empty lines' : 'a rule begins with `-A CHAIN`',
    })
    return false
  }
  if (read.command.kind === 'help') return endLoad(state)
  const span = lineSpan(line, wholeStart)
  const { command } = read
  const rules: Writable<Rule>[] = []
  for (const { matches, target } of read.rules) rules.push({ id: 0, matches, target, counters: read.counters ?? counters, span })
  const known = command.kind === 'append' ? learn(state, table, command.chain, rules, wholeStart, before) : undefined
  if (!applyCommand(table, command, rules, { span, family: state.vocabulary.family, backend: state.backend, complain, inRestore: state.rule.inRestore, counters: read.counters, known })) state.partial = true
  return true
}

/** Learns a line that appends one rule and of which there is nothing to say. */
function learn(state: ReadState, table: TableDraft, chainName: string, [rule, ...more]: readonly Rule[], wholeStart: number, before: number): KnownLine | undefined {
  const { line, known } = state
  const chain = table.chains.get(chainName)
  if (!state.rule.inRestore || !chain || !rule || more.length > 0) return undefined
  linesOf(chain, known.store)
  return state.diagnostics.length === before ? learnKnownLine(known, rule, line, wholeStart, state.rule) : undefined
}

/** Kernel: the programs print their help and leave, content with themselves; the table at hand stays what it was. */
function endLoad(state: ReadState): true {
  state.complain('load-ends', -1, 'the load ends here without an error', { severity: 'warning', help: 'the program prints its help and leaves: nothing of this table or after it is loaded' })
  if (state.before) state.tables.set(state.before.name, state.before)
  state.table = undefined
  state.ended = true
  return true
}
