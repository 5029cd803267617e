/** Strings that users choose: comments, prefixes, names. */

import { quoteWord } from '../../grammar/save-words.ts'
import { read, refuse } from './extension.ts'
import type { OptionType, OptionUseOf } from './extension.ts'
import { PLAIN_TEXT } from './plain-values.ts'

/** A string of at most `limit` bytes; what is longer is cut when it is loaded. */
export function text(limit: number, syntax: string): OptionType<string> {
  return {
    syntax, words: 1,
    read([word = '']) {
      const cut = cutToBytes(word, limit)
      return read(cut, cut === word ? undefined : `the text is cut after ${limit} bytes`)
    },
    write: value => [value],
  }
}

/** A string of at most `limit` bytes; a longer one is refused. */
export function name(limit: number, syntax: string): OptionType<string> {
  return {
    syntax, words: 1,
    read: ([word = '']) => (cutToBytes(word, limit) === word ? read(word) : refuse(`\`${word}\` is longer than ${limit} bytes`)),
    write: value => [value],
  }
}

/** A comment: text that nothing depends on. */
export const commentText: OptionType<string> = { ...text(255, 'text'), plain: () => PLAIN_TEXT }

/** Prints a string as iptables-save quotes those that users choose. */
export function printQuoted(option: string): (use: OptionUseOf<string>) => string {
  return use => `${option} ${quoteWord(use.value)}`
}

/** Prints a string as it is: some extensions quote nothing, so that blanks in it do not survive the next load. */
export function printBare(option: string): (use: OptionUseOf<string>) => string {
  return use => `${option} ${use.value}`
}

/** Returns the first `limit` bytes. Cuts in the middle of a character too, as the kernel does; what is left of it is dropped. */
export function cutToBytes(word: string, limit: number): string {
  if (word.length * 3 <= limit) return word
  let bytes = 0
  let end = 0
  for (const char of word) {
    const code = char.codePointAt(0) ?? 0
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
    if (bytes > limit) return word.slice(0, end)
    end += char.length
  }
  return word
}
