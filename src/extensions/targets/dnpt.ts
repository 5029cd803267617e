/** Source: iptables-extensions(8) "DNPT"; net/ipv6/netfilter/ip6t_NPT.c ip6t_dnpt_tg(). */

import { defineTarget } from '../extension.ts'
import { NPT_ROWS, nptEffects } from '../npt-types.ts'
import type { NptOptions } from '../npt-types.ts'

/** Kernel: no connection is looked at, and the prefix that the address has is not compared. */
export const dnptTarget = defineTarget<NptOptions>({
  name: 'DNPT',
  doc: 'gives the destination another prefix, without a connection; the next rule follows',
  families: ['ipv6'],
  tables: ['mangle'],
  hooks: ['PREROUTING', 'OUTPUT'],
  options: NPT_ROWS,
  does: infos => nptEffects('destination', infos),
})
