/** What a translation may choose from. */

import type { AddressRange, NumberRange } from '../net/ranges.ts'

/** Which end of the original packet is rewritten. */
export type NatSide = 'source' | 'destination'

/** What a translation may choose from. Source: struct nf_nat_range2. */
export interface NatRange {
  /** Absent: the address stays. */
  readonly addresses?: AddressRange
  readonly ports?: NumberRange & { readonly base?: number }
  readonly random: boolean
  readonly persistent: boolean
}
