/**
 * iptables-save text, `iptables -S` output or pasted iptables command lines -> the IR. Never throws: a line that is refused is
 * reported and skipped, and the ruleset says that it is partial.
 */

import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { SourceFile } from '../diagnostics/source-file.ts'
import type { Backend } from '../ir/hooks.ts'
import type { Ruleset } from '../ir/ruleset.ts'
import type { Family } from '../net/address.ts'
import { checkJumps } from './check-jumps.ts'
import { isCommandForm, readCommandLine } from './command-lines.ts'
import { guessFamily } from './family.ts'
import { foreignText } from './foreign-text.ts'
import type { ForeignText } from './foreign-text.ts'
import { makeLineTree } from './line-tree.ts'
import { makeVocabulary } from './option-table.ts'
import { makeReadState, skipLine } from './read-state.ts'
import type { ReadState, SharedState } from './read-state.ts'
import { endOfSource, readRestoreLine } from './restore-lines.ts'
import { finishRuleset } from './restore-changes.ts'

/** What was read, and everything there is to say about the text. */
export interface ReadResult {
  readonly value: Ruleset
  readonly diagnostics: readonly Diagnostic[]
}

/**
 * `family` overrides what names and content tell; `backend` (default legacy) decides where the two load differently; `counters`
 * (default true) is iptables-restore's flag: without it the `[packets:bytes]` of the text do not count, as in a plain load.
 */
export interface ReadOptions {
  readonly family?: Family
  readonly backend?: Backend
  readonly counters?: boolean
}

/** Reads texts as if they were loaded one after the other. */
export function readRuleset(sources: readonly SourceFile[], options: ReadOptions = {}): ReadResult {
  const family = options.family ?? guessFamily(sources)
  const shared: SharedState = { vocabulary: makeVocabulary(family), backend: options.backend ?? 'legacy', counters: options.counters ?? true, tables: new Map(), diagnostics: [], begun: new Map(), tree: makeLineTree() }
  let partial = false
  for (const source of sources) {
    const state = makeReadState(shared, source)
    readSource(state)
    partial ||= state.partial
  }
  partial = checkJumps(shared.tables.values(), shared.diagnostics) || partial
  return { value: finishRuleset(family, shared.tables.values(), partial), diagnostics: shared.diagnostics }
}

function readSource(state: ReadState): void {
  const { line } = state
  const { text } = line.source
  if (/^\s*$/.test(text.slice(0, 1000)) && text.trim() === '') state.complain('empty-file', -1, 'the file is empty', { severity: 'warning' })
  const isCommands = isCommandForm(text)
  const foreign = isCommands ? undefined : foreignText(text)
  if (foreign) return skipForeign(state, foreign)
  const readLine = isCommands ? readCommandLine : readRestoreLine
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start)
    line.start = start
    line.end = newline === -1 ? text.length : newline
    start = line.end + 1
    readLine(state)
  }
  if (!isCommands) endOfSource(state)
}

/** One finding says what the whole text is: what each of its lines is not says less. */
function skipForeign(state: ReadState, { at, message, help }: ForeignText): void {
  const { line } = state
  const newline = line.source.text.indexOf('\n', at)
  line.start = at
  line.end = newline === -1 ? line.source.text.length : newline
  skipLine(state, 'not-a-ruleset', -1, message, { help })
}
