/** Source: iptables-extensions(8) "dscp"; net/netfilter/xt_dscp.c dscp_mt(). */

import { masked } from '../../meaning/predicate.ts'
import { dscp as dscpValue, dscpClass } from '../dscp-types.ts'
import { defineMatch } from '../extension.ts'

export const dscp = defineMatch({
  name: 'dscp',
  doc: 'matches the upper six bits of the TOS byte or traffic class',
  requiresOneOf: ['dscp'],
  options: {
    dscp: { type: dscpValue, invertible: true, spellings: { 'dscp-class': dscpClass }, doc: 'DSCP value from 0 to 63, or the name of its class', means: value => masked('ip.tos', 0xfc, value << 2) },
  },
})
