/** Source: iptables-extensions(8) "rpfilter"; net/ipv4/netfilter/ipt_rpfilter.c rpfilter_mt(). */

import { not } from '../../meaning/predicate.ts'
import { defineMatch } from '../extension.ts'
import { flag } from '../option-types.ts'
import { undecided } from '../undecided.ts'

/** Kernel: packets from this host itself match always. */
export const rpfilter = defineMatch({
  name: 'rpfilter',
  doc: 'matches packets whose answer would leave by the device on which they arrived',
  tables: ['raw', 'mangle'],
  hooks: ['PREROUTING'],
  options: {
    loose: { type: flag, doc: 'any route to the sender will do' },
    validmark: { type: flag, doc: 'the packet mark counts in the look-up' },
    'accept-local': { type: flag, doc: 'addresses of this host are let through' },
    invert: { type: flag, doc: 'matches where it would not' },
  },
  means({ loose, validmark, 'accept-local': local, invert }) {
    const how = { isLoose: loose !== undefined, usesMark: validmark !== undefined, acceptsLocal: local !== undefined }
    const isExpected = undecided(`-m rpfilter${loose ? ' --loose' : ''}${validmark ? ' --validmark' : ''}${local ? ' --accept-local' : ''}`, subject => subject.hasReversePath(how))
    return invert ? not(isExpected) : isExpected
  },
})
