/** Source: ip6tables-extensions "icmp6" in iptables-extensions(8); net/netfilter/xt_tcpudp.c icmp6_match(). */

import { all, equals, within } from '../../meaning/predicate.ts'
import { PROTOCOL } from '../../net/protocol.ts'
import { defineMatch } from '../extension.ts'
import { ICMP6_NAMES, icmpType } from '../icmp-types.ts'

export const icmp6 = defineMatch({
  name: 'icmp6',
  aliases: ['icmpv6', 'ipv6-icmp'],
  doc: 'matches ICMPv6 types and codes',
  families: ['ipv6'],
  protocols: [PROTOCOL.icmpv6],
  options: {
    'icmpv6-type': {
      type: icmpType(ICMP6_NAMES, 'ICMPv6'), invertible: true, required: true,
      doc: 'type by number or name, with or without a code',
      means: ({ type, low, high }) => all([equals('icmp6.type', type), ...(low === 0 && high === 255 ? [] : [within('icmp6.code', low, high)])]),
    },
  },
  means: () => equals('ip.fragmentOffset', 0),
})
