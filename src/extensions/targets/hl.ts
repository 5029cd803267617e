/** Source: iptables-extensions(8) "HL"; net/netfilter/xt_HL.c hl_tg6(). */

import { defineTarget } from '../extension.ts'
import { hopOptions } from '../hop-types.ts'

export const hlTarget = defineTarget({
  name: 'HL',
  doc: 'changes the hop limit; the next rule follows',
  families: ['ipv6'],
  tables: ['mangle'],
  requiresOneOf: ['hl-set', 'hl-dec', 'hl-inc'],
  options: hopOptions('hl'),
})
