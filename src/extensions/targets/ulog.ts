/** Source: iptables-extensions(8) "ULOG"; extensions/libipt_ULOG.c; net/ipv4/netfilter/ipt_ULOG.c, removed in Linux 3.17. */

import { defineTarget } from '../extension.ts'
import { wholeNumber } from '../option-types.ts'
import { printQuoted, text } from '../text-types.ts'

/** Understood as older rulesets have it, and refused. */
export const ulogTarget = defineTarget({
  name: 'ULOG',
  doc: 'handed the packet to a logging program in kernels before 3.17',
  families: ['ipv4'],
  options: {
    'ulog-prefix': { type: text(31, 'text'), print: printQuoted('--ulog-prefix'), doc: 'text that goes with it' },
    'ulog-nlgroup': { type: wholeNumber(1, 32), omitted: use => use.value === 1, doc: 'netlink group; 1 where it is not given' },
    'ulog-cprange': { type: wholeNumber(0, 0xffffffff), omitted: use => use.value === 0, doc: 'so many bytes of the packet; all where it is not given' },
    'ulog-qthreshold': { type: wholeNumber(1, 50), omitted: use => use.value === 1, doc: 'so many packets are collected before they are handed over' },
  },
  does: () => [{ kind: 'observe', words: 'logged' }],
  check: () => 'target `ULOG` is gone from the kernel since 3.17: use `NFLOG`',
})
