/** Comma-separated lists of names that stand for bits: connection states, address types, events. */

import { read, refuse } from './extension.ts'
import type { OptionType, Reading } from './extension.ts'
import { didYouMean } from './did-you-mean.ts'

/** Names and their bits, in the order in which they are tried and printed. */
export type BitNames = readonly (readonly [name: string, bit: number])[]

/**
 * Names in any case, each may be cut short: the first in `tried` that begins with it is meant. Source: the strncasecmp() loops of
 * extensions/libxt_conntrack.c conntrack_ps_state() and libxt_addrtype.c parse_type().
 */
export function abbreviatedNames(tried: BitNames, printed: BitNames, what: string): OptionType<number> {
  return namesOf(tried, printed, what, (name, word) => name.toUpperCase().startsWith(word.toUpperCase()))
}

/** Names that must be written out. */
export function exactNames(names: BitNames, what: string): OptionType<number> {
  return namesOf(names, names, what, (name, word) => name === word)
}

function namesOf(tried: BitNames, printed: BitNames, what: string, isMeant: (name: string, word: string) => boolean): OptionType<number> {
  return {
    syntax: `${what}[,...]`, words: 1,
    read: ([word = '']) => readNames(word, tried, what, isMeant),
    write: bits => [printed.filter(([, bit]) => (bits & bit) !== 0 || (bit === 0 && bits === 0)).map(([name]) => name).join(',')],
  }
}

function readNames(word: string, tried: BitNames, what: string, isMeant: (name: string, word: string) => boolean): Reading<number> {
  let bits = 0
  for (const part of word.split(',')) {
    const found = part === '' ? undefined : tried.find(([name]) => isMeant(name, part))
    if (!found) return refuse(part === '' ? `a ${what} is missing in \`${word}\`` : `there is no ${what} \`${part}\``, didYouMean(part, tried.map(([name]) => name)))
    bits |= found[1]
  }
  return read(bits)
}
