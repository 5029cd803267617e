/** Source: iptables-extensions(8) "connmark"; net/netfilter/xt_connmark.c connmark_mt(). */

import { CT_STATE } from '../../meaning/fields.ts'
import { masked } from '../../meaning/predicate.ts'
import { defineMatch } from '../extension.ts'
import { markMask } from '../mark-types.ts'

/** Kernel: a packet without a connection never matches, `!` or not. */
export const connmark = defineMatch({
  name: 'connmark',
  doc: 'matches the mark of the connection',
  options: {
    mark: { type: markMask, invertible: true, required: true, doc: 'connection mark under mask is this value', means: ({ mark, mask }) => masked('ct.mark', mask, mark) },
  },
  means: () => masked('ct.state', CT_STATE.INVALID | CT_STATE.UNTRACKED, 0),
})
