/** `number/unit` of limit. Source: extensions/libxt_limit.c parse_rate(), print_rate(). */

import { read, refuse } from './extension.ts'
import type { OptionType } from './extension.ts'

/** Units of a rate: 1/10000 s between two packets. */
export const RATE_SCALE = 10000

const UNITS = [['second', 1], ['minute', 60], ['hour', 3600], ['day', 86400]] as const
const PRINTED = [['day', 86400], ['hour', 3600], ['min', 60], ['sec', 1]] as const

/** The time between two packets in 1/10000 s, rounded down: 3000/s becomes 3333/sec. */
export const rate: OptionType<number> = {
  syntax: 'number[/second|/minute|/hour|/day]', words: 1,
  read([word = '']) {
    const [count = '', unit] = splitOnce(word)
    const seconds = unit === undefined ? 1 : unit === '' ? undefined : UNITS.find(([name]) => name.startsWith(unit.toLowerCase()))?.[1]
    const number = Number(/^\s*\+?(\d+)/.exec(count)?.[1] ?? 0)
    if (seconds === undefined || number === 0) return refuse(`\`${word}\` is not a rate`, 'write number/second, /minute, /hour or /day')
    const period = Math.floor((RATE_SCALE * seconds) / number)
    if (period === 0) return refuse(`the rate \`${word}\` is above 10000 a second`)
    const printed = printRate(period)
    return read(period, isSameRate(printed, number, seconds) ? undefined : `the rate \`${word}\` is rounded to ${printed}`)
  },
  write: period => [printRate(period)],
}

function splitOnce(word: string): [string, string?] {
  const slash = word.indexOf('/')
  return slash === -1 ? [word] : [word.slice(0, slash), word.slice(slash + 1)]
}

/** The smallest unit in which the rate is still nearly whole. */
function printRate(period: number): string {
  let best = 0
  for (let at = 1; at < PRINTED.length; at++) {
    const ticks = (PRINTED[at]?.[1] ?? 1) * RATE_SCALE
    if (period > ticks || Math.floor(ticks / period) < ticks % period) break
    best = at
  }
  const [name, seconds] = PRINTED[best] ?? ['sec', 1]
  return `${Math.floor((seconds * RATE_SCALE) / period)}/${name}`
}

function isSameRate(printed: string, number: number, seconds: number): boolean {
  const [count, name] = printed.split('/')
  const unit = PRINTED.find(([known]) => known === name)?.[1] ?? 1
  return Number(count) * seconds === number * unit
}
