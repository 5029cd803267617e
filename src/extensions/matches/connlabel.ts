/** Source: iptables-extensions(8) "connlabel"; net/netfilter/xt_connlabel.c connlabel_mt(). */

import { defineMatch, read, refuse } from '../extension.ts'
import type { OptionType } from '../extension.ts'
import { flag, readWholeNumber } from '../option-types.ts'
import { undecided } from '../undecided.ts'

/** Kernel: 1.8.9 keeps the low 16 bits of a number whose low 32 are not negative. Source: extensions/libxt_connlabel.c connlabel_value_parse(). */
const label: OptionType<number> = {
  syntax: 'number', words: 1,
  read([word = '']) {
    const number = readWholeNumber(word, 0, Number.MAX_SAFE_INTEGER)
    if (!number.ok) return number
    const kept = Number(BigInt(number.value) & 0xffffn)
    if (kept > 127 || BigInt(number.value) & 0x80000000n) return refuse(`label \`${word}\` is above 127`)
    return read(kept, kept === number.value ? undefined : `label \`${word}\` is above 127: it becomes ${kept}`)
  },
  write: number => [String(number)],
}

/** Kernel: with --set the label is set first, so that it matches wherever that worked. Names come from a file that no system has at first. */
export const connlabel = defineMatch({
  name: 'connlabel',
  doc: 'matches a label of the connection, and may set it',
  options: {
    label: { type: label, invertible: true, required: true, print: use => `--label "${use.value}"`, doc: 'number of the label', means: number => undecided(`-m connlabel --label ${number}`) },
    set: { type: flag, doc: 'sets the label' },
  },
})
