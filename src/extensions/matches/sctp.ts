/** Source: iptables-extensions(8) "sctp"; net/netfilter/xt_sctp.c sctp_mt(). */

import { equals, within } from '../../meaning/predicate.ts'
import { PROTOCOL } from '../../net/protocol.ts'
import { defineMatch } from '../extension.ts'
import { portRangeOf } from '../option-types.ts'
import { chunkTypes } from '../sctp-types.ts'
import { undecided } from '../undecided.ts'

const ports = portRangeOf('sctp')

/** Kernel: fragments after the first never match, `!` or not. Chunks behind the first are not known here. */
export const sctp = defineMatch({
  name: 'sctp',
  doc: 'matches SCTP ports and chunk types',
  protocols: [PROTOCOL.sctp],
  options: {
    sport: { type: ports, invertible: true, aliases: ['--source-port'], doc: 'source port or range', means: ({ low, high }) => within('l4.sport', low, high) },
    dport: { type: ports, invertible: true, aliases: ['--destination-port'], doc: 'destination port or range', means: ({ low, high }) => within('l4.dport', low, high) },
    'chunk-types': {
      type: chunkTypes, invertible: true, doc: 'any or all of these chunks are there, or no others',
      means: chunks => undecided(`-m sctp --chunk-types ${chunkTypes.write(chunks, 'ipv4').join(' ')}`),
    },
  },
  means: () => equals('ip.fragmentOffset', 0),
})
