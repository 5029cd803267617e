/** Source: iptables-extensions(8) "time"; net/netfilter/xt_time.c time_mt(). */

import { always, opaque } from '../../meaning/predicate.ts'
import { defineMatch } from '../extension.ts'
import type { InfosOf } from '../extension.ts'
import { flag } from '../option-types.ts'
import { ALL_MONTHDAYS, ALL_WEEKDAYS, date, daytime, monthdays, weekdays } from '../time-types.ts'

const LAST_SECOND = 86399
const LAST_DATE = 0x7fffffff

/** Kernel: the clock decides. iptables-save prints the end of 32-bit time where no end is given, and `!` before days as the other days. */
export const time = defineMatch({
  name: 'time',
  doc: 'matches between two dates, two times of day, or on certain days',
  options: {
    datestart: { type: date, doc: 'not before' },
    datestop: { type: date, doc: 'not after' },
    timestart: { type: daytime, doc: 'each day from' },
    timestop: { type: daytime, doc: 'each day until; before the start: until the next day' },
    monthdays: { type: monthdays, invertible: true, doc: 'on these days of a month' },
    weekdays: { type: weekdays, invertible: true, doc: 'on these days of a week' },
    contiguous: { type: flag, doc: 'a time over midnight belongs to the day on which it begins' },
    kerneltz: { type: flag, aliases: ['--localtz'], repeatable: true, excludes: ['utc'], doc: 'times are in the time zone of the kernel, not UTC' },
    utc: { type: flag, excludes: ['kerneltz'], doc: 'times are UTC, as where nothing is said' },
  },
  formerNames: { days: 'weekdays' },
  print: printAll,
  means(infos) {
    const words = `-m time ${printAll(infos)}`
    return words === `-m time ${printAll({})}` ? always : opaque(words, words)
  },
  check(infos) {
    const { start, stop } = partsOf(infos)
    return infos.contiguous && start < stop ? '`--contiguous` needs a `--timestop` that is before `--timestart`' : undefined
  },
})

type Infos = InfosOf<{ datestart: number; datestop: number; timestart: number; timestop: number; monthdays: number; weekdays: number; contiguous: true; kerneltz: true; utc: true }>

function partsOf({ timestart, timestop, monthdays: month, weekdays: week }: Infos) {
  return {
    start: timestart?.value ?? 0, stop: timestop?.value ?? LAST_SECOND,
    monthdays: month ? (month.inverted ? month.value ^ ALL_MONTHDAYS : month.value) >>> 0 : ALL_MONTHDAYS,
    weekdays: week ? (week.inverted ? week.value ^ ALL_WEEKDAYS : week.value) : ALL_WEEKDAYS,
  }
}

function printAll(infos: Infos): string {
  const { start, stop, monthdays: month, weekdays: week } = partsOf(infos)
  const from = infos.datestart?.value ?? 0
  const until = infos.datestop?.value ?? LAST_DATE
  return [
    ...(start === 0 && stop === LAST_SECOND ? [] : [`--timestart ${daytime.write(start, 'ipv4').join('')} --timestop ${daytime.write(stop, 'ipv4').join('')}`]),
    ...(month === ALL_MONTHDAYS ? [] : [`--monthdays ${monthdays.write(month, 'ipv4').join('')}`]),
    ...(week === ALL_WEEKDAYS ? [] : [`--weekdays ${weekdays.write(week, 'ipv4').join('')}`]),
    ...(from === 0 ? [] : [`--datestart ${date.write(from, 'ipv4').join('')}`]), ...(until === 0 ? [] : [`--datestop ${date.write(until, 'ipv4').join('')}`]),
    ...(infos.kerneltz ? ['--kerneltz'] : []), ...(infos.contiguous ? ['--contiguous'] : []),
  ].join(' ')
}
