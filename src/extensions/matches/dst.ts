/** Source: iptables-extensions(8) "dst"; net/ipv6/netfilter/ip6t_hbh.c hbh_mt6(). */

import { defineMatch } from '../extension.ts'
import { headerOptionRows } from '../header-options.ts'
import { undecided } from '../undecided.ts'

const rows = headerOptionRows('dst')

export const dst = defineMatch({
  name: 'dst',
  doc: 'matches packets with a header of destination options',
  families: ['ipv6'],
  options: { 'dst-len': rows.length, 'dst-opts': rows.options },
  means: () => undecided('-m dst'),
})
