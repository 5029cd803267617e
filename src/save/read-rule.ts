/** The words of one rule -> its matches, target and command. Follows getopt_long(3) as iptables drives it (iptables/xshared.c do_parse()). */

import { finishRules } from './finish-rule.ts'
import { findCommand } from './commands.ts'
import { matchOfProtocol } from './option-table.ts'
import type { ExtensionWords, ReadOption, Vocabulary, WrittenOption } from './option-table.ts'
import { reportUnknownOption, splitAttached } from './unknown-options.ts'
import type { Complain } from './rule-line.ts'
import { refuseRule } from './rule-state.ts'
import type { OpenUse, ReadLine, RuleState } from './rule-state.ts'

/** Reads the words of one line; what is refused is told to `complain` and makes `ok` false. */
export function readRuleWords(words: string[], vocabulary: Vocabulary, complain: Complain): ReadLine {
  const state: RuleState = {
    vocabulary, complain, words, at: 0, ok: true,
    ip: openUse(vocabulary.ip, 'ip', 0), matches: [], target: undefined, jump: undefined, command: undefined, table: undefined, counters: undefined,
  }
  while (state.at < state.words.length) readNextOption(state)
  const rules = state.ok && state.command?.hasRule ? finishRules(state) : []
  return { command: state.command, table: state.table, rules, counters: state.counters, ok: state.ok }
}

function openUse(extension: ExtensionWords | undefined, name: string, word: number): OpenUse {
  return { extension, name, word, given: [], unknown: [] }
}

function readNextOption(state: RuleState): void {
  let inverted = false
  let word = state.words[state.at] ?? ''
  if (word === '!') {
    inverted = true
    word = state.words[++state.at] ?? ''
    if (state.at >= state.words.length) return refuseRule(state, 'stray-words', state.at - 1, 'nothing follows the `!`')
  }
  const own = state.vocabulary.ip.byWord.get(word)
  if (own) return takeOption(state, state.ip, own, inverted)
  if (readControl(state, word, inverted)) return
  const owner = ownerOf(state, word)
  if (owner) return takeOption(state, owner.use, owner.option, inverted)
  if (loadProtocolMatch(state, word)) return
  if (word.startsWith('-') && word.length > 1 && splitAttached(state, word)) {
    if (inverted) state.words[--state.at] = '!'
    return
  }
  takeUnknown(state, word, inverted)
}

/** The options that are not a match's or target's: `-m -j -g -c -t` and the commands. Returns whether the word was one. */
function readControl(state: RuleState, word: string, inverted: boolean): boolean {
  const at = state.at
  switch (word) {
    case '-m':
    case '--match':
      if (needWord(state, word)) openMatch(state, state.words[at + 1] ?? '')
      break
    case '-j':
    case '--jump':
    case '-g':
    case '--goto':
      if (needWord(state, word)) openTarget(state, word, state.words[at + 1] ?? '')
      break
    case '-c':
    case '--set-counters':
      readCounters(state)
      break
    case '-t':
    case '--table':
      if (needWord(state, word)) state.table = state.words[at + 1] ?? ''
      break
    default:
      return readCommand(state, word)
  }
  if (inverted) refuseRule(state, 'not-invertible', at - 1, `\`!\` cannot stand before \`${word}\``)
  return true
}

/** Checks that a word follows the option and steps over both. */
function needWord(state: RuleState, option: string): boolean {
  const at = state.at
  state.at += 2
  if (at + 1 < state.words.length) return true
  refuseRule(state, 'missing-value', at, `\`${option}\` needs a value`)
  return false
}

function readCommand(state: RuleState, word: string): boolean {
  const found = findCommand(state.words, state.at)
  if (!found) return false
  if (found.problem) refuseRule(state, 'unknown-command', state.at, found.problem)
  else if (state.command) refuseRule(state, 'option-conflict', state.at, `\`${word}\` is a second command in one line`)
  state.command ??= found.command
  state.at = found.next
  return true
}

function openMatch(state: RuleState, name: string): void {
  const extension = state.vocabulary.match(name)
  if (!extension) state.complain('unknown-match', state.at - 1, `match \`${name}\` is not known`, { severity: 'note', help: 'it is kept word for word; whether it matches is left open' })
  state.matches.push(openUse(extension, extension?.definition.name ?? name, state.at - 1))
}

function openTarget(state: RuleState, option: string, name: string): void {
  if (state.jump) return refuseRule(state, 'duplicate-option', state.at - 2, `the rule has a second \`${option}\``)
  if (name === '') return refuseRule(state, 'bad-value', state.at - 1, `\`${option}\` needs the name of a target or chain`)
  const goto = option === '-g' || option === '--goto'
  state.jump = { kind: goto ? 'goto' : 'jump', chain: name, word: state.at - 1 }
  if (goto) return
  const extension = state.vocabulary.target(name)
  state.target = openUse(extension, extension?.definition.name ?? name, state.at - 1)
}

function readCounters(state: RuleState): void {
  const [packets = '', bytes = ''] = state.words.slice(state.at + 1, state.at + 3)
  const both = /^\d+$/.test(packets) && /^\d+$/.test(bytes)
  if (both) state.counters = { packets: BigInt(packets), bytes: BigInt(bytes) }
  else refuseRule(state, 'bad-counters', state.at, '`-c` needs two numbers: packets and bytes')
  state.at += 3
}

/** Returns the use that understands an option word: the one named last wins, as in getopt's merged table. */
export function ownerOf(state: RuleState, word: string): { use: OpenUse; option: WrittenOption } | undefined {
  for (const use of state.target ? [...state.matches, state.target].sort((a, b) => b.word - a.word) : state.matches.toReversed()) {
    const option = use.extension?.byWord.get(word)
    if (option) return { use, option }
  }
  return undefined
}

/** Loads the match of `-p` when an option is not understood without it. Returns whether it helped. */
function loadProtocolMatch(state: RuleState, word: string): boolean {
  const given = state.ip.given.find(({ option }) => option.option.name === 'protocol')
  const definition = given && matchOfProtocol(Number(given.option.plain.value), state.vocabulary.family)
  if (!definition || !word.startsWith('-') || state.matches.some(use => use.name === definition.name)) return false
  const extension = state.vocabulary.match(definition.name)
  const isKnown = extension?.byWord.has(word.split('=')[0] ?? word) || [...(extension?.byWord.keys() ?? [])].some(name => word.length > 2 && name.startsWith(word))
  if (!isKnown) return false
  state.matches.push(openUse(extension, definition.name, given.option.option.index))
  return true
}

/** Reads the words of an option into a use. */
function takeOption(state: RuleState, use: OpenUse, written: WrittenOption, invertedBefore: boolean): void {
  const first = state.at
  const count = written.type.words
  let inverted = invertedBefore
  let at = first + 1
  if (count > 0 && state.words[at] === '!') {
    refuseRule(state, 'old-negation', at, `\`!\` after \`${state.words[first]}\` is refused since iptables 1.4.3`, { help: `write \`! ${state.words[first]} ${state.words.slice(at + 1, at + 1 + count).join(' ')}\`` })
    inverted = true
    at++
  }
  state.at = at + count
  if (state.at > state.words.length) return refuseRule(state, 'missing-value', first, `\`${state.words[first]}\` needs ${count === 1 ? 'a value' : 'two values'}`)
  if (inverted && !written.row.invertible) return refuseRule(state, 'not-invertible', first - 1, `\`!\` cannot stand before \`${state.words[first]}\``, { lastWord: first })
  const option = readValue(state, written, at, count)
  if (option) give(state, use, option, inverted, first)
}

/** Returns the option with its value; equal words are read once. */
function readValue(state: RuleState, written: WrittenOption, at: number, count: number): ReadOption | undefined {
  const key = count === 1 ? (state.words[at] ?? '') : count === 0 ? '' : state.words.slice(at, at + count).join('\0')
  const known = written.readings.get(key)
  if (known && known.change === undefined) return known
  const reading = written.type.read(state.words.slice(at, at + count), state.vocabulary.family)
  if (!reading.ok) {
    refuseRule(state, 'bad-value', at, reading.problem, { help: reading.help, lastWord: at + count - 1 })
    return undefined
  }
  if (reading.change !== undefined) state.complain('silent-change', at, reading.change, { severity: 'note', lastWord: at + count - 1 })
  if (known) return known
  const option: ReadOption = {
    id: state.vocabulary.nextId++, option: written, change: reading.change,
    plain: { value: reading.value, inverted: false }, inverted: { value: reading.value, inverted: true },
  }
  written.readings.set(key, option)
  return option
}

/** Adds an option to a use, in row order; a second one replaces the first where its row allows that. */
function give(state: RuleState, use: OpenUse, option: ReadOption, inverted: boolean, word: number): void {
  const { index, row } = option.option
  let place = use.given.length
  while (place > 0 && (use.given[place - 1]?.option.option.index ?? -1) > index) place--
  const earlier = use.given[place - 1]
  if (earlier?.option.option.index !== index) {
    use.given.splice(place, 0, { option, inverted })
    return
  }
  if (!row.repeatable) return refuseRule(state, 'duplicate-option', word, `\`${state.words[word]}\` is given twice`)
  use.given[place - 1] = { option: row.merge ? merged(state, earlier.option, option) : option, inverted }
}

function merged(state: RuleState, earlier: ReadOption, later: ReadOption): ReadOption {
  const value = later.option.row.merge?.(earlier.plain.value, later.plain.value)
  return { ...later, id: state.vocabulary.nextId++, plain: { value, inverted: false }, inverted: { value, inverted: true } }
}

/** An option that nobody understands belongs to the unknown extension named last; without one it is refused. */
function takeUnknown(state: RuleState, word: string, inverted: boolean): void {
  const newest = [...state.matches, ...(state.target ? [state.target] : [])].sort((a, b) => b.word - a.word).find(use => !use.extension)
  if (!newest) return reportUnknownOption(state, word)
  if (inverted) newest.unknown.push('!')
  newest.unknown.push(word)
  state.at++
}
