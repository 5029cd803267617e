/** Source: iptables-extensions(8) "udp"; net/netfilter/xt_tcpudp.c udp_mt(). */

import { PROTOCOL } from '../../net/protocol.ts'
import { within } from '../../meaning/predicate.ts'
import { defineMatch } from '../extension.ts'
import { portRange } from '../option-types.ts'

export const udp = defineMatch({
  name: 'udp',
  doc: 'matches UDP ports',
  protocols: [PROTOCOL.udp],
  options: {
    sport: {
      type: portRange, invertible: true, aliases: ['--source-port'], omitted: use => !use.inverted && use.value.low === 0 && use.value.high === 65535,
      doc: 'source port or range', means: range => within('l4.sport', range.low, range.high),
    },
    dport: {
      type: portRange, invertible: true, aliases: ['--destination-port'], omitted: use => !use.inverted && use.value.low === 0 && use.value.high === 65535,
      doc: 'destination port or range', means: range => within('l4.dport', range.low, range.high),
    },
  },
})
