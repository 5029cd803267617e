/** Source: iptables-extensions(8) "length"; net/netfilter/xt_length.c length_mt(). */

import { within } from '../../meaning/predicate.ts'
import { defineMatch } from '../extension.ts'
import { looseNumberRange } from '../option-types.ts'

/** Kernel: compares the length of the whole IP packet; the man page's "layer-3 payload" is wrong. A range that ends before it begins never matches. */
export const length = defineMatch({
  name: 'length',
  doc: 'matches the length of the IP packet',
  options: {
    length: {
      type: looseNumberRange(0, 65535, 'bytes[:bytes]'), invertible: true, required: true,
      doc: 'IP total length in bytes, inclusive range', means: ({ low, high }) => within('ip.length', low, high),
    },
  },
})
