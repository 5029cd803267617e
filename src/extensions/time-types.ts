/** Dates, times and days of the match time. Source: extensions/libxt_time.c time_parse_date(), time_parse_minutes(), time_parse_weekdays(). */

import { read, refuse } from './extension.ts'
import type { OptionType } from './extension.ts'

const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']

/** Every day of a month, bits 1 to 31. */
export const ALL_MONTHDAYS = 0xfffffffe

/** Every day of a week, bits 1 (Monday) to 7. */
export const ALL_WEEKDAYS = 0xfe

/** Seconds since 1970; days and months beyond the calendar run over into the next. */
export const date: OptionType<number> = {
  syntax: 'YYYY[-MM[-DD[Thh[:mm[:ss]]]]]', words: 1,
  read([word = '']) {
    const parts = /^\s*(\d+)(?:-(\d*)(?:-(\d*)(?:T(\d*)(?::(\d*)(?::(\d*))?)?)?)?)?$/.exec(word)?.slice(1)
    if (!parts) return refuse(`\`${word}\` is not a date: YYYY[-MM[-DD[Thh[:mm[:ss]]]]]`)
    const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = parts.map(part => (part === undefined ? undefined : Number(part)))
    if (year < 1970 || year > 2038 || month > 12 || day > 31 || hour > 23 || minute > 59 || second > 59) return refuse(`the date \`${word}\` is not between 1970 and 2038`)
    const seconds = Date.UTC(year, month - 1, day, hour, minute, second) / 1000
    return seconds < 0 ? refuse(`the date \`${word}\` is before 1970`) : read(seconds)
  },
  write: seconds => [new Date(seconds * 1000).toISOString().slice(0, 19)],
}

/** Seconds since midnight. */
export const daytime: OptionType<number> = {
  syntax: 'hh:mm[:ss]', words: 1,
  read([word = '']) {
    const [, hour = 24, minute = 60, second = 0] = (/^\s*(\d*):(\d*)(?::(\d*))?$/.exec(word) ?? []).map(part => (part === undefined ? undefined : Number(part)))
    return hour > 23 || minute > 59 || second > 59 ? refuse(`\`${word}\` is not a time of day: hh:mm[:ss]`) : read(hour * 3600 + minute * 60 + second)
  },
  write: seconds => [[seconds / 3600, (seconds / 60) % 60, seconds % 60].map(part => String(Math.floor(part)).padStart(2, '0')).join(':')],
}

/** Days of the month as bits. Kernel: of each number the first two digits count, an empty list is no day. */
export const monthdays: OptionType<number> = {
  syntax: 'day[,...]', words: 1,
  read([word = '']) {
    let bits = 0
    for (const part of splitDays(word)) {
      const day = numberOf(part.slice(0, 2))
      if (day === undefined || day > 31) return refuse(`\`${part}\` is not a day of a month`)
      bits |= 2 ** day | 0
    }
    return read(bits >>> 0)
  },
  write: bits => [range(1, 31).filter(day => (bits & (2 ** day | 0)) !== 0).join(',')],
}

/** Days of the week as bits, by number (1 is Monday) or by their first two letters. */
export const weekdays: OptionType<number> = {
  syntax: 'day[,...]', words: 1,
  read([word = '']) {
    let bits = 0
    for (const part of splitDays(word)) {
      const number = numberOf(part.slice(0, 3))
      const day = number ?? WEEKDAYS.findIndex(name => name.slice(0, 2) === part.slice(0, 2)) + 1
      if (day === 0) return refuse(`\`${part}\` is not a day of a week`, 'Mon, Tue, Wed, Thu, Fri, Sat, Sun or 1 to 7')
      bits |= 1 << day
    }
    return read(bits & 0xff)
  },
  write: bits => [WEEKDAYS.filter((_name, index) => (bits & (2 << index)) !== 0).join(',')],
}

function splitDays(word: string): string[] {
  const parts = word.split(',')
  return parts.at(-1) === '' ? parts.slice(0, -1) : parts
}

/** As strtoul(3) reads it; an empty text is 0. */
function numberOf(text: string): number | undefined {
  if (/^0[0-7]*$/.test(text)) return Number.parseInt(text, 8)
  return /^(0x[0-9a-f]+|\d*)$/i.test(text) ? Number(text) : undefined
}

function range(low: number, high: number): number[] {
  return Array.from({ length: high - low + 1 }, (_none, index) => low + index)
}
