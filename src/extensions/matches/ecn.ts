/** Source: iptables-extensions(8) "ecn"; net/netfilter/xt_ecn.c ecn_mt4(), ecn_mt_check4(). */

import { always, equals, masked } from '../../meaning/predicate.ts'
import { PROTOCOL } from '../../net/protocol.ts'
import { TCP_FLAG } from '../../packet/packet.ts'
import { defineMatch } from '../extension.ts'
import { flag, wholeNumber } from '../option-types.ts'

export const ecn = defineMatch({
  name: 'ecn',
  doc: 'matches the bits of explicit congestion notification',
  requiresOneOf: ['ecn-tcp-ece', 'ecn-tcp-cwr', 'ecn-ip-ect'],
  options: {
    'ecn-tcp-ece': { type: flag, invertible: true, doc: 'TCP flag ECE is set', means: () => masked('tcp.flags', TCP_FLAG.ECE, TCP_FLAG.ECE) },
    'ecn-tcp-cwr': { type: flag, invertible: true, doc: 'TCP flag CWR is set', means: () => masked('tcp.flags', TCP_FLAG.CWR, TCP_FLAG.CWR) },
    'ecn-ip-ect': { type: wholeNumber(0, 3), invertible: true, doc: 'the two lowest bits of the TOS byte are this', means: value => masked('ip.tos', 3, value) },
  },
  means: infos => (infos['ecn-tcp-ece'] || infos['ecn-tcp-cwr'] ? equals('ip.protocol', PROTOCOL.tcp) : always),
  check(infos, { protocol }) {
    const isTcp = protocol?.number === PROTOCOL.tcp && !protocol.inverted
    return (infos['ecn-tcp-ece'] || infos['ecn-tcp-cwr']) && !isTcp ? '`--ecn-tcp-ece` and `--ecn-tcp-cwr` need `-p tcp`' : undefined
  },
})
