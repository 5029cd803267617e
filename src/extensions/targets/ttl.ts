/** Source: iptables-extensions(8) "TTL"; net/netfilter/xt_HL.c ttl_tg(). */

import { defineTarget } from '../extension.ts'
import { hopOptions } from '../hop-types.ts'

export const ttlTarget = defineTarget({
  name: 'TTL',
  doc: 'changes the time to live; the next rule follows',
  families: ['ipv4'],
  tables: ['mangle'],
  requiresOneOf: ['ttl-set', 'ttl-dec', 'ttl-inc'],
  options: hopOptions('ttl'),
})
