/** Marks with masks, and the spellings by which MARK and CONNMARK change one. Source: libxtables xtables_parse_mark_mask(). */

import { read, refuse } from './extension.ts'
import type { OptionType, Reading } from './extension.ts'
import { readWholeNumber } from './option-types.ts'

/** A mark and the bits of it that count. */
export interface MarkMask {
  readonly mark: number
  readonly mask: number
}

const ALL_BITS = 0xffffffff

/** `value[/mask]`; a full mask is left out. */
export const markMask: OptionType<MarkMask> = {
  syntax: 'value[/mask]', words: 1,
  read: ([word = '']) => readMarkMask(word),
  write: ({ mark, mask }) => [mask === ALL_BITS ? hex(mark) : `${hex(mark)}/${hex(mask)}`],
}

/** `value[/mask]`: the bits of mask are cleared, then those of value flipped. The mask is always printed. */
export const xorMark: OptionType<MarkMask> = { ...markMask, write: ({ mark, mask }) => [`${hex(mark)}/${hex(mask)}`] }

/** The other spellings of `--set-xmark`. */
export const MARK_SPELLINGS = {
  'set-mark': markSpelling('value[/mask]', ({ mark, mask }) => ({ mark, mask: (mark | mask) >>> 0 })),
  'and-mark': markSpelling('value', ({ mark }) => ({ mark: 0, mask: ~mark >>> 0 })),
  'or-mark': markSpelling('value', ({ mark }) => ({ mark, mask: mark })),
  'xor-mark': markSpelling('value', ({ mark }) => ({ mark, mask: 0 })),
} as const

/** 32 bits, printed in hex. */
export const bits32: OptionType<number> = {
  syntax: 'mask', words: 1,
  read: ([word = '']) => readWholeNumber(word, 0, ALL_BITS),
  write: value => [hex(value)],
}

function markSpelling(syntax: string, toXor: (given: MarkMask) => MarkMask): OptionType<MarkMask> {
  return {
    ...xorMark, syntax,
    read([word = '']) {
      const given = syntax === 'value' ? readBits(word) : readMarkMask(word)
      return given.ok ? read(toXor(given.value)) : given
    },
  }
}

function readBits(word: string): Reading<MarkMask> {
  const mark = readWholeNumber(word, 0, ALL_BITS)
  return mark.ok ? read({ mark: mark.value, mask: ALL_BITS }) : mark
}

function readMarkMask(word: string): Reading<MarkMask> {
  const [markWord = '', maskWord, ...more] = word.split('/')
  if (more.length > 0) return refuse(`\`${word}\` has more than one mask`)
  const mark = readWholeNumber(markWord, 0, ALL_BITS)
  const mask = maskWord === undefined ? read(ALL_BITS) : readWholeNumber(maskWord, 0, ALL_BITS)
  if (!mark.ok) return mark
  return mask.ok ? read({ mark: mark.value, mask: mask.value }) : mask
}

function hex(value: number): string {
  return `0x${value.toString(16)}`
}
