/** Source: iptables-extensions(8) "frag"; net/ipv6/netfilter/ip6t_frag.c frag_mt6(). */

import { always, any, equals, within } from '../../meaning/predicate.ts'
import { defineMatch } from '../extension.ts'
import { flag, isEveryNumber32, looseNumberRange, wholeNumber } from '../option-types.ts'
import { undecided } from '../undecided.ts'

const ids = looseNumberRange(0, 0xffffffff, 'id[:id]')
const isFragment = any([within('ip.fragmentOffset', 1, 0xffff), equals('ip.moreFragments', 1)])

/** Kernel: the length is not looked at. The save forgets `! --fragid 0:`, which matches nothing. A fragment header around a whole packet is not known here. */
export const frag = defineMatch({
  name: 'frag',
  doc: 'matches fragments of IPv6',
  families: ['ipv6'],
  options: {
    fragid: {
      type: ids, invertible: true, omitted: isEveryNumber32,
      doc: 'id of the fragments, inclusive range', means: value => (isEveryNumber32({ value }) ? always : undecided(`-m frag --fragid ${ids.write(value, 'ipv6').join('')}`)),
    },
    fraglen: { type: wholeNumber(0, 0xffffffff), invertible: true, doc: 'length of the header; not looked at' },
    fragres: { type: flag, doc: 'reserved bits are set', means: () => undecided('-m frag --fragres') },
    fragfirst: { type: flag, doc: 'the first fragment', means: () => equals('ip.fragmentOffset', 0) },
    fragmore: { type: flag, excludes: ['fraglast'], doc: 'another one follows', means: () => equals('ip.moreFragments', 1) },
    fraglast: { type: flag, excludes: ['fragmore'], doc: 'the last fragment', means: () => equals('ip.moreFragments', 0) },
  },
  means: () => isFragment,
})
