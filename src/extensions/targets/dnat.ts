/** Source: iptables-extensions(8) "DNAT"; net/netfilter/xt_nat.c xt_dnat_target_v2(). */

import { defineTarget } from '../extension.ts'
import { natFlags, natRange, portsAfterProtocol, portsNeedProtocol } from '../nat-types.ts'
import { flag } from '../option-types.ts'

/** Kernel: the table nat sees the first packet of a connection only; the mapping holds for all of it. */
export const dnatTarget = defineTarget({
  name: 'DNAT',
  doc: 'gives the connection another destination',
  tables: ['nat'],
  hooks: ['PREROUTING', 'OUTPUT'],
  options: {
    'to-destination': { type: natRange, required: true, afterProtocol: portsAfterProtocol, doc: 'new destination: address or range, port or range; port-port/base shifts ports' },
    random: { type: flag, doc: 'the port is chosen at random' },
    persistent: { type: flag, doc: 'a client gets the same address each time' },
  },
  does(infos) {
    const range = infos['to-destination']?.value
    return [
      {
        kind: 'nat', side: 'destination',
        addresses: range?.addresses ? { kind: 'ranges', ranges: [range.addresses] } : { kind: 'keep' },
        ...(range?.ports ? { ports: range.ports } : {}), ...natFlags(infos),
      },
      { kind: 'verdict', verdict: 'accept' },
    ]
  },
  check: (infos, around) => portsNeedProtocol(infos['to-destination']?.value.ports, around),
})
