/** Source: iptables-extensions(8) "TEE"; net/netfilter/xt_TEE.c tee_tg4(), tee_tg_check(). */

import type { Address } from '../../net/address.ts'
import { writeAddress } from '../../net/address.ts'
import { hostAddressType } from '../address-types.ts'
import { defineTarget, refuse } from '../extension.ts'
import type { OptionType } from '../extension.ts'
import { text } from '../text-types.ts'

const gateway: OptionType<Address> = {
  ...hostAddressType,
  read(words, family) {
    const address = hostAddressType.read(words, family)
    return address.ok && Number(address.value) === 0 ? refuse(`\`${words[0]}\` is not the address of a host`) : address
  },
}

/** Kernel: the copy is sent on its own, with a TTL of one less where it comes from outside; --oif is not looked for. */
export const teeTarget = defineTarget({
  name: 'TEE',
  doc: 'sends a copy of the packet to another host; the next rule follows',
  options: {
    gateway: { type: gateway, required: true, doc: 'host on a local network that gets the copy', does: address => [{ kind: 'observe', words: `copied to ${writeAddress(address)}` }] },
    oif: { type: text(15, 'device'), print: use => (use.value === '' ? undefined : `--oif ${use.value}`), doc: 'device over which the copy leaves' },
  },
})
