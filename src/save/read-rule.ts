/** The words of one rule -> its matches, target and command. Follows getopt_long(3) as iptables drives it (iptables/xshared.c do_parse()). */

import { readCounter } from './counters.ts'
import { finishRules } from './finish-rule.ts'
import { readCommand, takesCounters } from './commands.ts'
import type { Command, CommandLetter } from './commands.ts'
import { matchOfProtocol } from './option-table.ts'
import type { BaseWord, ReadOption, WrittenOption } from './option-table.ts'
import { matchNames } from '../extensions/registry.ts'
import { nameHelp, reportUnknownOption, splitAttached } from './unknown-options.ts'
import { givenIpOption, namedUses, refuseRule, startMatch, startRule, startTarget } from './rule-state.ts'
import type { OpenUse, ReadLine, ReadRule, RuleState } from './rule-state.ts'

/** Reads the words of one line; what is refused is told to the state's `complain` and makes `ok` false. */
export function readRuleWords(words: readonly string[], state: RuleState): ReadLine {
  startRule(state, words)
  while (state.at < state.words.length) readNextOption(state)
  const { command, table, counters, otherFamily } = state
  if (state.ok && command) checkCommand(state, command)
  const rules = state.ok && command?.hasRule ? finishRules(state) : NO_RULES
  return { command, table, rules, counters, otherFamily, ok: state.ok }
}

const NO_RULES: readonly ReadRule[] = []

/** Refuses what cannot stand with a command; matches may stand with all of them. */
function checkCommand(state: RuleState, command: Command): void {
  const { ip, jump, counters, words } = state
  const name = command.kind === 'deleteNumber' ? '`-D` with the number of a rule' : `\`${words[state.commandAt] ?? ''}\``
  const isPart = !command.hasRule && command.kind !== 'help' && (ip.count > 0 || jump !== undefined)
  if (isPart) refuseRule(state, 'option-conflict', ip.count > 0 || !jump ? -1 : jump.word - 1, `${name} has no rule: addresses, devices, protocols and targets cannot stand there`)
  else if (counters && !takesCounters(command)) refuseRule(state, 'option-conflict', words.findIndex(word => word === '-c' || word.startsWith('--set-c')), `${name} takes no counters`)
}

function readNextOption(state: RuleState): void {
  let inverted = false
  let word = state.words[state.at] ?? ''
  if (word === '!') {
    inverted = true
    word = state.words[++state.at] ?? ''
    if (state.at >= state.words.length) return refuseRule(state, 'stray-words', state.at - 1, 'nothing follows the `!`')
    if (word === '!') return refuseRule(state, 'stray-words', state.at++, 'two `!` stand one after the other')
  }
  // To the programs `--proto` is short for `--protocol`, and an option of that name (of policy) comes first.
  const base = word === '--proto' && ownerOf(state, word) ? undefined : state.vocabulary.base.get(word)
  if (base && !(base.kind === 'command' && ownerOf(state, word))) {
    if (base.kind === 'ip') return takeOption(state, state.ip, base.written, inverted)
    if (inverted) return refuseRule(state, 'not-invertible', state.at++ - 1, `\`!\` cannot stand before \`${word}\``)
    return readControl(state, base, word)
  }
  const owner = ownerOf(state, word)
  const written = owner?.extension?.byWord.get(word)
  if (owner && written) return takeOption(state, owner, written, inverted)
  if (word.startsWith('--') && !isAbbreviated(state, word) && loadProtocolMatch(state, word)) {
    if (inverted) state.at--
    return
  }
  const isUnread = word.startsWith('--') && namedUses(state).some(use => !use.extension)
  if (!isUnread && word.startsWith('-') && word.length > 1 && splitAttached(state, word)) {
    if (inverted) state.words = state.words.with(--state.at, '!')
    return
  }
  if (loadProtocolMatch(state, word)) {
    if (inverted) state.at--
    return
  }
  takeUnknown(state, word, inverted)
}

/** Whether a match or target named so far has an option that begins with the word: it comes before the match of `-p`. */
function isAbbreviated(state: RuleState, word: string): boolean {
  return namedUses(state).some(use => use.extension && [...use.extension.byWord.keys()].some(known => known.startsWith(word)))
}

/** The options that are not a match's or target's: `-m -j -g -c -t` and the commands. */
function readControl(state: RuleState, base: Exclude<BaseWord, { kind: 'ip' }>, word: string): void {
  const value = state.words[state.at + 1] ?? ''
  switch (base.kind) {
    case 'match':
      return needWord(state, word) ? openMatch(state, value) : undefined
    case 'jump':
    case 'goto':
      return needWord(state, word) ? openTarget(state, base.kind, value) : undefined
    case 'table':
      if (needWord(state, word)) state.table = value
      if (state.inRestore) refuseRule(state, 'option-conflict', state.at - 2, `\`${word}\` cannot stand within a table`, { help: 'the line `*TABLE` names it' })
      return
    case 'counters':
      return readCounters(state)
    case 'command':
      return takeCommand(state, base.letter, word)
  }
}

/** Checks that a word follows the option and steps over both. */
function needWord(state: RuleState, option: string): boolean {
  const at = state.at
  state.at += 2
  if (at + 1 < state.words.length) return true
  refuseRule(state, 'missing-value', at, `\`${option}\` needs a value`)
  return false
}

function takeCommand(state: RuleState, letter: CommandLetter, word: string): void {
  const found = readCommand(letter, state.words, state.at)
  if (found.command?.kind === 'help') {
    // The programs print their help as soon as they meet the word.
    state.command = found.command
    state.at = state.words.length
    return
  }
  if (found.problem !== undefined) refuseRule(state, 'unknown-command', state.at, found.problem)
  else if (state.command) refuseRule(state, 'option-conflict', state.at, `\`${word}\` is a second command in one line`)
  state.command ??= found.command
  state.commandAt = state.at
  state.at = found.next
}

function openMatch(state: RuleState, name: string): void {
  const extension = state.vocabulary.match(name)
  if (!extension) reportUnknownMatch(state, name, state.at - 1)
  startMatch(state, extension, extension?.name ?? name, state.at - 1)
}

function reportUnknownMatch(state: RuleState, name: string, word: number): void {
  if (!/^[-\w]+$/.test(name)) return refuseRule(state, 'unknown-match', word, `there is no match \`${name}\``)
  state.complain('unknown-match', word, `iptables 1.8.9 has no match \`${name}\``, { help: nameHelp(name, matchNames(state.vocabulary.family), 'whether it matches is left open') })
}

function openTarget(state: RuleState, kind: 'jump' | 'goto', name: string): void {
  if (state.jump) return refuseRule(state, 'duplicate-option', state.at - 2, 'the rule has a second target')
  if (name === '') return refuseRule(state, 'bad-value', state.at - 1, 'the name of a target or chain is empty')
  state.jump = { kind, chain: name, word: state.at - 1 }
  if (kind === 'goto') return
  const extension = state.vocabulary.target(name)
  startTarget(state, extension, extension?.name ?? name, state.at - 1)
}

/** `-c PACKETS BYTES` or `-c PACKETS,BYTES`. */
function readCounters(state: RuleState): void {
  const first = state.words[state.at + 1] ?? ''
  const [packets = '', bytes = state.words[state.at + 2] ?? ''] = first.split(',')
  if (/^\d+$/.test(packets) && /^\d+$/.test(bytes)) state.counters = { packets: readCounter(packets), bytes: readCounter(bytes) }
  else refuseRule(state, 'bad-counters', state.at, '`-c` needs two numbers: packets and bytes')
  state.at += first.includes(',') ? 2 : 3
}

/** Returns the use that understands an option word, undefined where none does: the one named last wins, as in getopt's merged table. */
function ownerOf(state: RuleState, word: string): OpenUse | undefined {
  const { matches, target } = state
  let owner: OpenUse | undefined
  for (let index = state.matchCount - 1; index >= 0 && !owner; index--) if (matches[index]?.extension?.byWord.has(word)) owner = matches[index]
  if (target?.extension?.byWord.has(word) && (!owner || target.word > owner.word)) return target
  return owner
}

/** Loads the match of `-p` when an option is not understood without it. Returns whether it helped. */
function loadProtocolMatch(state: RuleState, word: string): boolean {
  const given = givenIpOption(state, 'protocol')
  const name = given && matchOfProtocol(Number(given.option.value), state.words[state.optionAt.findIndex(written => written === given.written)] ?? '')
  if (name === undefined || !word.startsWith('-') || namedUses(state).some(use => use.name === name)) return false
  const extension = state.vocabulary.match(name)
  const isKnown = extension?.byWord.has(word.split('=')[0] ?? word) || [...(extension?.byWord.keys() ?? [])].some(known => word.length > 2 && known.startsWith(word))
  if (!extension || !isKnown) return false
  startMatch(state, extension, name, state.at)
  return true
}

/** Reads the words of an option into a use. */
function takeOption(state: RuleState, use: OpenUse, written: WrittenOption, invertedBefore: boolean): void {
  const first = state.at
  const count = written.isOptional && lacksWord(state) ? 0 : written.words
  let inverted = invertedBefore
  let at = first + 1
  if (count > 0 && isOldNegation(state.words, at)) {
    refuseRule(state, 'old-negation', at, `\`!\` after \`${state.words[first]}\` is refused since iptables 1.4.3`, { help: `write \`! ${state.words[first]} ${state.words.slice(at + 1, at + 1 + count).join(' ')}\`` })
    inverted = true
    at++
  }
  state.at = at + count
  if (state.at > state.words.length) return refuseRule(state, 'missing-value', first, `\`${state.words[first]}\` needs ${count === 1 ? 'a value' : 'two values'}`)
  if (inverted && !written.invertible) return refuseRule(state, 'not-invertible', first - 1, `\`!\` cannot stand before \`${state.words[first]}\``, { lastWord: first })
  const word = count === 1 ? (state.words[at] ?? '') : count === 0 ? '' : state.words.slice(at, at + count).join('\0')
  if (count === 1) state.optionAt[at] = written
  if (written.makesRules && word.includes(',')) return takeList(state, use, written, word, inverted)
  const option = readValue(state, written, word, at, inverted)
  if (option) give(state, use, option, first)
  if (option && written.isOrdered) checkOrder(state, use, option, first)
}

function lacksWord({ words, at }: RuleState): boolean {
  return at + 1 >= words.length || /^[-!]/.test(words[at + 1] ?? '')
}

/** `--dport ! 80`; a `!` that only another option follows is itself the value. */
function isOldNegation(words: readonly string[], at: number): boolean {
  const next = words[at + 1]
  return words[at] === '!' && next !== undefined && !next.startsWith('-')
}

/** Refuses an option that stands too early: the programs look at what they have read so far. */
function checkOrder(state: RuleState, use: OpenUse, { written }: ReadOption, word: number): void {
  const { after, afterProtocol } = written.row
  const isThere = after === undefined || use.given.slice(0, use.count).some(given => given.written.name === after)
  if (!isThere) refuseRule(state, 'missing-option', word, `\`${state.words[word]}\` needs \`--${after}\` before it`)
  const number = givenIpOption(state, 'protocol')?.option.value
  const protocol = typeof number === 'number' && number !== 0 ? number : undefined
  const problem = afterProtocol?.(state.words.slice(state.at - written.type.words, state.at), protocol)
  if (problem !== undefined) refuseRule(state, protocol === undefined ? 'protocol-needed' : 'bad-value', word, problem)
}

/** Reads a comma-separated list: the first value is the rule's own, the others make further rules. */
function takeList(state: RuleState, use: OpenUse, written: WrittenOption, word: string, inverted: boolean): void {
  const at = state.at - 1
  if (inverted) return refuseRule(state, 'not-invertible', at, '`!` cannot stand before several addresses', { help: 'write a rule for each, or use `-m set`' })
  for (const [index, part] of word.split(',').entries()) {
    const option = readValue(state, written, part, at, inverted)
    if (option && index === 0) give(state, use, option, at - 1)
    else if (option) state.others = [...state.others, option]
  }
}

/** So many values of one option are kept to be shared; where they hardly repeat (a list of addresses), no more are looked for. */
const SHARED_VALUES = 4096

/** Returns the option with its value; equal words are read once. `text` is its word, or its words with a NUL between them. */
export function readValue(state: RuleState, written: WrittenOption, text: string, at: number, inverted: boolean): ReadOption | undefined {
  const readings = inverted ? written.inverted : written.plain
  const { byText } = readings
  const isFull = byText.size >= SHARED_VALUES
  if (isFull && readings.hits < SHARED_VALUES) return readNewValue(state, written, text, at, inverted)
  const known = byText.get(text)
  if (!known) {
    const option = readNewValue(state, written, text, at, inverted)
    if (option && !isFull) byText.set(text, option)
    return option
  }
  readings.hits++
  known.isNew = false
  if (known.change !== undefined) state.complain('silent-change', at, known.change, { severity: 'note', lastWord: at + written.words - 1 })
  return known
}

function readNewValue(state: RuleState, written: WrittenOption, text: string, at: number, inverted: boolean): ReadOption | undefined {
  const reading = written.type.read(written.words === 1 ? [text] : text.split('\0'), state.vocabulary.family)
  if (!reading.ok) {
    refuseRule(state, 'bad-value', at, reading.problem, { help: reading.help, lastWord: at + written.words - 1 })
    return undefined
  }
  if (reading.change !== undefined) state.complain('silent-change', at, reading.change, { severity: 'note', lastWord: at + written.words - 1 })
  return { written, option: { value: reading.value, inverted }, change: reading.change, isNew: true, use: undefined, next: undefined }
}

/** Adds an option to a use, in row order; a second one replaces the first where its row allows that. */
function give(state: RuleState, use: OpenUse, option: ReadOption, word: number): void {
  const { row, index } = option.written
  if (row.forgets) forget(use, row.forgets(option.option.value))
  if (use.forgotten.some(({ written }) => written.index === index)) return refuseTwice(state, word)
  const { given } = use
  let place = use.count
  while (place > 0 && (given[place - 1]?.written.index ?? -1) > index) place--
  const earlier = place > 0 ? given[place - 1] : undefined
  if (earlier === undefined || earlier.written.index !== index) {
    for (let index = use.count++; index > place; index--) given[index] = given[index - 1] ?? option
    given[place] = option
  } else giveAgain(state, use, place - 1, option, word)
}

function forget(use: OpenUse, names: readonly string[]): void {
  const given = use.given.slice(0, use.count)
  const kept = given.filter(({ written }) => !names.includes(written.name))
  if (kept.length === given.length) return
  use.forgotten = [...use.forgotten, ...given.filter(({ written }) => names.includes(written.name))]
  use.given.splice(0, kept.length, ...kept)
  use.count = kept.length
}

function giveAgain(state: RuleState, { given }: OpenUse, place: number, option: ReadOption, word: number): void {
  const earlier = given[place]
  if (earlier && mayFollow(option, earlier)) given[place] = together(earlier, option)
  else refuseTwice(state, word)
}

function refuseTwice(state: RuleState, word: number): void {
  refuseRule(state, 'duplicate-option', word, `\`${state.words[word]}\` is given twice`)
}

function mayFollow({ written }: ReadOption, earlier: ReadOption): boolean {
  if (written.row.repeatable !== 'otherSpelling') return written.row.repeatable === true
  return earlier.written !== written && !(earlier.replaced ?? []).includes(written)
}

function together(earlier: ReadOption, later: ReadOption): ReadOption {
  const option = later.written.row.merge?.(earlier.option, later.option) ?? later.option
  return { ...later, option, replaced: [...earlier.replaced ?? [], earlier.written], isNew: true, use: undefined, next: undefined }
}

/** An option that nobody understands belongs to the unknown extension named last; without one it is refused. */
function takeUnknown(state: RuleState, word: string, inverted: boolean): void {
  const newest = namedUses(state).findLast(use => !use.extension)
  if (!newest) return reportUnknownOption(state, word)
  newest.unknown ??= []
  if (inverted) newest.unknown.push('!')
  newest.unknown.push(word)
  state.at++
}
