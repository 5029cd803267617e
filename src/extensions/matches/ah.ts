/** Source: iptables-extensions(8) "ah"; net/ipv4/netfilter/ipt_ah.c ah_mt(); net/ipv6/netfilter/ip6t_ah.c ah_mt6(). */

import { all, equals, within } from '../../meaning/predicate.ts'
import { PROTOCOL } from '../../net/protocol.ts'
import { defineMatch } from '../extension.ts'
import { flag, isEveryNumber32, looseNumberRange, wholeNumber } from '../option-types.ts'
import { undecided } from '../undecided.ts'

const spi = looseNumberRange(0, 0xffffffff, 'spi[:spi]')
const isFirstOfAh = all([equals('ip.protocol', PROTOCOL.ah), equals('ip.fragmentOffset', 0)])

/** Kernel: fragments after the first never match, `!` or not. The save forgets `! --ahspi 0:`, which matches nothing. */
export const ah = defineMatch({
  name: 'ah',
  doc: 'matches the security parameter index of AH',
  families: ['ipv4'],
  protocols: [PROTOCOL.ah],
  options: {
    ahspi: { type: spi, invertible: true, omitted: isEveryNumber32, doc: 'index, inclusive range', means: ({ low, high }) => within('l4.spi', low, high) },
  },
  means: () => isFirstOfAh,
})

/** Kernel: the header is looked for, `-p` is not needed. */
export const ah6 = defineMatch({
  name: 'ah',
  doc: 'matches the authentication header',
  families: ['ipv6'],
  options: {
    ahspi: { type: spi, invertible: true, omitted: isEveryNumber32, doc: 'index, inclusive range', means: ({ low, high }) => within('l4.spi', low, high) },
    ahlen: {
      type: wholeNumber(0, 0xffffffff), invertible: true, omitted: use => use.value === 0 && !use.inverted,
      doc: 'length of the header in bytes; 0 is any', means: value => (value === 0 ? all([]) : undecided(`-m ah --ahlen ${value}`)),
    },
    ahres: { type: flag, doc: 'the reserved field is 0', means: () => undecided('-m ah --ahres') },
  },
  means: () => isFirstOfAh,
})
