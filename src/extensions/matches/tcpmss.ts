/** Source: iptables-extensions(8) "tcpmss"; net/netfilter/xt_tcpmss.c tcpmss_mt(). */

import { within } from '../../meaning/predicate.ts'
import { PROTOCOL } from '../../net/protocol.ts'
import { defineMatch } from '../extension.ts'
import { orderedNumberRange } from '../option-types.ts'

/** Kernel: a header without the option matches where the rule has `!`. */
export const tcpmss = defineMatch({
  name: 'tcpmss',
  doc: 'matches the maximum segment size that a TCP header announces',
  protocols: [PROTOCOL.tcp],
  options: {
    mss: {
      type: orderedNumberRange(0, 65535, 'bytes[:bytes]'), invertible: true, required: true,
      doc: 'size in bytes, inclusive range', means: ({ low, high }) => within('tcp.mss', low, high),
    },
  },
})
