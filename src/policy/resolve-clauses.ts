/** Limits, logs and dates of a sentence, read and checked. */

import { rate, RATE_SCALE } from '../extensions/rate-type.ts'
import type { LimitNode, LogNode, MaxNode, UntilNode } from './ast.ts'
import type { Complain } from './complain.ts'
import type { Limit, Logging, Maximum } from './resolved.ts'
import { didYouMean } from '../extensions/did-you-mean.ts'
import { cutToBytes } from '../extensions/text-types.ts'

const UNITS: Readonly<Record<string, string>> = { s: 'sec', sec: 'sec', second: 'sec', m: 'min', min: 'min', minute: 'min', h: 'hour', hour: 'hour', d: 'day', day: 'day' }
const LIMIT_BURST = 10_000
const GROUP_BURST = 1_000_000
const DEFAULT_BURST = 5
/** How long a bucket may take to be full, in the units of a rate: the kernel counts 32000 credits a second in 32 bits. Source: net/netfilter/xt_limit.c user2credits(). */
const LONGEST_PAUSE = Math.floor((0xffffffff / 32_000) * RATE_SCALE)

/** Returns a limit, undefined where it is wrong. */
export function resolveLimit(node: LimitNode, complain: Complain): Limit | undefined {
  const unit = UNITS[node.unit.text]
  if (unit === undefined) {
    complain('bad-limit', node.unit.span, `there is no unit of time \`${node.unit.text}\``, didYouMean(node.unit.text, Object.keys(UNITS).filter(name => name.length > 1)) ?? 'the units are sec, min, hour and day')
    return undefined
  }
  const text = `${node.count.value}/${unit}`
  const reading = rate.read([text], 'ipv4')
  if (!reading.ok) {
    complain('bad-limit', node.count.span, node.count.value === 0 ? 'a limit of 0 lets nothing through' : reading.problem, node.count.value === 0 ? 'leave the sentence out' : 'the kernel counts up to 10000 a second')
    return undefined
  }
  const per = node.per?.text
  const most = per === undefined ? LIMIT_BURST : GROUP_BURST
  if (node.burst && (node.burst.value === 0 || node.burst.value > most)) {
    complain('bad-limit', node.burst.span, `a burst is from 1 to ${most}`)
    return undefined
  }
  const fitting = Math.floor(LONGEST_PAUSE / reading.value)
  if (per === undefined && (node.burst?.value ?? DEFAULT_BURST) > fitting) {
    const words = node.burst ? `a burst of ${node.burst.value}` : `the usual burst of ${DEFAULT_BURST}`
    complain('bad-limit', node.span, `the kernel cannot count up to ${words} at so slow a rate`, fitting === 1 ? 'write `burst 1`' : `write \`burst ${fitting}\` or less`)
    return undefined
  }
  return { rate: text, ...(per === 'source' || per === 'destination' || per === 'flow' ? { per } : {}), ...(node.burst ? { burst: node.burst.value } : {}) }
}

/** Returns a number of connections, undefined where it is wrong. */
export function resolveMaximum(node: MaxNode, complain: Complain): Maximum | undefined {
  if (node.count.value >= 1 && node.count.value <= 0xffffffff) return { count: node.count.value, perSource: node.perSource }
  complain('bad-limit', node.count.span, 'a number of connections is from 1 to 4294967295')
  return undefined
}

/** Returns what is logged, undefined where it is wrong. */
export function resolveLog(node: LogNode, complain: Complain): Logging | undefined {
  const limit = node.limit && resolveLimit(node.limit, complain)
  if (node.limit && !limit) return undefined
  const prefix = node.prefix?.text
  if (node.prefix && (prefix === '' || cutToBytes(node.prefix.text, PREFIX_BYTES) !== prefix)) {
    complain('bad-value', node.prefix.span, prefix === '' ? 'the log prefix is empty' : `the log prefix is longer than ${PREFIX_BYTES} bytes`)
    return undefined
  }
  if (limit?.per) {
    complain('bad-limit', node.span, 'what is logged is limited as a whole', 'leave `per` out')
    return undefined
  }
  return { ...(prefix === undefined ? {} : { prefix }), ...(limit ? { limit } : {}) }
}

const PREFIX_BYTES = 29

/** Returns the last second of a day in UTC, undefined where there is no such day. */
export function resolveUntil({ day }: UntilNode, complain: Complain): number | undefined {
  const milliseconds = Date.parse(`${day.text}T23:59:59Z`)
  const seconds = milliseconds / 1000
  const isDay = !Number.isNaN(milliseconds) && new Date(milliseconds).toISOString().startsWith(day.text)
  if (!isDay) complain('bad-value', day.span, `there is no day \`${day.text}\``, 'write year-month-day, such as 2026-12-31')
  else if (seconds < 0 || seconds > 0x7fffffff) complain('bad-value', day.span, `the kernel knows no date \`${day.text}\``, 'it counts from 1970-01-01 to 2038-01-18')
  else return seconds
  return undefined
}
