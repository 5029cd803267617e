/** Source: iptables-extensions(8) "TRACE"; net/netfilter/xt_TRACE.c trace_tg(); iptables/nft.c add_action(). */

import { defineTarget } from '../extension.ts'

/** Kernel: iptables-nft sets a mark of its own, in every table; ip_tables takes the target in raw only. */
export const traceTarget = defineTarget({
  name: 'TRACE',
  doc: 'has the kernel report every rule that the packet matches; the next rule follows',
  options: {},
  does: () => [{ kind: 'observe', words: 'traced from here' }],
  check: (_infos, { backend, table }) => (backend === 'legacy' && table !== 'raw' ? 'target `TRACE` works in table raw only' : undefined),
})
