/** Counting in prefixes: the n-th address, the last one, whether two overlap. */

import { addressWidth, familyOf, lengthOfMask, maskOfLength, prefixOf, readAddress } from './address.ts'
import type { Address, Prefix } from './address.ts'

/** An address with the length of its prefix. */
export interface AddressWithLength {
  readonly address: Address
  readonly length: number
}

/** Reads `address/length`; undefined where it is none. */
export function readAddressWithLength(text: string): AddressWithLength | undefined {
  const [host = '', lengthText = '', ...more] = text.split('/')
  const address = readAddress(host)
  if (address === undefined || more.length > 0 || !/^\d{1,3}$/.test(lengthText)) return undefined
  const length = Number(lengthText)
  return length <= addressWidth(familyOf(address)) ? { address, length } : undefined
}

/** Returns the address at an offset from the beginning of a prefix. */
export function addressAt(prefix: Prefix, offset: bigint): Address {
  return sameKind(BigInt(prefix.address) + offset, prefix.address)
}

/** Returns how many addresses a prefix has. */
export function sizeOf(prefix: Prefix): bigint {
  return 1n << BigInt(addressWidth(familyOf(prefix.address)) - lengthOf(prefix))
}

/** Returns the length of a prefix in bits. */
export function lengthOf(prefix: Prefix): number {
  return lengthOfMask(prefix.mask) ?? 0
}

/** Tells whether two prefixes have an address in common. */
export function overlap(one: Prefix, other: Prefix): boolean {
  if (typeof one.address !== typeof other.address) return false
  const [a, b] = [BigInt(one.address), BigInt(other.address)]
  return a < b + sizeOf(other) && b < a + sizeOf(one)
}

/** Returns the prefix of a length that an address is in. */
export function prefixAround(address: Address, length: number): Prefix {
  return prefixOf(address, maskOfLength(familyOf(address), length))
}

function sameKind(value: bigint, like: Address): Address {
  return typeof like === 'number' ? Number(value) : value
}
