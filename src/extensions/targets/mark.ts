/** Source: iptables-extensions(8) "MARK"; net/netfilter/xt_mark.c mark_tg(). */

import { defineTarget } from '../extension.ts'
import { MARK_SPELLINGS, xorMark } from '../mark-types.ts'

export const markTarget = defineTarget({
  name: 'MARK',
  doc: 'changes the packet mark; the next rule follows',
  options: {
    'set-xmark': {
      type: xorMark, required: true, spellings: MARK_SPELLINGS,
      doc: 'the bits of the mask are cleared, then those of the value flipped',
      does: ({ mark, mask }) => [{ kind: 'assign', field: 'mark', clear: mask, flip: mark }],
    },
  },
})
