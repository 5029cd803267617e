/** Option words that are not known as they stand: abbreviations, attached values, and those that are refused. */

import { didYouMean } from '../extensions/did-you-mean.ts'
import { COMMAND_NAMES } from './commands.ts'
import { givenIpOption, namedUses, refuseRule } from './rule-state.ts'
import type { RuleState } from './rule-state.ts'

const CONTROL_NAMES = ['--match', '--jump', '--goto', '--table', '--set-counters']

/** Options of the programs that say nothing of the rule; iptables-restore itself takes only the first of them. */
const IGNORED = new Set(['-v', '--verbose', '-w', '--wait', '-n', '--numeric', '-x', '--exact', '--line-numbers'])

/** Options whose value iptables 1.8.9 takes from the whole word when it is attached: `-s10.0.0.1` means `-s -s10.0.0.1`. */
const WHOLE_WORD = /^(-[sdpioj]|--(source|src|destination|dst|protocol|proto|in-interface|out-interface|jump))$/

/**
 * Rewrites the word at hand where getopt_long(3) understands it: `--opt=value`, an unambiguous abbreviation, `-gCHAIN`. Returns
 * whether it did; the words then stand as if they had been written out.
 */
export function splitAttached(state: RuleState, word: string): boolean {
  if (IGNORED.has(word)) return ignore(state, word)
  if (word === '-4' || word === '-6' || word === '--ipv4' || word === '--ipv6') {
    state.otherFamily ||= (word === '-4' || word === '--ipv4') !== (state.vocabulary.family === 'ipv4')
    state.at++
    return true
  }
  if (!word.startsWith('--')) return splitShort(state, word)
  const equals = word.indexOf('=')
  const name = equals === -1 ? word : word.slice(0, equals)
  const full = knownWords(state).has(name) ? name : expandAbbreviation(state, name)
  if (full === undefined || (full === name && equals === -1)) return false
  replaceWord(state, equals === -1 ? [full] : [full, attachedValue(state, full, word, word.slice(equals + 1))])
  return true
}

function ignore(state: RuleState, word: string): boolean {
  const hasNumber = word.includes('w') && /^\d+$/.test(state.words[state.at + 1] ?? '')
  const isForList = state.command?.kind === 'list' && !word.includes('w')
  if (state.inRestore && !isForList && word !== '-v' && word !== '--verbose') refuseRule(state, 'unknown-option', state.at, `\`${word}\` is not for iptables-restore`)
  state.at += hasNumber ? 2 : 1
  return true
}

function splitShort(state: RuleState, word: string): boolean {
  const option = word.slice(0, 2)
  if (word.length === 2 || !/^-[sdpiojgmtcAIDRNPFXZEC]$/.test(option)) return false
  replaceWord(state, [option, attachedValue(state, option, word, word.slice(2))])
  return true
}

/** Kernel: 1.8.9 looks at the word before the next one rather than at the option's value. */
function attachedValue(state: RuleState, option: string, word: string, value: string): string {
  if (!WHOLE_WORD.test(option)) return value
  state.complain('attached-value', state.at, `iptables 1.8.9 takes all of \`${word}\` as the value`, { severity: 'warning', help: `write \`${option} ${value}\`` })
  return word
}

function replaceWord(state: RuleState, words: readonly string[]): void {
  state.words = state.words.toSpliced(state.at, 1, ...words)
}

/** Returns the option that begins with `name`, undefined where there is none, or several that are not the same by other names. */
function expandAbbreviation(state: RuleState, name: string): string | undefined {
  if (name.length < 3) return undefined
  const candidates = [...knownWords(state)].filter(known => known.startsWith(name))
  const distinct = new Set(candidates.map(word => sameOption(state, word)))
  return distinct.size === 1 ? candidates[0] : undefined
}

/** Returns what is one and the same for all names of an option. */
function sameOption(state: RuleState, word: string): unknown {
  const owner = namedUses(state).findLast(use => use.extension?.byWord.has(word))
  const base = state.vocabulary.base.get(word)
  // To the programs `--proto` is no option of their own but short for `--protocol`.
  if (base && !(word === '--proto' && owner)) return base.kind === 'ip' ? base.written : base.kind === 'command' ? base.letter : base.kind
  return owner?.extension?.byWord.get(word) ?? word
}

/** What to say of an extension that is not known: the name that was meant, or what becomes of the words of an addon. */
export function nameHelp(name: string, known: readonly string[], open: string): string {
  return didYouMean(name, known) ?? `an addon may have it: its words are kept as they are, and ${open}`
}

/** Refuses an option that nobody understands. */
export function reportUnknownOption(state: RuleState, word: string): void {
  const known = knownWords(state)
  const candidates = [...known].filter(name => word.length > 2 && name.startsWith(word))
  if (!word.startsWith('-')) refuseRule(state, 'stray-words', state.at, `\`${word}\` is not an option`, { help: 'options begin with `-`; a value with blanks needs double quotes' })
  else if (word.startsWith('--') && candidates.length > 1) refuseRule(state, 'ambiguous-option', state.at, `\`${word}\` may be ${candidates.map(name => `\`${name}\``).join(' or ')}`)
  else if (protocolsOf(word) !== undefined && !hasProtocolMatch(state)) {
    refuseRule(state, 'protocol-needed', state.at, `\`${word}\` needs a protocol before it`, { help: `write \`-p tcp ${word}\`, with the protocol that you mean` })
  } else refuseRule(state, 'unknown-option', state.at, `there is no option \`${word}\` here`, { help: formerNameHelp(state, word) ?? didYouMean(word, [...known]) ?? protocolHelp(word) })
  skipOption(state)
}

/** The protocols that have an option which people take to be everybody's. */
const PROTOCOLS_OF: readonly (readonly [RegExp, string])[] = [
  [/^--?(dport|sport|destination-port|source-port)$/, '`-p tcp` or `-p udp`'], [/^--?(syn|tcp-flags)$/, '`-p tcp`'], [/^--?icmp-type$/, '`-p icmp`'], [/^--?icmpv6-type$/, '`-p ipv6-icmp`'],
]

function protocolsOf(word: string): string | undefined {
  return PROTOCOLS_OF.find(([words]) => words.test(word))?.[1]
}

function protocolHelp(word: string): string | undefined {
  const protocols = protocolsOf(word)
  return protocols === undefined ? undefined : `it goes with ${protocols}, and the rule has another protocol`
}

/** Older versions called it otherwise. */
function formerNameHelp(state: RuleState, word: string): string | undefined {
  const name = namedUses(state).map(use => use.extension?.definition.formerNames?.[word.slice(2)]).find(now => now !== undefined)
  return name === undefined ? undefined : `older versions had it: write \`--${name}\``
}

function hasProtocolMatch(state: RuleState): boolean {
  return givenIpOption(state, 'protocol') !== undefined
}

/** Steps over an option and the words that seem to be its values. */
function skipOption(state: RuleState): void {
  state.at++
  while (state.at < state.words.length && !(state.words[state.at] ?? '').startsWith('-') && state.words[state.at] !== '!') state.at++
}

function knownWords(state: RuleState): ReadonlySet<string> {
  const uses = [state.ip, ...namedUses(state)]
  return new Set([...CONTROL_NAMES, ...COMMAND_NAMES, ...uses.flatMap(use => [...(use.extension?.byWord.keys() ?? [])])].filter(name => name.startsWith('--')))
}
