/** Byte patterns of the match string. Source: extensions/libxt_string.c parse_hex_string(), is_hex_string(), print_string(). */

import { read, refuse } from './extension.ts'
import type { OptionType, Reading } from './extension.ts'

/** A pattern as bytes. */
export type Pattern = readonly number[]

const LIMIT = 128
const BACKSLASH = 92

/** A text as it stands. */
export const plainPattern: OptionType<Pattern> = {
  syntax: 'text', words: 1,
  read: ([word = '']) => checkLength([...new TextEncoder().encode(word)], word),
  write: pattern => [writePattern(pattern).text],
}

/** A text with bytes in hex between bars: `GET |20 41|`; a backslash takes the next character as it is. */
export const hexPattern: OptionType<Pattern> = {
  ...plainPattern, syntax: 'text with |hex|',
  read([word = '']) {
    if (word === '') return refuse('the pattern is empty')
    const bytes = readHexPattern(new TextEncoder().encode(word))
    return typeof bytes === 'string' ? refuse(`\`${word}\`: ${bytes}`) : checkLength(bytes, word)
  },
}

/** Returns a pattern in quotes as iptables-save prints it: in hex where a byte is not printable ASCII or the last is a backslash. */
export function writePattern(pattern: Pattern): { readonly isHex: boolean; readonly text: string } {
  const isHex = pattern.at(-1) === BACKSLASH || pattern.some(byte => byte < 32 || byte > 126)
  if (isHex) return { isHex, text: `"|${pattern.map(byte => byte.toString(16).padStart(2, '0')).join('')}|"` }
  return { isHex, text: `"${String.fromCharCode(...pattern).replace(/["\\]/g, '\\$&')}"` }
}

function checkLength(bytes: Pattern, word: string): Reading<Pattern> {
  return bytes.length > LIMIT ? refuse(`the pattern \`${word}\` is longer than ${LIMIT} bytes`) : read(bytes)
}

/** Returns the bytes, or what is wrong. */
function readHexPattern(bytes: Uint8Array): number[] | string {
  const pattern: number[] = []
  const text = String.fromCharCode(...bytes)
  let isHex = false
  for (let at = 0; at < text.length; ) {
    if (text[at] === '|') {
      isHex = !isHex
      at++
      while (isHex && text[at] === ' ') at++
    } else if (isHex) {
      if (text[at] === '\\') return 'a backslash cannot stand between bars'
      if (!/^[0-9a-f]{2}$/i.test(text.slice(at, at + 2)) || at + 2 >= text.length) return 'between bars stand pairs of hex digits'
      pattern.push(Number.parseInt(text.slice(at, at + 2), 16))
      at += text[at + 2] === ' ' ? 3 : 2
    } else {
      if (text[at] === '\\') at++
      if (at >= text.length) return 'a backslash ends the pattern'
      pattern.push(text.charCodeAt(at++))
    }
  }
  return pattern
}
