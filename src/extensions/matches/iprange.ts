/** Source: iptables-extensions(8) "iprange"; net/netfilter/xt_iprange.c iprange_mt4(), iprange_mt6(). */

import { within } from '../../meaning/predicate.ts'
import { addressRange } from '../address-types.ts'
import { defineMatch } from '../extension.ts'

export const iprange = defineMatch({
  name: 'iprange',
  doc: 'matches ranges of addresses',
  requiresOneOf: ['src-range', 'dst-range'],
  options: {
    'src-range': { type: addressRange, invertible: true, doc: 'source address from the first to the second', means: ({ low, high }) => within('ip.src', low, high) },
    'dst-range': { type: addressRange, invertible: true, doc: 'destination address from the first to the second', means: ({ low, high }) => within('ip.dst', low, high) },
  },
})
