/** The lines of iptables-restore's format. Source: iptables/iptables-restore.c ip46tables_restore_main(). */

import { splitBlanks, splitWords } from '../../grammar/save-words.ts'
import { didYouMean } from '../extensions/did-you-mean.ts'
import { isTableName, TABLES } from '../ir/hooks.ts'
import type { Counters } from '../ir/ruleset.ts'
import { readBracketCounters } from './counters.ts'
import { takeKnownLine } from './known-lines.ts'
import { lineSpan, runWords, skipLine, tableDraft } from './read-state.ts'
import type { ReadState } from './read-state.ts'
import { copyTable, declareChain, declarePolicy, flushTable } from './restore-changes.ts'
import type { TableDraft } from './restore-changes.ts'

const CARRIAGE_RETURN = 13

/** Reads one line; a CR before the line feed is part of it, as for the real program. */
export function readRestoreLine(state: ReadState): void {
  const { line } = state
  const { text } = line.source
  if (line.start === line.end || state.ended) return
  switch (text[line.start]) {
    case '#':
      return
    case '*':
      if (!state.table) return beginTable(state)
      skipLine(state, 'missing-commit', -1, `COMMIT is missing before \`${text.slice(line.start, line.end).trimEnd()}\``, { help: `table ${state.table.name} is not loaded without it` })
      return beginTable(state)
    case ':':
      return state.table ? readChainLine(state, state.table) : outsideTable(state)
    case 'C':
      if (text.slice(line.start, line.end).trimEnd() === 'COMMIT') return commit(state)
  }
  if (state.table) return takeKnownLine(state.known, state.table, line) ? undefined : readRuleLine(state, state.table)
  outsideTable(state)
}

/** Says what is missing at the end of a source. */
export function endOfSource(state: ReadState): void {
  const { line } = state
  if (state.table) {
    line.start = line.end
    state.complain('missing-commit', -1, `COMMIT is missing at the end of table ${state.table.name}`, { help: 'iptables-restore throws the table away without it' })
  } else if (line.end > line.start && line.source.text.slice(line.start) === 'COMMIT') {
    state.complain('missing-commit', -1, 'no line end follows COMMIT', { help: 'iptables-legacy-restore does not see it then', backend: 'legacy' })
  }
}

function beginTable(state: ReadState): void {
  const { line } = state
  const [word = ''] = splitBlanks(line.source.text, line.start + 1, line.end)
  const name = withoutCarriageReturn(state, word)
  state.skipping = !isTableName(name)
  state.table = isTableName(name) ? tableDraft(state, name) : undefined
  state.before = state.table && copyTable(state.table)
  if (state.table && state.before) {
    sayRepeated(state, state.before)
    flushTable(state.table, state.backend)
  }
  else skipLine(state, 'unknown-table', -1, `there is no table \`${name}\``, { help: didYouMean(name, TABLES) ?? `the tables are ${TABLES.join(', ')}` })
}

/** A second `*table` is mostly two saves put together: who reads it does not expect that half of the rules are not loaded. */
function sayRepeated({ begun, complain, line: { source } }: ReadState, { name, chains }: TableDraft): void {
  const rules = [...chains.values()].reduce((sum, { rules, lines }) => sum + (lines?.count ?? rules.length), 0)
  const last = begun.get(name)
  if (last && rules > 0) {
    const where = last === source ? 'before' : `in \`${last.path}\``
    complain('repeated-table', -1, `table ${name} begins a second time: ${rules === 1 ? 'the rule that stands' : `the ${rules} rules that stand`} in it ${where} ${rules === 1 ? 'is' : 'are'} not loaded`, {
      severity: 'warning', help: 'iptables-restore empties the table here: put all its rules under one `*` line, or load with --noflush',
    })
  }
  begun.set(name, source)
}

function commit(state: ReadState): void {
  const { line } = state
  if (!state.table && !state.skipping) outsideTable(state)
  state.table = undefined
  state.skipping = false
  const rest = line.source.text.slice(line.start + 'COMMIT'.length, line.end)
  if (rest.endsWith('\r')) withoutCarriageReturn(state, rest)
  else if (rest !== '') state.complain('stray-words', -1, 'a blank follows COMMIT', { help: 'iptables-restore does not see COMMIT then' })
}

function outsideTable(state: ReadState): void {
  if (state.skipping) return
  const { line } = state
  const isIndented = /^[ \t]+(\*|:|COMMIT)/.test(line.source.text.slice(line.start, line.end))
  skipLine(state, 'outside-table', -1, 'this line stands outside of a table', { help: isIndented ? 'the line begins with a blank: iptables-restore looks for `*`, `:` and COMMIT at the first column' : 'a table begins with a line such as `*filter` and ends with `COMMIT`' })
}

/** `:CHAIN POLICY [packets:bytes]`. Kernel: counters after `-` are not looked at. */
function readChainLine(state: ReadState, table: TableDraft): void {
  const { line, complain } = state
  const words = splitBlanks(line.source.text, line.start + 1, line.end)
  const counters = words[2]
  const name = withoutCarriageReturn(state, words[0] ?? '')
  const policy = words[1] === undefined ? undefined : withoutCarriageReturn(state, words[1])
  const builtIn = table.chains.get(name)
  const chain = builtIn?.hook === undefined ? declareChain(table, name, lineSpan(line), complain, state.backend) : builtIn
  if (!chain) {
    state.partial = true
    return
  }
  chain.span = lineSpan(line)
  if (policy === undefined) complain('unknown-policy', -1, `chain \`${name}\` has no policy`, { help: builtIn ? 'write ACCEPT or DROP after the name' : 'write `-` after the name' })
  else if (policy !== '-') declarePolicy(chain, policy, complain, line.source.text[line.start + 1] === ' ' ? 2 : 1)
  if (counters === undefined) return
  const read = readBracketCounters(counters.trimEnd())
  if (read && state.counters) chain.counters = read
  else if (read) return
  else if (policy !== '-' && state.counters) complain('bad-counters', 2, `\`${counters}\` is not \`[packets:bytes]\``)
}

/** Reads a line within a table: `[packets:bytes]` and the words of a command. */
function readRuleLine(state: ReadState, table: TableDraft): void {
  const { line, complain } = state
  const { text } = line.source
  const wholeStart = line.start
  let counters: Counters | undefined
  if (text[line.start] === '[') {
    const close = text.indexOf(']', line.start)
    const written = close === -1 || close > line.end ? '' : text.slice(line.start, close + 1)
    counters = readBracketCounters(written)
    if (!counters && (state.counters || !written.includes(':'))) return skipLine(state, 'bad-counters', 0, 'the counters before the rule are not `[packets:bytes]`')
    if (!state.counters) counters = undefined
    line.start = close + 1
  }
  const endsInReturn = text.charCodeAt(line.end - 1) === CARRIAGE_RETURN
  if (endsInReturn && readWithReturn(state, table, counters, wholeStart)) return
  line.words = []
  const closed = splitWords(text, line.start, line.end, line.words)
  if (!closed) complain('open-quote', line.words.length - 1, 'a double quote is not closed', { severity: 'warning', help: 'the rest of the line, its line end too, becomes part of this word' })
  runWords(state, table, counters, wholeStart)
}

/**
 * Reads a line that ends in CR LF. The real program takes the CR into the last word: a comment just keeps it, most other words are
 * refused. Returns whether the line was read so; else the CR is cut off and reported.
 */
function readWithReturn(state: ReadState, table: TableDraft, counters: Counters | undefined, wholeStart: number): boolean {
  const { line, diagnostics } = state
  const { partial } = state
  const before = diagnostics.length
  line.words = []
  splitWords(line.source.text, line.start, line.end, line.words)
  const last = line.words.at(-1) ?? ''
  const isChain = ['-j', '-g', '--jump', '--goto', '-A', '-I', '-N', '-F'].includes(line.words.at(-2) ?? '')
  if (!isChain && last !== '\r' && runWords(state, table, counters, wholeStart)) return true
  diagnostics.length = before
  state.partial = partial
  line.end--
  withoutCarriageReturn(state, '\r')
  return false
}

/** Returns the word without a final CR; the first in a source is reported. */
function withoutCarriageReturn(state: ReadState, word: string): string {
  if (!word.endsWith('\r')) return word
  if (!state.saidCarriageReturn) {
    state.complain('carriage-return', -1, 'the line ends in CR LF', { help: 'iptables-restore reads the CR as part of the last word: save the file with LF line ends' })
  }
  state.saidCarriageReturn = true
  return word.slice(0, -1)
}
