/** Source: iptables-extensions(8) "eui64"; net/ipv6/netfilter/ip6t_eui64.c eui64_mt6(). */

import { defineMatch } from '../extension.ts'
import { undecided } from '../undecided.ts'

/** Two fields are compared with each other, which no predicate says: left open. */
export const eui64 = defineMatch({
  name: 'eui64',
  doc: 'matches where the lower half of the source address is made of the source MAC address',
  families: ['ipv6'],
  hooks: ['PREROUTING', 'INPUT', 'FORWARD'],
  options: {},
  means: () => undecided('-m eui64'),
})
