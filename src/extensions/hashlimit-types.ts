/** Rates, bursts and modes of hashlimit. Source: extensions/libxt_hashlimit.c parse_rate(), parse_bytes(), parse_burst(), print_rate(), print_bytes(). */

import { read, refuse } from './extension.ts'
import type { OptionType } from './extension.ts'

/** A rate of packets (1/1000000 s between two, and the seconds of the unit given) or of bytes (the kernel's cost of 16 bytes). */
export type HashRate = { readonly kind: 'packets'; readonly period: bigint; readonly unit: number } | { readonly kind: 'bytes'; readonly cost: bigint }

const SCALE = 1_000_000n
const UNITS = [['second', 1], ['minute', 60], ['hour', 3600], ['day', 86400]] as const
const PRINTED = [['day', 86400], ['hour', 3600], ['min', 60], ['sec', 1]] as const
/** The largest burst that may be written without `k` or `m`. */
const LARGEST = 1_000_000n
const UINT32 = 0xffffffffn
const FACTORS: Readonly<Record<string, bigint>> = { m: 1_048_576n, k: 1024n }

/** `number[/unit]`, or `number[k|m]b/s`. Kernel: what stands between number and unit is not looked at. */
export const hashRate: OptionType<HashRate> = {
  syntax: 'number[/second|/minute|/hour|/day], number[k|m]b/s', words: 1,
  read([word = '']) {
    const number = BigInt(/^\s*\+?(\d+)/.exec(word)?.[1] ?? 0)
    if (number === 0n) return refuse(`\`${word}\` is not a rate`)
    const bytes = word.indexOf('b/s')
    if (bytes > 0) return read({ kind: 'bytes', cost: costOfBytes(number * (FACTORS[word.charAt(bytes - 1)] ?? 1n)) })
    const slash = word.indexOf('/')
    const name = slash === -1 ? 'second' : word.slice(slash + 1).toLowerCase()
    const unit = name === '' ? undefined : UNITS.find(([known]) => known.startsWith(name))?.[1]
    if (unit === undefined) return refuse(`\`${word}\` is not a rate`, 'write number/second, /minute, /hour or /day, or bytes as kb/s or mb/s')
    const period = (SCALE * BigInt(unit)) / number
    return period === 0n ? refuse(`the rate \`${word}\` is above 1000000 a second`) : read({ kind: 'packets', period, unit })
  },
  write: rate => [rate.kind === 'bytes' ? printBytes(rate.cost) : printRate(rate.period).text],
}

/** A number of packets, or of bytes with `k` or `m`. */
export const hashBurst: OptionType<bigint> = {
  syntax: 'packets, number[k|m]b', words: 1,
  read([word = '']) {
    const [, digits = '0', rest = ''] = /^\s*\+?(0x[\da-f]+|0[0-7]*|[1-9]\d*)(.*)$/i.exec(word) ?? []
    const number = BigInt(/^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits)
    if (number === 0n || (rest === '' && number > LARGEST)) return refuse(`\`${word}\` is not a burst from 1 to 1000000`)
    return read(number * (FACTORS[rest.charAt(0)] ?? 1n))
  },
  write: burst => [burst > LARGEST ? `${burst / 1024n}k` : String(burst)],
}

/** Which parts of a packet make its bucket, as a list in the order of printing. */
export const hashMode: OptionType<readonly string[]> = {
  syntax: 'srcip|srcport|dstip|dstport[,...]', words: 1,
  read([word = '']) {
    const given = word.split(/[,|]/).filter(part => part !== '')
    const unknown = given.find(part => !MODES.includes(part))
    return unknown === undefined ? read(MODES.filter(mode => given.includes(mode))) : refuse(`there is no mode \`${unknown}\``, MODES.join(', '))
  },
  write: modes => [modes.join(',')],
}

const MODES: readonly string[] = ['srcip', 'srcport', 'dstip', 'dstport']

/** Returns the bytes a second that a cost stands for. */
export function bytesOfCost(cost: bigint): bigint {
  return ((cost === 0n ? UINT32 : UINT32 / cost) - 1n) << 4n
}

/** Returns the burst of a rate of bytes as it is printed. */
export function printByteBurst(bytes: bigint): string {
  const [name, factor] = Object.entries(FACTORS).find(([, size]) => bytes >= size) ?? ['', 1n]
  return `${bytes / factor}${name}b`
}

/** Returns a period as a rate in the smallest unit in which it is nearly whole, and the milliseconds of that unit. */
export function printRate(period: bigint): { readonly text: string; readonly expire: number } {
  let best: (typeof PRINTED)[number] = PRINTED[0]
  for (const unit of PRINTED.slice(1)) {
    const ticks = BigInt(unit[1]) * SCALE
    if (period > ticks || ticks / period < ticks % period) break
    best = unit
  }
  const [name, seconds] = best
  return { text: `${(BigInt(seconds) * SCALE) / period}/${name}`, expire: seconds * 1000 }
}

function costOfBytes(bytes: bigint): bigint {
  return UINT32 / (((bytes >> 4n) & UINT32) + 1n)
}

/** Kernel: the program looks at the lower 32 bits when it asks whether a bigger unit will do. */
function printBytes(cost: bigint): string {
  const bytes = bytesOfCost(cost)
  const [name, factor] = Object.entries(FACTORS).find(([, size]) => bytes >= size && costOfBytes(BigInt.asUintN(32, bytes) & ~(size - 1n)) === cost) ?? ['', 1n]
  return `${bytes / factor}${name}b/s`
}
