/** Source: iptables-extensions(8) "connbytes"; net/netfilter/xt_connbytes.c connbytes_mt(). */

import { not } from '../../meaning/predicate.ts'
import { defineMatch, read, refuse } from '../extension.ts'
import type { InfosOf, OptionType } from '../extension.ts'
import { counter } from '../ipset-types.ts'
import { undecided } from '../undecided.ts'

interface CounterRange {
  readonly low: bigint
  readonly high: bigint
}

const HIGHEST = (1n << 64n) - 1n

const counters: OptionType<CounterRange> = {
  syntax: 'number[:number]', words: 1,
  read([word = ''], family) {
    const [first = '', last, ...more] = word.split(':')
    const low = first === '' ? read(0n) : counter.read([first], family)
    const high = last === undefined || last === '' ? read(HIGHEST) : counter.read([last], family)
    if (more.length > 0) return refuse(`\`${word}\` has more than two numbers`)
    if (!low.ok) return low
    if (!high.ok) return high
    return low.value > high.value ? refuse(`the range \`${word}\` ends before it begins`) : read({ low: low.value, high: high.value })
  },
  write: ({ low, high }) => [high === 0n || high === HIGHEST ? String(low) : `${low}:${high}`],
}

/**
 * Kernel: counts only where net.netfilter.nf_conntrack_acct is on; a packet without a connection never matches. What has been counted
 * depends on all earlier packets. Of one number `!` is lost: both ends are the same then.
 */
export const connbytes = defineMatch({
  name: 'connbytes',
  doc: 'matches by the packets or bytes that a connection has carried',
  options: {
    connbytes: { type: counters, invertible: true, required: true, doc: 'inclusive range' },
    'connbytes-mode': { type: oneOf('packets', 'bytes', 'avgpkt'), required: true, doc: 'packets, bytes or the average packet size' },
    'connbytes-dir': { type: oneOf('original', 'reply', 'both'), required: true, doc: 'direction that counts' },
  },
  print: infos => `${isInverted(infos) ? '! ' : ''}${printAll(infos)}`,
  means(infos) {
    const isWithin = undecided(`-m connbytes ${printAll(infos)}`)
    return isInverted(infos) ? not(isWithin) : isWithin
  },
})

type Infos = InfosOf<{ connbytes: CounterRange; 'connbytes-mode': string; 'connbytes-dir': string }>

function isInverted({ connbytes: use }: Infos): boolean {
  return use !== undefined && use.inverted && use.value.low !== use.value.high
}

function printAll({ connbytes: use, ...infos }: Infos): string {
  return `--connbytes ${use ? counters.write(use.value, 'ipv4').join('') : ''} --connbytes-mode ${infos['connbytes-mode']?.value} --connbytes-dir ${infos['connbytes-dir']?.value}`
}

function oneOf(...names: readonly string[]): OptionType<string> {
  return {
    syntax: names.join('|'), words: 1,
    read: ([word = '']) => (names.includes(word) ? read(word) : refuse(`\`${word}\` is none of ${names.join(', ')}`)),
    write: value => [value],
  }
}
