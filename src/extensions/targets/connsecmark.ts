/** Source: iptables-extensions(8) "CONNSECMARK"; net/netfilter/xt_CONNSECMARK.c connsecmark_tg(), connsecmark_tg_check(). */

import { defineTarget } from '../extension.ts'
import { flag } from '../option-types.ts'

export const connsecmarkTarget = defineTarget({
  name: 'CONNSECMARK',
  doc: 'copies the security mark from or to the connection; the next rule follows',
  tables: ['mangle', 'security'],
  requiresOneOf: ['save', 'restore'],
  options: {
    save: { type: flag, excludes: ['restore'], doc: "the connection gets the packet's, unless it has one", does: () => [{ kind: 'observe', words: 'security mark copied to the connection' }] },
    restore: { type: flag, excludes: ['save'], doc: "the packet gets the connection's, unless it has one", does: () => [{ kind: 'observe', words: 'security mark copied from the connection' }] },
  },
})
