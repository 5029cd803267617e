/** Source: iptables-extensions(8) "CLASSIFY"; net/netfilter/xt_CLASSIFY.c classify_tg(); extensions/libxt_CLASSIFY.c CLASSIFY_string_to_priority(). */

import { defineTarget, read, refuse } from '../extension.ts'
import type { OptionType } from '../extension.ts'

/** The class as skb->priority: the major number in the upper 16 bits. Kernel: of numbers above ffff the low 16 bits count. */
const trafficClass: OptionType<number> = {
  syntax: 'major:minor', words: 1,
  read([word = '']) {
    const [, major, minor, rest] = /^\s*([-+]?(?:0x[0-9a-f]*|[0-9a-f]+)):\s*([-+]?(?:0x[0-9a-f]*|[0-9a-f]+))(.*)$/is.exec(word) ?? []
    if (major === undefined || minor === undefined) return refuse(`\`${word}\` is not a class`, 'write major:minor, both in hex')
    const value = ((low16(major) << 16) | low16(minor)) >>> 0
    const isExact = rest === '' && [major, minor].every(part => /^(0x)?0*[0-9a-f]{1,4}$/i.test(part))
    return read(value, isExact ? undefined : `the class \`${word}\` becomes ${written(value)}`)
  },
  write: value => [written(value)],
}

export const classifyTarget = defineTarget({
  name: 'CLASSIFY',
  doc: 'sets the priority, which chooses the class of a queueing discipline; the next rule follows',
  hooks: ['FORWARD', 'OUTPUT', 'POSTROUTING'],
  options: {
    'set-class': { type: trafficClass, required: true, doc: 'class in hex', does: value => [{ kind: 'assign', field: 'priority', clear: 0xffffffff, flip: value }] },
  },
})

/** Kernel: sscanf(3) takes `0x` for 0, and more than 64 bits for all ones. */
function low16(part: string): number {
  const digits = part.replace(/^[-+]?(0x)?0*/i, '')
  if (digits.length > 16) return 0xffff
  const value = Number.parseInt(digits.slice(-4) || '0', 16)
  return (part.startsWith('-') ? -value : value) & 0xffff
}

function written(value: number): string {
  const hex = value.toString(16).padStart(8, '0')
  return `${hex.slice(0, 4)}:${hex.slice(4)}`
}
