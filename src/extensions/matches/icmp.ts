/** Source: iptables-extensions(8) "icmp"; net/netfilter/xt_tcpudp.c icmp_match(), icmp_type_code_match(). */

import { all, always, equals, within } from '../../meaning/predicate.ts'
import { PROTOCOL } from '../../net/protocol.ts'
import { defineMatch } from '../extension.ts'
import { ICMP_NAMES, icmpType } from '../icmp-types.ts'

const ANY_TYPE = 255
const type = icmpType(ICMP_NAMES, 'ICMP')

/** Kernel: type 255 is every type, `! --icmp-type any` nothing; fragments after the first never match. */
export const icmp = defineMatch({
  name: 'icmp',
  doc: 'matches ICMP types and codes',
  families: ['ipv4'],
  protocols: [PROTOCOL.icmp],
  options: {
    'icmp-type': {
      type: { ...type, write: (value, family) => (value.type === ANY_TYPE ? ['any'] : type.write(value, family)) },
      invertible: true, required: true,
      doc: 'type by number or name, with or without a code; any is every type',
      means: ({ type: number, low, high }) => (number === ANY_TYPE ? always : all([equals('icmp.type', number), ...(low === 0 && high === 255 ? [] : [within('icmp.code', low, high)])])),
    },
  },
  means: () => equals('ip.fragmentOffset', 0),
})
