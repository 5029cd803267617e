/** Rates of the match rateest. Source: extensions/libxt_rateest.c rateest_get_rate(), rateest_print_rate(). */

import { read, refuse } from './extension.ts'
import type { OptionType } from './extension.ts'
import { wholeNumber } from './option-types.ts'

/** Bits a second of each unit, by its name in lower case. */
const UNITS: ReadonlyMap<string, number> = new Map([
  ['bit', 1], ['kibit', 2 ** 10], ['kbit', 1e3], ['mibit', 2 ** 20], ['mbit', 1e6], ['gibit', 2 ** 30], ['gbit', 1e9], ['tibit', 2 ** 40], ['tbit', 1e12],
  ['bps', 8], ['kibps', 2 ** 13], ['kbps', 8e3], ['mibps', 2 ** 23], ['mbps', 8e6], ['gibps', 2 ** 33], ['gbps', 8e9], ['tibps', 2 ** 43], ['tbps', 8e12],
])

/** Whole bytes a second, as bits or bytes with a unit; without a unit the number is bits. It may be left out. */
export const byteRate: OptionType<number> = {
  syntax: '[number[unit]]', words: 1, isOptional: true,
  read([word = '']) {
    if (word === '') return read(0)
    const [, number, unit = ''] = /^\s*\+?(\d+\.?\d*|\.\d+)(.*)$/.exec(word) ?? []
    const bits = unit === '' ? 1 : UNITS.get(unit.toLowerCase())
    return number === undefined || bits === undefined ? refuse(`\`${word}\` is not a rate`, 'a number with bit, kbit, mbit, Bps, KBps and so on') : read(Math.floor((Number(number) * bits) / 8) % 2 ** 32)
  },
  write: bytes => [writeBits(bytes * 8)],
}

/** Packets a second; may be left out. */
export const packetRate: OptionType<number> = {
  ...wholeNumber(0, 0xffffffff), isOptional: true,
  read: ([word = ''], family) => (word === '' ? read(0) : wholeNumber(0, 0xffffffff).read([word], family)),
}

function writeBits(bits: number): string {
  if (bits >= 1e9) return `${Math.round(bits / 1e6)}Mbit`
  return bits >= 1e6 ? `${Math.round(bits / 1e3)}Kbit` : `${bits}bit`
}
