/** Lines that need not be read: they differ from one that was read in plain values only. */

import { splitWords } from '../../grammar/save-words.ts'
import { invariant } from '../diagnostics/diagnostic.ts'
import type { Counters, Rule } from '../ir/ruleset.ts'
import { addEntry, linesOf } from './chain-draft.ts'
import type { LineStore, Writable } from './chain-draft.ts'
import { readBracketCounters } from './counters.ts'
import { isWorthLearning, learnLine } from './learn-line.ts'
import type { KnownLine } from './learn-line.ts'
import { planLine, readPlanned } from './line-plan.ts'
import type { LinePlan } from './line-plan.ts'
import { markOf, walkLine } from './line-tree.ts'
import type { LineKind, LineTree } from './line-tree.ts'
import type { Vocabulary, WrittenOption } from './option-table.ts'
import { readRuleWords } from './read-rule.ts'
import type { TableDraft } from './restore-changes.ts'
import type { RuleLine } from './rule-line.ts'
import { makeRuleState } from './rule-state.ts'
import type { ReadRule, RuleState } from './rule-state.ts'

const DASH = 45
const LETTER_A = 65
const OPEN_BRACKET = 91
const CLOSE_BRACKET = 93
const SPACE = 32
const COLON = 58

/** What is needed to know lines of a source again, and to read them later. */
export interface KnownLines {
  readonly tree: LineTree
  readonly vocabulary: Vocabulary
  /** The name of the chain that the last line named: the next one mostly names it too. */
  lastChain: string
  readonly store: LineStore
  /** Reads words without complaints. */
  readonly quiet: RuleState
}

/** Returns what knows the lines of a source. `counters`: those before a rule count. */
export function makeKnownLines(tree: LineTree, vocabulary: Vocabulary, { source }: RuleLine, counters: boolean): KnownLines {
  const { text } = source
  const quiet = makeRuleState(vocabulary, () => {})
  const plans = new Map<LineKind, LinePlan>()
  const read = (from: number, kind: LineKind | undefined): Writable<Rule> => {
    const newline = text.indexOf('\n', from)
    const end = newline === -1 ? text.length : newline
    const close = text.charCodeAt(from) === OPEN_BRACKET ? text.indexOf(']', from) + 1 : from
    const start = text.indexOf(' ', close + '-A '.length + (close === from ? 0 : 1)) + 1
    const plan = kind && plans.get(kind)
    const line: LineRead = plan ? readPlanned(plan, text, start, end) : readWords(quiet, text, close, end)
    const made = kind && !plan && planLine(quiet, text, start, end)
    if (made) plans.set(kind, made)
    return { id: 0, matches: line.matches, target: line.target, counters: line.counters ?? (counters ? countersAt(text, from, close) : undefined), span: { source, start: from, end } }
  }
  return { tree, vocabulary, lastChain: '', store: { source, read, entries: [], kinds: [], marks: [], jumps: [] }, quiet }
}

interface LineRead extends ReadRule {
  /** What `-c` gives. */
  readonly counters?: Counters | undefined
}

function readWords(quiet: RuleState, text: string, start: number, end: number): LineRead {
  const words: string[] = []
  splitWords(text, start, end, words)
  const { rules: [rule], counters } = readRuleWords(words, quiet)
  invariant(rule, `a known line was refused: ${text.slice(start, end)}`)
  return { ...rule, counters }
}

/** Takes the line at hand if it goes a known way. Returns whether it did. */
export function takeKnownLine(known: KnownLines, table: TableDraft, { source, start, end }: RuleLine): boolean {
  const { text } = source
  const from = text.charCodeAt(start) === OPEN_BRACKET ? endOfCounters(text, start, end) : start
  if (from === -1 || text.charCodeAt(from) !== DASH || text.charCodeAt(from + 1) !== LETTER_A || text.charCodeAt(from + 2) !== SPACE) return false
  const nameEnd = endOfChainName(known, text, from + 3, end)
  const chain = nameEnd === -1 ? undefined : table.chains.get(known.lastChain)
  const lines = chain && linesOf(chain, known.store)
  const { tree } = known
  if (!lines || !walkLine(tree, text, nameEnd + 1, end)) return false
  const { kind } = tree
  if (!kind) return false
  const jump = tree.jumpStart === -1 ? undefined : text.slice(tree.jumpStart, tree.jumpEnd)
  const to = jump === undefined ? undefined : table.chains.get(jump)
  if (jump !== undefined && (!to || to.hook !== undefined || known.vocabulary.target(jump))) return false
  tree.hits++
  addEntry(lines, start, kind, markOf(kind, tree), to?.name)
  return true
}

/** Learns the way of the line at hand, whose words made a rule; `words` are those that were read. Returns what it is known by from now on. */
export function learnKnownLine(known: KnownLines, rule: Rule, { source, words, end }: RuleLine, wholeStart: number, state: RuleState): KnownLine | undefined {
  const { text } = source
  const from = text.charCodeAt(wholeStart) === OPEN_BRACKET ? endOfCounters(text, wholeStart, end) : wholeStart
  if (from === -1 || !text.startsWith('-A ', from) || state.words !== words || text.length - end < LEAST || !isWorthLearning(known.tree)) return undefined
  const nameEnd = text.indexOf(' ', from + 3)
  if (nameEnd === -1 || nameEnd > end || text.slice(from + 3, nameEnd) !== words[1]) return undefined
  const optionAt = state.optionAt.slice()
  const line = { rule, text, start: nameEnd + 1, end, before: 2, optionAt }
  return learnLine(known.tree, line, known.vocabulary.family, canonical => readCanonical(known, canonical))
}

/** So few characters behind a line hold no other rule that it would help. */
const LEAST = 12

/** Reads what iptables-save would print behind `-A CHAIN` and returns the option of every word that is the value of one. */
function readCanonical({ quiet }: KnownLines, text: string): readonly (WrittenOption | undefined)[] | undefined {
  const words = ['-A', 'X']
  splitWords(text, 0, text.length, words)
  return readRuleWords(words, quiet).ok && quiet.words === words ? quiet.optionAt.slice() : undefined
}

/** Returns where the name of the chain ends that begins at an offset and makes it the last one; -1 where nothing follows it. */
function endOfChainName(known: KnownLines, text: string, at: number, end: number): number {
  const { lastChain } = known
  const stop = at + lastChain.length
  if (lastChain !== '' && text.charCodeAt(stop) === SPACE && text.startsWith(lastChain, at)) return stop < end ? stop : -1
  const space = text.indexOf(' ', at)
  if (space === -1 || space >= end) return -1
  known.lastChain = text.slice(at, space)
  return space
}

/** Returns where the words begin behind `[packets:bytes] `, -1 where it is not spelled so. */
function endOfCounters(text: string, start: number, end: number): number {
  let colons = 0
  for (let at = start + 1; at < end && at < start + 40; at++) {
    const char = text.charCodeAt(at)
    if (char === CLOSE_BRACKET) return colons === 1 && text.charCodeAt(at - 1) !== COLON && text.charCodeAt(at + 1) === SPACE ? at + 2 : -1
    if (char === COLON) colons += at === start + 1 ? 2 : 1
    else if (char < 48 || char > 57) return -1
  }
  return -1
}

function countersAt(text: string, start: number, close: number): Counters | undefined {
  return close > start ? readBracketCounters(text.slice(start, close)) : undefined
}
