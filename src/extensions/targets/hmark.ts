/** Source: iptables-extensions(8) "HMARK"; net/netfilter/xt_HMARK.c hmark_tg_v4(), hmark_tg_check(); extensions/libxt_HMARK.c HMARK_check(), HMARK_save(). */

import { addressWidth } from '../../net/address.ts'
import type { Family } from '../../net/address.ts'
import { maskLength } from '../address-types.ts'
import { defineTarget, read } from '../extension.ts'
import type { InfosOf, OptionType } from '../extension.ts'
import { abbreviatedNames } from '../name-lists.ts'
import type { BitNames } from '../name-lists.ts'
import { wholeNumber } from '../option-types.ts'

const CT = 1
const PARTS: BitNames = [['ct', CT], ['src', 2], ['dst', 4], ['sport', 8], ['dport', 16], ['proto', 32], ['spi', 64]]

/** Kernel: 1.8.9 takes a mask that is no prefix, and a length that is too big, as the full length. */
const prefixLength: OptionType<number> = {
  syntax: 'length|mask', words: 1,
  read(words, family) {
    const length = maskLength.read(words, family)
    return length.ok ? read(length.value ?? addressWidth(family)) : length
  },
  write: length => [String(length)],
}

const bits16 = hex(0xffff, 4)
const bits32 = hex(0xffffffff, 8)

type NumberName = `hmark-${'src-prefix' | 'dst-prefix' | 'sport-mask' | 'dport-mask' | 'spi-mask' | 'sport' | 'dport' | 'spi' | 'proto-mask' | 'rnd' | 'mod' | 'offset'}`
type Options = Record<NumberName | 'hmark-tuple', number>

/** What a name in --hmark-tuple stands for. */
const IN_TUPLE: readonly (readonly [bit: number, option: NumberName, value: (family: Family) => number])[] = [
  [2, 'hmark-src-prefix', addressWidth], [4, 'hmark-dst-prefix', addressWidth], [8, 'hmark-sport-mask', () => 0xffff], [16, 'hmark-dport-mask', () => 0xffff],
  [64, 'hmark-spi-mask', () => 0xffffffff], [32, 'hmark-proto-mask', () => 0xffff],
]

export const hmarkTarget = defineTarget<Options>({
  name: 'HMARK',
  doc: 'makes the packet mark of a hash over what the packet says; the next rule follows',
  requiresOneOf: ['hmark-tuple', 'hmark-src-prefix', 'hmark-dst-prefix', 'hmark-sport-mask', 'hmark-dport-mask', 'hmark-spi-mask', 'hmark-sport', 'hmark-dport', 'hmark-spi', 'hmark-proto-mask'],
  options: {
    'hmark-src-prefix': { type: prefixLength, doc: 'so many bits of the source address count' },
    'hmark-dst-prefix': { type: prefixLength, doc: 'so many bits of the destination address count' },
    'hmark-sport-mask': { type: bits16, doc: 'bits of the source port that count' },
    'hmark-dport-mask': { type: bits16, doc: 'bits of the destination port that count' },
    'hmark-spi-mask': { type: bits32, doc: 'bits of the esp or ah index that count' },
    'hmark-sport': { type: bits16, doc: 'source port that is taken in its place' },
    'hmark-dport': { type: bits16, doc: 'destination port that is taken in its place' },
    'hmark-spi': { type: bits32, excludes: ['hmark-sport', 'hmark-dport'], doc: 'esp or ah index that is taken in its place' },
    'hmark-proto-mask': { type: hex(0xffff, 2), doc: 'bits of the protocol number that count' },
    'hmark-rnd': { type: bits32, required: true, doc: 'seed of the hash' },
    'hmark-mod': { type: wholeNumber(1, 0xffffffff), required: true, doc: 'number of different marks' },
    'hmark-offset': { type: wholeNumber(0, 0xffffffff), doc: 'the lowest mark' },
    'hmark-tuple': {
      type: abbreviatedNames(PARTS, PARTS, 'part of a tuple'),
      forgets: tuple => IN_TUPLE.flatMap(([bit, option]) => (tuple & bit ? [option] : [])),
      doc: 'what counts with all its bits: src, dst, sport, dport, spi, proto; ct: of the original direction of the connection',
    },
  },
  print: printAll,
  does: () => [{ kind: 'notModelled', words: 'the hash that becomes the packet mark' }],
  check: checkParts,
})

function printAll(infos: InfosOf<Options>, family: Family): string {
  const tuple = infos['hmark-tuple']?.value ?? 0
  const words = Object.entries(hmarkTarget.options).flatMap(([name, row]) => {
    const value = infos[name as NumberName]?.value ?? IN_TUPLE.find(([bit, option]) => option === name && tuple & bit)?.[2](family)
    return value === undefined || name === 'hmark-tuple' ? [] : [`--${name} ${row.type.write(value, family).join('')}`]
  })
  return [...words, ...(tuple & CT ? ['--hmark-tuple ct'] : [])].join(' ')
}

/** An option after a tuple that has it is refused; one before the tuple is forgotten. */
function checkParts(infos: InfosOf<Options>): string | undefined {
  const tuple = infos['hmark-tuple']?.value ?? 0
  const twice = IN_TUPLE.find(([bit, option]) => tuple & bit && infos[option])?.[1]
  if (twice) return `\`--${twice}\` is given by \`--hmark-tuple\` already`
  const has = (option: NumberName): boolean => infos[option] !== undefined || IN_TUPLE.some(([bit, name]) => name === option && tuple & bit)
  return has('hmark-spi-mask') && (has('hmark-sport-mask') || has('hmark-dport-mask')) ? 'the esp or ah index and ports cannot count together' : undefined
}

function hex(high: number, digits: number): OptionType<number> {
  return { ...wholeNumber(0, high), write: value => [`0x${value.toString(16).padStart(digits, '0')}`] }
}
