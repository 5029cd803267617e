/**
 * iptables-save text, `iptables -S` output or pasted iptables command lines -> the IR. Never throws: a line that is refused is
 * reported and skipped, and the ruleset says that it is partial. Source: iptables/iptables-restore.c.
 */

import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { SourceFile } from '../diagnostics/source-file.ts'
import { splitWords } from '../../grammar/save-words.ts'
import { isTableName, TABLES } from '../ir/hooks.ts'
import type { TableName } from '../ir/hooks.ts'
import type { Counters, Rule, Ruleset } from '../ir/ruleset.ts'
import type { Family } from '../net/address.ts'
import { didYouMean } from '../extensions/did-you-mean.ts'
import { applyCommand } from './apply-command.ts'
import { commandLineStart, isCommandForm } from './command-lines.ts'
import { guessFamily } from './family.ts'
import { makeVocabulary } from './option-table.ts'
import type { Vocabulary } from './option-table.ts'
import { checkJumps } from './check-jumps.ts'
import { readRuleWords } from './read-rule.ts'
import { addChain, finishRuleset, flushTable, makeTable, setPolicy } from './restore-changes.ts'
import type { TableDraft } from './restore-changes.ts'
import { complainInto } from './rule-line.ts'
import type { Complain, RuleLine } from './rule-line.ts'
import { makeRuleState } from './rule-state.ts'
import type { RuleState } from './rule-state.ts'

/** What was read, and everything there is to say about the text. */
export interface ReadResult {
  readonly value: Ruleset
  readonly diagnostics: readonly Diagnostic[]
}

/** The state of reading: the tables so far and the line at hand. */
export interface ReadState {
  readonly vocabulary: Vocabulary
  readonly tables: Map<TableName, TableDraft>
  readonly diagnostics: Diagnostic[]
  readonly line: RuleLine
  readonly complain: Complain
  readonly rule: RuleState
  /** The table between `*table` and COMMIT. */
  table: TableDraft | undefined
  /** Inside a table of an unknown name: its lines are skipped. */
  skipping: boolean
  partial: boolean
}

/** Reads texts as if they were loaded one after the other; `family` overrides what their content tells. */
export function readRuleset(sources: readonly SourceFile[], options: { readonly family?: Family } = {}): ReadResult {
  const family = options.family ?? guessFamily(sources)
  const vocabulary = makeVocabulary(family)
  const tables = new Map<TableName, TableDraft>()
  const diagnostics: Diagnostic[] = []
  let partial = false
  for (const source of sources) {
    const line: RuleLine = { source, start: 0, end: 0, words: [], quoting: 'restore' }
    const complain = complainInto(diagnostics, line)
    const state: ReadState = { vocabulary, tables, diagnostics, line, complain, rule: makeRuleState(vocabulary, complain), table: undefined, skipping: false, partial: false }
    readSource(state)
    partial ||= state.partial
  }
  partial = checkJumps(tables.values(), diagnostics) || partial
  return { value: finishRuleset(family, tables.values(), partial), diagnostics }
}

function readSource(state: ReadState): void {
  const { line } = state
  const { text } = line.source
  const commands = isCommandForm(text)
  if (text.trim() === '') state.complain('empty-file', -1, 'the file is empty', { severity: 'warning' })
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start)
    const end = newline === -1 ? text.length : newline
    line.start = start
    line.end = text.charCodeAt(end - 1) === 13 && end > start ? end - 1 : end
    if (commands) readCommandLine(state)
    else readLine(state)
    start = end + 1
  }
  if (state.table && !commands) {
    line.start = line.end
    state.complain('missing-commit', -1, `COMMIT is missing at the end of table ${state.table.name}`, { help: 'iptables-restore throws the table away without it' })
  }
}

function readLine(state: ReadState): void {
  const { line } = state
  const { text } = line.source
  switch (text[line.start]) {
    case '#':
    case '\n':
    case undefined:
      return
    case '*':
      return beginTable(state)
    case ':':
      return state.table ? readChainLine(state, state.table) : state.skipping ? undefined : outsideTable(state)
    case 'C':
      if (text.slice(line.start, line.end).trimEnd() === 'COMMIT') return commit(state)
  }
  if (state.table) readRuleLine(state, state.table)
  else if (!state.skipping && text.slice(line.start, line.end).trim() !== '') outsideTable(state)
}

function beginTable(state: ReadState): void {
  const name = state.line.source.text.slice(state.line.start + 1, state.line.end).trim()
  if (state.table) state.complain('missing-commit', -1, `COMMIT is missing before \`*${name}\``, { help: `table ${state.table.name} is not loaded without it` })
  state.skipping = !isTableName(name)
  state.table = isTableName(name) ? tableDraft(state, name) : undefined
  if (state.table) flushTable(state.table)
  else {
    state.partial = true
    state.complain('unknown-table', -1, `there is no table \`${name}\``, { help: didYouMean(name, TABLES) ?? `the tables are ${TABLES.join(', ')}` })
  }
}

function commit(state: ReadState): void {
  if (!state.table && !state.skipping) outsideTable(state)
  state.table = undefined
  state.skipping = false
}

function outsideTable(state: ReadState): void {
  state.partial = true
  state.complain('outside-table', -1, 'this line stands outside of a table', { help: 'a table begins with a line such as `*filter` and ends with `COMMIT`' })
}

/** `:CHAIN POLICY [packets:bytes]`. */
function readChainLine(state: ReadState, table: TableDraft): void {
  const { line, complain } = state
  const [name = '', policy, counters] = line.source.text.slice(line.start + 1, line.end).trim().split(/[ \t]+/)
  const span = { source: line.source, start: line.start, end: line.end }
  line.quoting = 'restore'
  const builtIn = table.chains.get(name)?.hook === undefined ? undefined : table.chains.get(name)
  const chain = builtIn ?? addChain(table, name, span, complain, 0)
  if (!chain) {
    state.partial = true
    return
  }
  chain.span = span
  if (policy === undefined) complain('unknown-policy', -1, `chain \`${name}\` has no policy`, { help: builtIn ? 'write ACCEPT or DROP after the name' : 'write `-` after the name' })
  else if (policy !== '-') setPolicy(chain, policy, complain, 1)
  if (counters === undefined) return
  const read = readBracketCounters(counters)
  if (read) chain.counters = read
  else if (policy !== '-') complain('bad-counters', 2, `\`${counters}\` is not \`[packets:bytes]\``)
}

/** Reads a line within a table: `[packets:bytes]` and the words of a command. */
function readRuleLine(state: ReadState, table: TableDraft): void {
  const { line, complain } = state
  const wholeStart = line.start
  let counters: Counters | undefined
  if (line.source.text[line.start] === '[') {
    const close = line.source.text.indexOf(']', line.start)
    counters = close === -1 || close > line.end ? undefined : readBracketCounters(line.source.text.slice(line.start, close + 1))
    if (!counters) return skipLine(state, () => complain('bad-counters', 0, 'the counters before the rule are not `[packets:bytes]`'))
    line.start = close + 1
  }
  line.words = []
  const closed = splitWords(line.source.text, line.start, line.end, line.words)
  if (!closed) return skipLine(state, () => complain('bad-value', line.words.length - 1, 'a double quote is not closed'))
  if (line.words.length === 0) return
  runWords(state, table, counters, wholeStart)
}

/** A pasted command line: `iptables -t nat -A ...`, or a line of `iptables -S`. */
function readCommandLine(state: ReadState): void {
  const { line, complain } = state
  const found = commandLineStart(line.source.text, line.start, line.end)
  if (found === 'blank') return
  if (found === 'other') return skipLine(state, () => complain('command-line', -1, 'this is not an iptables command', { severity: 'warning', help: 'the line is skipped' }))
  if (found.family !== undefined && found.family !== state.vocabulary.family) {
    return skipLine(state, () => complain('mixed-families', 0, `this command is for ${found.family === 'ipv6' ? 'IPv6' : 'IPv4'}`, { severity: 'note', help: 'read it with --family' }))
  }
  const wholeStart = line.start
  line.start = found.start
  line.quoting = found.quoting
  line.words = []
  splitWords(line.source.text, line.start, line.end, line.words, undefined, line.quoting)
  const at = line.words.findIndex(word => word === '-t' || word === '--table')
  const name = at === -1 ? 'filter' : (line.words[at + 1] ?? '')
  if (isTableName(name)) runWords(state, tableDraft(state, name), undefined, wholeStart)
  else skipLine(state, () => complain('unknown-table', at + 1, `there is no table \`${name}\``, { help: didYouMean(name, TABLES) }))
}

function runWords(state: ReadState, table: TableDraft, counters: Counters | undefined, wholeStart: number): void {
  const { line, complain } = state
  const read = readRuleWords(line.words, state.rule)
  if (!read.ok) {
    state.partial = true
    return
  }
  if (!read.command) return skipLine(state, () => complain('unknown-command', 0, `\`${line.words[0]}\` is not a command`, { help: 'a rule begins with `-A CHAIN`' }))
  const span = { source: line.source, start: wholeStart, end: line.end }
  const rules: Rule[] = []
  for (const { matches, target } of read.rules) rules.push({ id: 0, matches, target, counters: read.counters ?? counters, span })
  if (!applyCommand(table, read.command, rules, { span, family: state.vocabulary.family, complain })) state.partial = true
}

function skipLine(state: ReadState, report: () => void): void {
  state.partial = true
  report()
}

function tableDraft(state: ReadState, name: TableName): TableDraft {
  const known = state.tables.get(name) ?? makeTable(name)
  state.tables.set(name, known)
  return known
}

function readBracketCounters(text: string): Counters | undefined {
  const match = /^\[(\d+):(\d+)\]$/.exec(text)
  return match?.[1] !== undefined && match[2] !== undefined ? { packets: BigInt(match[1]), bytes: BigInt(match[2]) } : undefined
}
