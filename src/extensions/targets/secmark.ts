/** Source: iptables-extensions(8) "SECMARK"; net/netfilter/xt_SECMARK.c secmark_tg(), secmark_tg_check(). */

import { defineTarget } from '../extension.ts'
import { text } from '../text-types.ts'

/** Kernel: it is refused where no security module is loaded, or where that does not know the context. */
export const secmarkTarget = defineTarget({
  name: 'SECMARK',
  doc: 'gives the packet a security mark, for security modules such as SELinux; the next rule follows',
  tables: ['mangle', 'security'],
  options: {
    selctx: { type: text(255, 'context'), required: true, print: use => `--selctx ${use.value}`, doc: 'security context', does: context => [{ kind: 'observe', words: `security mark ${context}` }] },
  },
})
