/** Source: iptables-extensions(8) "CHECKSUM"; net/netfilter/xt_CHECKSUM.c checksum_tg(). */

import { defineTarget } from '../extension.ts'
import { flag } from '../option-types.ts'

export const checksumTarget = defineTarget({
  name: 'CHECKSUM',
  doc: 'fills in the checksum of a packet that has none yet; the next rule follows',
  tables: ['mangle'],
  options: {
    'checksum-fill': { type: flag, required: true, doc: 'the only thing it does', does: () => [{ kind: 'observe', words: 'checksum filled in' }] },
  },
})
