/** What DNPT and SNPT share: one IPv6 prefix for another. Source: net/ipv6/netfilter/ip6t_NPT.c ip6t_npt_checkentry(), ip6t_npt_map_pfx(). */

import { lengthOfMask, maskAddress, writeAddress } from '../net/address.ts'
import type { Prefix } from '../net/address.ts'
import type { Effect } from '../meaning/effect.ts'
import { hostMask } from './address-types.ts'
import { refuse } from './extension.ts'
import type { InfosOf, OptionRow, OptionType } from './extension.ts'

const LONGEST_PREFIX = 64

const prefix: OptionType<Prefix> = {
  ...hostMask, syntax: 'prefix',
  read(words, family) {
    const reading = hostMask.read(words, family)
    if (!reading.ok) return reading
    const { address, mask } = reading.value
    const length = lengthOfMask(mask)
    if (length === undefined || length > LONGEST_PREFIX) return refuse(`prefix \`${words[0]}\` is longer than ${LONGEST_PREFIX} bits`)
    return maskAddress(address, mask) === address ? reading : refuse(`prefix \`${words[0]}\` has host bits`)
  },
  write: ({ address, mask }) => [`${writeAddress(address)}/${lengthOfMask(mask)}`],
}

/** The options of both. */
export type NptOptions = { 'src-pfx': Prefix; 'dst-pfx': Prefix }

/** Their rows. Kernel: ::/0 is not printed. */
export const NPT_ROWS: { readonly [K in keyof NptOptions]: OptionRow<Prefix> } = {
  'src-pfx': { type: prefix, required: true, omitted: use => use.value.mask === 0n, doc: 'prefix that the address has' },
  'dst-pfx': { type: prefix, required: true, omitted: use => use.value.mask === 0n, doc: 'prefix that it gets; a part behind is changed too, so that checksums stay right' },
}

/** Returns what they do to the address of a side. */
export function nptEffects(side: 'source' | 'destination', infos: InfosOf<NptOptions>): readonly Effect[] {
  const from = infos['src-pfx']?.value
  const to = infos['dst-pfx']?.value
  return from && to ? [{ kind: 'translatePrefix', side, from, to }] : []
}
