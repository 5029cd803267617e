/** The addresses of one subnet: who has which, and which comes next. Source: daemon/libnetwork/ipams/defaultipam/allocator.go. */

import { prefixIncludes } from '../net/address.ts'
import type { Address, Prefix } from '../net/address.ts'
import { addressAt, sizeOf } from '../net/prefix-math.ts'

/** The addresses in use; all below `lowest` (an offset in the range) are. */
export interface AddressesInUse {
  readonly prefix: Prefix
  readonly range: Prefix
  readonly taken: Set<Address>
  lowest: bigint
}

/** Returns a subnet of which nobody has an address. The network address is nobody's, in IPv4 the broadcast address too. */
export function openAddresses(prefix: Prefix, range: Prefix = prefix): AddressesInUse {
  const taken = new Set<Address>()
  if (sizeOf(prefix) > 2n) taken.add(prefix.address)
  if (typeof prefix.address === 'number' && sizeOf(prefix) > 2n) taken.add(addressAt(prefix, sizeOf(prefix) - 1n))
  return { prefix, range, taken, lowest: 0n }
}

/** Takes the lowest free address of the range; undefined where there is none. */
export function takeAddress(addresses: AddressesInUse): Address | undefined {
  const { range, taken } = addresses
  for (const size = sizeOf(range); addresses.lowest < size; addresses.lowest++) {
    const address = addressAt(range, addresses.lowest)
    if (taken.has(address)) continue
    taken.add(address)
    return address
  }
  return undefined
}

/** Takes an address that was asked for; says why where that cannot be. */
export function claimAddress({ prefix, taken }: AddressesInUse, address: Address): 'taken' | 'outside' | undefined {
  if (!prefixIncludes(prefix, address)) return 'outside'
  if (taken.has(address)) return 'taken'
  taken.add(address)
  return undefined
}

/** Gives an address back. */
export function releaseAddress(addresses: AddressesInUse, address: Address): void {
  addresses.taken.delete(address)
  addresses.lowest = 0n
}
