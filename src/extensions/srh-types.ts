/** Comparisons of the match srh. Source: extensions/libip6t_srh.c srh1_parse(), srh1_save(). */

import { read } from './extension.ts'
import type { OptionRow, OptionType, OptionUseOf } from './extension.ts'
import { readWholeNumber } from './option-types.ts'
import { undecided } from './undecided.ts'
import { all, not } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'

const SIGNS = ['eq', 'gt', 'lt'] as const

/** One number with the signs by which it is compared. Kernel: they share it, the number given last counts for all. */
export interface SrhComparison {
  readonly number: number
  readonly signs: readonly { readonly sign: (typeof SIGNS)[number]; readonly inverted: boolean }[]
}

/** Returns the row of a field whose options are `NAME-eq`, `NAME-gt` and `NAME-lt`; what it prints and means is said for all rows at once. */
export function srhRow(name: string, doc: string): OptionRow<SrhComparison> {
  return {
    type: comparison('eq'), invertible: true, repeatable: 'otherSpelling', spellings: { [`${name}-gt`]: comparison('gt'), [`${name}-lt`]: comparison('lt') },
    doc: `${doc}; with -gt above, with -lt below this`,
    merge: (earlier, later) => ({ value: { number: later.value.number, signs: [...signsOf(earlier), ...later.value.signs] }, inverted: later.inverted }),
    print: () => undefined,
  }
}

/** Returns the options of a field as iptables-save prints them. */
export function writeSrh(name: string, use: OptionUseOf<SrhComparison> | undefined): string[] {
  if (!use) return []
  const inOrder = SIGNS.flatMap(sign => signsOf(use).filter(one => one.sign === sign))
  return inOrder.map(({ sign, inverted }) => `${inverted ? '! ' : ''}--${name}-${sign} ${use.value.number}`)
}

/** Returns what a comparison means, with its inversions. */
export function srhMeaning(name: string, use: OptionUseOf<SrhComparison> | undefined): Predicate {
  if (!use) return all([])
  return all(signsOf(use).map(({ sign, inverted }) => {
    const holds = undecided(`-m srh --${name}-${sign} ${use.value.number}`)
    return inverted ? not(holds) : holds
  }))
}

/** The inversion of the use is that of the sign given last. */
function signsOf({ value, inverted }: OptionUseOf<SrhComparison>): SrhComparison['signs'] {
  return value.signs.map((one, index) => (index === value.signs.length - 1 ? { ...one, inverted } : one))
}

function comparison(sign: (typeof SIGNS)[number]): OptionType<SrhComparison> {
  return {
    syntax: 'number', words: 1,
    read([word = '']) {
      const number = readWholeNumber(word, 0, 255)
      return number.ok ? read({ number: number.value, signs: [{ sign, inverted: false }] }) : number
    },
    write: value => [String(value.number)],
  }
}
