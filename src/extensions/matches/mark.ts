/** Source: iptables-extensions(8) "mark"; net/netfilter/xt_mark.c mark_mt(). */

import { masked } from '../../meaning/predicate.ts'
import { defineMatch } from '../extension.ts'
import { markMask } from '../mark-types.ts'

/** Kernel: value bits outside the mask make it never match. */
export const mark = defineMatch({
  name: 'mark',
  doc: 'matches the packet mark',
  options: {
    mark: { type: markMask, invertible: true, required: true, doc: 'mark under mask is this value', means: ({ mark: value, mask }) => masked('mark', mask, value) },
  },
})
