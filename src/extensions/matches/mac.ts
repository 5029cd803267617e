/** Source: iptables-extensions(8) "mac"; net/netfilter/xt_mac.c mac_mt(). */

import { equals, within } from '../../meaning/predicate.ts'
import { macAddress } from '../address-types.ts'
import { defineMatch } from '../extension.ts'

/** Kernel: a packet that came in no Ethernet frame never matches, `!` or not. */
export const mac = defineMatch({
  name: 'mac',
  doc: 'matches the source MAC address',
  hooks: ['PREROUTING', 'INPUT', 'FORWARD'],
  options: {
    'mac-source': { type: macAddress, invertible: true, required: true, doc: 'source MAC address of the frame', means: address => equals('mac.src', address) },
  },
  means: () => within('mac.src', 0n, (1n << 48n) - 1n),
})
