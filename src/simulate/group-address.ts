/** Addresses that are no single host's. */

import type { Address } from '../net/address.ts'

/** Tells whether the address is 255.255.255.255. */
export function isLimitedBroadcast(address: Address): boolean {
  return address === 0xffffffff
}

/** Tells whether the address is a multicast one. */
export function isMulticast(address: Address): boolean {
  return typeof address === 'number' ? address >>> 28 === 0xe : address >> 120n === 0xffn
}
