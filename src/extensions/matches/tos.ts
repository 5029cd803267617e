/** Source: iptables-extensions(8) "tos"; net/netfilter/xt_dscp.c tos_mt(). */

import { masked } from '../../meaning/predicate.ts'
import { defineMatch } from '../extension.ts'
import { tosMask } from '../tos-types.ts'

/** Kernel: value bits outside the mask make it never match. */
export const tos = defineMatch({
  name: 'tos',
  doc: 'matches the TOS byte or traffic class',
  options: {
    tos: { type: tosMask, invertible: true, required: true, doc: 'TOS byte under the mask is this value', means: ({ value, mask }) => masked('ip.tos', mask, value) },
  },
})
