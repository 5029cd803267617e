/** Source: iptables-extensions(8) "ipcomp"; net/netfilter/xt_ipcomp.c comp_mt(). */

import { equals } from '../../meaning/predicate.ts'
import { PROTOCOL } from '../../net/protocol.ts'
import { defineMatch } from '../extension.ts'
import { flag, looseNumberRange } from '../option-types.ts'
import { undecided } from '../undecided.ts'

const spi = looseNumberRange(0, 0xffffffff, 'spi[:spi]')

export const ipcomp = defineMatch({
  name: 'ipcomp',
  doc: 'matches the index of IPComp',
  protocols: [PROTOCOL.ipcomp],
  options: {
    ipcompspi: {
      type: spi, invertible: true, default: { low: 0, high: 0 }, omitted: use => use.value.low === 0 && use.value.high === 0xffffffff,
      doc: 'index, inclusive range', means: value => undecided(`-m ipcomp --ipcompspi ${spi.write(value, 'ipv4').join('')}`),
    },
    compres: { type: flag, doc: 'the reserved field is 0', means: () => undecided('-m ipcomp --compres') },
  },
  means: () => equals('ip.fragmentOffset', 0),
})
