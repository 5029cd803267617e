/**
 * How the rule of a known line is made from the values on it: lines of one kind have the same words between their values, so where the values
 * stand is known, and so are the options and uses that they belong to. The words need not be read again.
 */

import { splitWords } from '../../grammar/save-words.ts'
import type { WordSpan } from '../../grammar/save-words.ts'
import { invariant } from '../diagnostics/diagnostic.ts'
import { finishRules } from './finish-rule.ts'
import { plainFormOf } from './learn-line.ts'
import type { WrittenOption } from './option-table.ts'
import { readValue } from './read-rule.ts'
import type { OpenUse, ReadRule, RuleState } from './rule-state.ts'

const QUOTE = 34

/** `-A` and the chain's name. */
const WORDS_BEFORE = 2

/** The state of reading a line of a kind, in which the values stand that differ from line to line. */
export interface LinePlan {
  readonly state: RuleState
  readonly values: readonly PlannedValue[]
}

/** A value that each line has of its own, `gap` characters behind the one before it; where there is no option it is the chain that the rule jumps to. */
interface PlannedValue {
  readonly gap: number
  readonly place: { readonly use: OpenUse; readonly index: number; readonly written: WrittenOption; readonly isInverted: boolean } | undefined
}

/** Returns the plan of the lines of one kind, from the state in which reading one of them ended, whose words behind the chain's name are `text[start, end)`; undefined where values cannot be told apart by their options. */
export function planLine(read: RuleState, text: string, start: number, end: number): LinePlan | undefined {
  const state = ownState(read)
  const uses = [state.ip, ...state.matches, ...(state.target ? [state.target] : [])]
  if (state.others.length > 0 || state.counters || uses.some(use => use.unknown)) return undefined
  const spans: WordSpan[] = []
  splitWords(text, start, end, [], spans)
  const values: PlannedValue[] = []
  let from = start
  for (const [index, span] of spans.entries()) {
    const word = index + WORDS_BEFORE
    const written = state.optionAt[word]
    const isChain = !state.target?.extension && state.jump?.word === word
    if (!isChain && !plainFormOf(written, text, span, end, state.vocabulary.family)) continue
    const place = written && placeOf(uses, written)
    if (!isChain && (!place || values.some(value => value.place?.written === written))) return undefined
    values.push({ gap: span.start - from, place })
    from = span.end
  }
  return { state, values }
}

/** Returns where an option stands; undefined where it stands in several uses, or together with others of its kind. */
function placeOf(uses: readonly OpenUse[], written: WrittenOption): PlannedValue['place'] {
  if (written.row.repeatable || written.row.forgets) return undefined
  const [place, ...more] = uses.flatMap(use => use.given.flatMap((option, index) => (option.written.row === written.row ? [{ use, index, written, isInverted: option.option.inverted }] : [])))
  return more.length === 0 ? place : undefined
}

/** Returns the state with uses of its own. */
function ownState(read: RuleState): RuleState {
  const own = (use: OpenUse): OpenUse => ({ ...use, given: use.given.slice(0, use.count) })
  return { ...read, optionAt: [...read.optionAt], ip: own(read.ip), matches: read.matches.slice(0, read.matchCount).map(own), target: read.target && own(read.target) }
}

/** Returns the rule of a line of the plan's kind, whose words behind the chain's name are `text[start, end)`. */
export function readPlanned({ state, values }: LinePlan, text: string, start: number, end: number): ReadRule {
  let at = start
  for (const { gap, place } of values) {
    at += gap
    const isQuoted = text.charCodeAt(at) === QUOTE
    const next = isQuoted ? text.indexOf('"', at + 1) + 1 : text.indexOf(' ', at)
    const stop = next === -1 || next > end ? end : next
    const word = isQuoted ? text.slice(at + 1, stop - 1) : text.slice(at, stop)
    at = stop
    if (place) {
      const option = readValue(state, place.written, word, -1, place.isInverted)
      if (option) place.use.given[place.index] = option
    } else if (state.jump) state.jump = { ...state.jump, chain: word }
  }
  const [rule] = finishRules(state)
  invariant(rule, `a known line was refused: ${text.slice(start, end)}`)
  return rule
}
