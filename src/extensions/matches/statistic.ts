/** Source: iptables-extensions(8) "statistic"; net/netfilter/xt_statistic.c statistic_mt(), statistic_mt_check(). */

import { defineMatch, read, refuse } from '../extension.ts'
import type { InfosOf, OptionType, OptionUseOf } from '../extension.ts'
import { wholeNumber } from '../option-types.ts'

/** The kernel compares 31 random bits with the probability in units of 2^-31. */
const CERTAIN = 2 ** 31

const modeType: OptionType<'random' | 'nth'> = {
  syntax: 'random|nth', words: 1,
  read: ([word = '']) => (word === 'random' || word === 'nth' ? read(word) : refuse(`there is no mode \`${word}\`: random or nth`)),
  write: value => [value],
}

const probabilityType: OptionType<number> = {
  syntax: '0..1', words: 1,
  read([word = '']) {
    const value = /^[ \t]*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(word) ? Number(word) : Number.NaN
    return value >= 0 && value <= 1 ? read(Math.round(value * CERTAIN)) : refuse(`\`${word}\` is not a probability from 0 to 1`)
  },
  write: value => [(value / CERTAIN).toFixed(11)],
}

/** Kernel: nth counts for each rule and starts so that the packet with the number `--packet` (from 0) is the first to match. */
export const statistic = defineMatch({
  name: 'statistic',
  doc: 'matches by chance, or every nth packet that reaches it',
  options: {
    mode: { type: modeType, required: true, doc: 'by chance, or by counting' },
    probability: { type: probabilityType, invertible: true, excludes: ['every', 'packet'], doc: 'how often it matches by chance, from 0 to 1' },
    every: { type: wholeNumber(1, 0xffffffff), invertible: true, excludes: ['probability'], requires: ['packet'], doc: 'one packet of so many matches' },
    packet: { type: wholeNumber(0, 0xffffffff), excludes: ['probability'], requires: ['every'], doc: 'which of them, from 0' },
  },
  check({ mode, probability, every, packet }) {
    if (mode?.value === 'random') return probability ? undefined : '`--mode random` needs `--probability`'
    if (!every || !packet) return '`--mode nth` needs `--every` and `--packet`'
    return packet.value >= every.value ? `\`--packet ${packet.value}\` is not below \`--every ${every.value}\`` : undefined
  },
  memory: {
    start: ({ every, packet }: Infos) => ({ left: packet?.value ?? 0, every: every?.value ?? 1 }),
    step: (state, { mode, probability, every }: Infos) => (mode?.value === 'random' ? byChance(probability) : isNth(state as Count) !== (every?.inverted ?? false)),
  },
})

type Infos = InfosOf<{ mode: 'random' | 'nth'; probability: number; every: number; packet: number }>

/** How many packets pass before the next that matches. */
interface Count {
  left: number
  readonly every: number
}

/** Undefined where it may go either way. */
function byChance(use: OptionUseOf<number> | undefined): boolean | undefined {
  if (use?.value === 0) return use.inverted
  return use?.value === CERTAIN ? !use.inverted : undefined
}

function isNth(count: Count): boolean {
  const matches = count.left === 0
  count.left = matches ? count.every - 1 : count.left - 1
  return matches
}
