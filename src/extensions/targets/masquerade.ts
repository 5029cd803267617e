/** Source: iptables-extensions(8) "MASQUERADE"; net/netfilter/nf_nat_masquerade.c nf_nat_masquerade_ipv4(). */

import { defineTarget } from '../extension.ts'
import { natFlags, masqueradePorts, portsAfterProtocol, portsNeedProtocol } from '../nat-types.ts'
import { flag } from '../option-types.ts'

/** Kernel: the address is the one that routing prefers for the next hop on the device of departure; without any the packet is dropped. */
export const masqueradeTarget = defineTarget({
  name: 'MASQUERADE',
  doc: 'gives the connection the address of the device of departure as its source',
  tables: ['nat'],
  hooks: ['POSTROUTING'],
  options: {
    'to-ports': { type: masqueradePorts, afterProtocol: portsAfterProtocol, doc: 'source port or range to use' },
    random: { type: flag, doc: 'the port is chosen at random' },
    'random-fully': { type: flag, doc: 'the port is chosen at random each time' },
  },
  does: infos => [
    { kind: 'nat', side: 'source', addresses: { kind: 'outDevice' }, ...(infos['to-ports'] ? { ports: infos['to-ports'].value } : {}), ...natFlags(infos) },
    { kind: 'verdict', verdict: 'accept' },
  ],
  check: (infos, around) => portsNeedProtocol(infos['to-ports']?.value, around),
})
