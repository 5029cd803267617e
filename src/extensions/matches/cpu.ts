/** Source: iptables-extensions(8) "cpu"; net/netfilter/xt_cpu.c cpu_mt(). */

import { defineMatch } from '../extension.ts'
import { wholeNumber } from '../option-types.ts'
import { undecided } from '../undecided.ts'

export const cpu = defineMatch({
  name: 'cpu',
  doc: 'matches the processor that handles the packet',
  options: {
    cpu: { type: wholeNumber(0, 0xffffffff), invertible: true, required: true, doc: 'number of the processor, from 0', means: value => undecided(`-m cpu --cpu ${value}`) },
  },
})
