/** Source: iptables-extensions(8) "RATEEST"; net/netfilter/xt_RATEEST.c xt_rateest_tg(); extensions/libxt_RATEEST.c RATEEST_final_check(). */

import { defineTarget, read, refuse } from '../extension.ts'
import type { InfosOf, OptionType } from '../extension.ts'
import { text } from '../text-types.ts'

const UNITS: Readonly<Record<string, number>> = { s: 1e6, sec: 1e6, secs: 1e6, ms: 1e3, msec: 1e3, msecs: 1e3, us: 1, usec: 1, usecs: 1, '': 1 }
const QUARTER_SECOND = 250000

/** Microseconds. Kernel: 32 bits of them are kept. */
const duration: OptionType<number> = {
  syntax: 'time[s|ms|us]', words: 1,
  read([word = '']) {
    const [, number, unit = ''] = /^\s*\+?(\d+\.?\d*(?:e[-+]?\d+)?|\.\d+)(.*)$/i.exec(word) ?? []
    const scale = UNITS[unit.toLowerCase()]
    return number === undefined || scale === undefined ? refuse(`\`${word}\` is not a time`, 'write it in s, ms or us') : read(Math.trunc(Number(number) * scale) % 2 ** 32)
  },
  write: value => [written(value)],
}

type Options = { 'rateest-name': string; 'rateest-interval': number; 'rateest-ewmalog': number }

/** Kernel: both times become powers of two of a quarter of a second; a name that is in use must have the same. */
export const rateestTarget = defineTarget<Options>({
  name: 'RATEEST',
  doc: 'counts the packet for a rate that the match rateest compares; the next rule follows',
  options: {
    'rateest-name': { type: text(15, 'name'), required: true, doc: 'name of the estimator', does: name => [{ kind: 'observe', words: `counted for the rate \`${name}\`` }] },
    'rateest-interval': { type: duration, required: true, doc: 'time between two samples, up to 8s' },
    'rateest-ewmalog': { type: duration, required: true, doc: 'time over which the rate is averaged' },
  },
  print(infos) {
    const { interval, average } = timesOf(infos)
    return `--rateest-name ${infos['rateest-name']?.value} --rateest-interval ${written(interval)} --rateest-ewmalog ${written(average)}`
  },
  check(infos) {
    if (timesOf(infos).interval > 32 * QUARTER_SECOND) return '`--rateest-interval` is above 8s'
    const { shift } = timesOf(infos)
    return shift === 0 || shift >= 31 ? '`--rateest-ewmalog` does not fit the interval: make it longer' : undefined
  },
})

/** Both times as they are loaded: `average` is `interval` shifted by `shift` bits. */
function timesOf(infos: InfosOf<Options>): { interval: number; average: number; shift: number } {
  const wanted = infos['rateest-interval']?.value ?? 0
  let interval = QUARTER_SECOND
  while (interval < wanted && interval <= 32 * QUARTER_SECOND) interval *= 2
  let bits = 1
  while (bits < 32 && !(wanted / -Math.log(1 - 1 / (1 << bits)) > (infos['rateest-ewmalog']?.value ?? 0))) bits++
  return { interval, average: (interval * 2 ** (bits - 1)) % 2 ** 32, shift: bits - 1 }
}

function written(microseconds: number): string {
  if (microseconds >= 1e6) return `${(microseconds / 1e6).toFixed(1)}s`
  return microseconds >= 1e3 ? `${(microseconds / 1e3).toFixed(1)}ms` : `${microseconds}us`
}
