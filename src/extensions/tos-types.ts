/** The TOS byte: values with a mask, and the old names. Source: libxtables/xtoptions.c xtopt_parse_tosmask(), tos_parse_numeric(). */

import { didYouMean } from './did-you-mean.ts'
import { read, refuse } from './extension.ts'
import type { OptionType, Reading } from './extension.ts'
import { readWholeNumber } from './option-types.ts'

/** A value of the TOS byte and the bits of it that count. */
export interface TosMask {
  readonly value: number
  readonly mask: number
}

const NAMES: Readonly<Record<string, number>> = { 'Minimize-Delay': 0x10, 'Maximize-Throughput': 8, 'Maximize-Reliability': 4, 'Minimize-Cost': 2, 'Normal-Service': 0 }

/** `value[/mask]`, or a name, which leaves the two highest bits alone. */
export const tosMask: OptionType<TosMask> = {
  syntax: 'value[/mask]|name', words: 1,
  read([word = '']) {
    if (!/^\s*\+?\d/.test(word)) return readTosName(word)
    const slash = word.indexOf('/')
    const value = readWholeNumber(slash === -1 ? word : word.slice(0, slash), 0, 255)
    const mask = slash === -1 ? read(255) : readWholeNumber(word.slice(slash + 1), 0, 255)
    if (!value.ok) return value
    return mask.ok ? read({ value: value.value, mask: mask.value }) : mask
  },
  write: ({ value, mask }) => [`${hexByte(value)}/${hexByte(mask)}`],
}

/** Returns `0x` and two hex digits. */
export function hexByte(value: number): string {
  return `0x${value.toString(16).padStart(2, '0')}`
}

function readTosName(word: string): Reading<TosMask> {
  const known = Object.entries(NAMES).find(([name]) => name.toLowerCase() === word.toLowerCase())
  return known ? read({ value: known[1], mask: 0x3f }) : refuse(`there is no type of service \`${word}\``, didYouMean(word, Object.keys(NAMES)))
}
