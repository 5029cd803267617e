/** Source: iptables-extensions(8) "NETMAP"; net/netfilter/xt_NETMAP.c netmap_tg4(), netmap_tg6(). */

import { lengthOfMask, maskAddress, writeAddress } from '../../net/address.ts'
import type { Prefix } from '../../net/address.ts'
import { hostMask } from '../address-types.ts'
import { defineTarget, read } from '../extension.ts'
import type { OptionType } from '../extension.ts'

const network: OptionType<Prefix> = {
  ...hostMask,
  read(words, family) {
    const prefix = hostMask.read(words, family)
    if (!prefix.ok) return prefix
    const { address, mask } = prefix.value
    const kept = maskAddress(address, mask)
    return read({ address: kept, mask }, prefix.change ?? (kept === address ? undefined : `the host bits of \`${words[0]}\` are dropped`))
  },
  write: ({ address, mask }) => [`${writeAddress(address)}/${lengthOfMask(mask) ?? writeAddress(mask)}`],
}

/** Kernel: in PREROUTING and OUTPUT the destination is mapped, in INPUT and POSTROUTING the source; the host bits stay. */
export const netmapTarget = defineTarget({
  name: 'NETMAP',
  doc: 'maps a whole network to another, address by address',
  tables: ['nat'],
  hooks: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
  options: {
    to: {
      type: network, required: true, doc: 'the other network',
      does: prefix => [{ kind: 'nat', side: 'ofHook', addresses: { kind: 'prefix', prefix } }, { kind: 'verdict', verdict: 'accept' }],
    },
  },
})
