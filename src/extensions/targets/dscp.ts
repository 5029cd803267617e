/** Source: iptables-extensions(8) "DSCP"; net/netfilter/xt_DSCP.c dscp_tg(), dscp_tg6(). */

import { dscp, dscpClass } from '../dscp-types.ts'
import { defineTarget } from '../extension.ts'

export const dscpTarget = defineTarget({
  name: 'DSCP',
  doc: 'changes the upper six bits of the TOS byte (IPv6: traffic class); the next rule follows',
  tables: ['mangle'],
  options: {
    'set-dscp': {
      type: dscp, required: true, spellings: { 'set-dscp-class': dscpClass },
      doc: 'what they become: a number from 0 to 63, or with --set-dscp-class a class',
      does: value => [{ kind: 'assign', field: 'ip.tos', clear: 0xfc, flip: value << 2 }],
    },
  },
})
