/** Source: iptables-extensions(8) "REDIRECT"; net/netfilter/nf_nat_redirect.c nf_nat_redirect_ipv4(), nf_nat_redirect_ipv6(). */

import { defineTarget } from '../extension.ts'
import { natFlags, redirectPorts, portsAfterProtocol, portsNeedProtocol } from '../nat-types.ts'
import { flag } from '../option-types.ts'

/** Kernel: in OUTPUT the destination becomes the loopback address, elsewhere the first address of the device of arrival; without any the packet is dropped. */
export const redirectTarget = defineTarget({
  name: 'REDIRECT',
  doc: 'sends the connection to this host itself',
  tables: ['nat'],
  hooks: ['PREROUTING', 'OUTPUT'],
  options: {
    'to-ports': { type: redirectPorts, afterProtocol: portsAfterProtocol, doc: 'port or range to send it to' },
    random: { type: flag, doc: 'the port is chosen at random' },
  },
  does: infos => [
    { kind: 'nat', side: 'destination', addresses: { kind: 'inDevice' }, ...(infos['to-ports'] ? { ports: infos['to-ports'].value } : {}), ...natFlags(infos) },
    { kind: 'verdict', verdict: 'accept' },
  ],
  check: (infos, around) => portsNeedProtocol(infos['to-ports']?.value, around),
})
