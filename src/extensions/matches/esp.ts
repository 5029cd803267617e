/** Source: iptables-extensions(8) "esp"; net/netfilter/xt_esp.c esp_mt(). */

import { equals, within } from '../../meaning/predicate.ts'
import { PROTOCOL } from '../../net/protocol.ts'
import { defineMatch } from '../extension.ts'
import { isEveryNumber32, looseNumberRange } from '../option-types.ts'

/** Kernel: fragments after the first never match, `!` or not. The save forgets `! --espspi 0:`, which matches nothing. */
export const esp = defineMatch({
  name: 'esp',
  doc: 'matches the security parameter index of ESP',
  protocols: [PROTOCOL.esp],
  options: {
    espspi: {
      type: looseNumberRange(0, 0xffffffff, 'spi[:spi]'), invertible: true, omitted: isEveryNumber32,
      doc: 'index, inclusive range', means: ({ low, high }) => within('l4.spi', low, high),
    },
  },
  means: () => equals('ip.fragmentOffset', 0),
})
