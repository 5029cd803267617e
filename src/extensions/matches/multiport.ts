/** Source: iptables-extensions(8) "multiport"; net/netfilter/xt_multiport.c multiport_mt(), ports_match_v1(). */

import { any, equals, within } from '../../meaning/predicate.ts'
import type { NumberField } from '../../meaning/fields.ts'
import type { Predicate } from '../../meaning/predicate.ts'
import { PROTOCOL } from '../../net/protocol.ts'
import type { NumberRange } from '../../net/ranges.ts'
import { defineMatch } from '../extension.ts'
import { portList, portsOfProtocol } from '../port-types.ts'

/** Kernel: fragments after the first never match, `!` or not. */
export const multiport = defineMatch({
  name: 'multiport',
  doc: 'matches up to 15 ports; a range counts as two',
  protocols: [PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.udplite, PROTOCOL.sctp, PROTOCOL.dccp],
  requiresOneOf: ['sports', 'dports', 'ports'],
  options: {
    sports: {
      type: portList, invertible: true, afterProtocol: portsOfProtocol, aliases: ['--source-ports'], excludes: ['dports', 'ports'],
      doc: 'source port is one of these', means: ports => isOneOf('l4.sport', ports),
    },
    dports: {
      type: portList, invertible: true, afterProtocol: portsOfProtocol, aliases: ['--destination-ports'], excludes: ['sports', 'ports'],
      doc: 'destination port is one of these', means: ports => isOneOf('l4.dport', ports),
    },
    ports: {
      type: portList, invertible: true, afterProtocol: portsOfProtocol, excludes: ['sports', 'dports'],
      doc: 'source or destination port is one of these', means: ports => any([isOneOf('l4.sport', ports), isOneOf('l4.dport', ports)]),
    },
  },
  means: () => equals('ip.fragmentOffset', 0),
})

function isOneOf(field: NumberField, ports: readonly NumberRange[]): Predicate {
  return any(ports.map(({ low, high }) => within(field, low, high)))
}
