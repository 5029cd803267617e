/** Source: iptables-extensions(8) "hbh"; net/ipv6/netfilter/ip6t_hbh.c hbh_mt6(). */

import { defineMatch } from '../extension.ts'
import { headerOptionRows } from '../header-options.ts'
import { undecided } from '../undecided.ts'

const rows = headerOptionRows('hbh')

export const hbh = defineMatch({
  name: 'hbh',
  doc: 'matches packets with a header of hop-by-hop options',
  families: ['ipv6'],
  options: { 'hbh-len': rows.length, 'hbh-opts': rows.options },
  means: () => undecided('-m hbh'),
})
