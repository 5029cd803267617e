/** Source: iptables-extensions(8) "SNAT"; net/netfilter/xt_nat.c xt_snat_target_v1(). */

import { defineTarget } from '../extension.ts'
import { natFlags, sourceRange, portsAfterProtocol, portsNeedProtocol } from '../nat-types.ts'
import { flag } from '../option-types.ts'

/** Kernel: the table nat sees the first packet of a connection only; the mapping holds for all of it. */
export const snatTarget = defineTarget({
  name: 'SNAT',
  doc: 'gives the connection another source',
  tables: ['nat'],
  hooks: ['INPUT', 'POSTROUTING'],
  options: {
    'to-source': { type: sourceRange, required: true, afterProtocol: portsAfterProtocol, doc: 'new source: address or range, port or range' },
    random: { type: flag, doc: 'the port is chosen at random' },
    'random-fully': { type: flag, doc: 'the port is chosen at random each time' },
    persistent: { type: flag, doc: 'a client gets the same address each time' },
  },
  does(infos) {
    const range = infos['to-source']?.value
    return [
      {
        kind: 'nat', side: 'source',
        addresses: range?.addresses ? { kind: 'ranges', ranges: [range.addresses] } : { kind: 'keep' },
        ...(range?.ports ? { ports: range.ports } : {}), ...natFlags(infos),
      },
      { kind: 'verdict', verdict: 'accept' },
    ]
  },
  check: (infos, around) => portsNeedProtocol(infos['to-source']?.value.ports, around),
})
