/** Inclusive ranges of numbers and addresses. */

import type { Address } from './address.ts'

/** Whole numbers from `low` to `high`, both inclusive; readers keep `low > high` where iptables does. */
export interface NumberRange {
  readonly low: number
  readonly high: number
}

/** Addresses of one family from `low` to `high`, both inclusive. */
export interface AddressRange {
  readonly low: Address
  readonly high: Address
}
