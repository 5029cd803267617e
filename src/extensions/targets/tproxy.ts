/** Source: iptables-extensions(8) "TPROXY"; net/netfilter/xt_TPROXY.c tproxy_tg4(), tproxy_tg4_check(). */

import type { Address } from '../../net/address.ts'
import { PROTOCOL } from '../../net/protocol.ts'
import { hostAddressType } from '../address-types.ts'
import { defineTarget } from '../extension.ts'
import { markMask, xorMark } from '../mark-types.ts'
import type { MarkMask } from '../mark-types.ts'
import { loosePort } from '../port-types.ts'

/** Kernel: without a transparent socket that takes it the packet is dropped; with one it gets the mark and is accepted. */
function tproxyOf(family: 'ipv4' | 'ipv6', anyAddress: Address) {
  return defineTarget<{ 'on-port': number; 'on-ip': Address; 'tproxy-mark': MarkMask }>({
    name: 'TPROXY',
    doc: 'hands the packet to a socket of this host as it is, and accepts it',
    families: [family],
    tables: ['mangle'],
    hooks: ['PREROUTING'],
    protocols: [PROTOCOL.tcp, PROTOCOL.udp],
    options: {
      'on-port': { type: loosePort, required: true, doc: "port of the socket; 0: the packet's" },
      'on-ip': { type: hostAddressType, default: anyAddress, doc: 'address of the socket; the first of the device of arrival where it is not given' },
      'tproxy-mark': { type: { ...markMask, write: xorMark.write }, default: { mark: 0, mask: 0 }, doc: 'of the packet mark the bits of the mask are cleared, then those of the value flipped' },
    },
    does: infos => [
      { kind: 'notModelled', words: `a transparent socket on port ${infos['on-port']?.value || 'of the packet'}, which would take the packet: it is dropped as without one` },
      { kind: 'verdict', verdict: 'drop' },
    ],
  })
}

/** TPROXY of iptables. */
export const tproxyTarget = tproxyOf('ipv4', 0)

/** TPROXY of ip6tables. */
export const tproxyTarget6 = tproxyOf('ipv6', 0n)
