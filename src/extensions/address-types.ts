/** Addresses: single ones with a mask, ranges, MAC addresses. */

import { addressWidth, lengthOfMask, maskOfLength, writeAddress, writePrefix } from '../net/address.ts'
import type { Address, Family, Prefix } from '../net/address.ts'
import type { AddressRange } from '../net/ranges.ts'
import { read, refuse } from './extension.ts'
import type { OptionType, Reading } from './extension.ts'
import { hostAddress, readFamilyAddress, readWholeNumber, readHost } from './option-types.ts'
import { PLAIN_IPV4_RANGE, PLAIN_MAC } from './plain-values.ts'

/** An address with an optional mask; host bits stay as they are and are printed. Source: libxtables/xtoptions.c xtopt_parse_hostmask(). */
export const hostMask: OptionType<Prefix> = {
  syntax: 'address[/mask]', words: 1,
  read([word = ''], family) {
    const slash = word.indexOf('/')
    const head = slash === -1 ? word : word.slice(0, slash)
    const address = readHost(head, family) ?? hostAddress(head, family)
    if (address === undefined) return refuse(`\`${head}\` is not an ${family === 'ipv4' ? 'IPv4' : 'IPv6'} address`)
    const mask = slash === -1 ? read(fullMask(family)) : readHostMask(word.slice(slash + 1), family)
    return mask.ok ? read({ address, mask: mask.value }, mask.change) : mask
  },
  write: prefix => [writePrefix(prefix)],
}

/**
 * A prefix length, or a mask written as an address. Kernel: 1.8.9 takes a mask that is no prefix, and a length that is too big, as
 * undefined: connlimit forgets it, hashlimit is refused. Source: libxtables/xtoptions.c xtopt_parse_plen().
 */
export const maskLength: OptionType<number | undefined> = {
  syntax: 'length|mask', words: 1,
  read([word = ''], family) {
    const length = readWholeNumber(word, 0, addressWidth(family))
    if (length.ok) return length
    const mask = readHost(word, family)
    return mask === undefined ? refuse(`\`${word}\` is not a mask: give a length from 0 to ${addressWidth(family)} or a mask written as an address`) : read(lengthOfMask(mask))
  },
  write: length => [String(length ?? '')],
}

/** A single address. Source: libxtables/xtoptions.c xtopt_parse_host(). */
export const hostAddressType: OptionType<Address> = {
  syntax: 'address', words: 1,
  read([word = ''], family) {
    const address = readHost(word, family) ?? hostAddress(word, family)
    return address === undefined ? refuse(`\`${word}\` is not an ${family === 'ipv4' ? 'IPv4' : 'IPv6'} address`) : read(address)
  },
  write: address => [writeAddress(address)],
}

/** Kernel: 1.8.9 takes a mask that is no prefix, and a length that is too big, as the full mask. */
function readHostMask(word: string, family: Family): Reading<Address> {
  const length = readWholeNumber(word, 0, addressWidth(family))
  if (length.ok) return read(maskOfLength(family, length.value))
  const mask = readHost(word, family)
  if (mask === undefined) return refuse(`\`${word}\` is not a mask`)
  return lengthOfMask(mask) === undefined ? read(fullMask(family), `the mask \`${word}\` is no prefix: iptables 1.8.9 forgets it`) : read(mask)
}

function fullMask(family: Family): Address {
  return maskOfLength(family, addressWidth(family))
}

/** `address[-address]`, printed with both ends. Source: extensions/libxt_iprange.c iprange_parse_range(). */
export const addressRange: OptionType<AddressRange> = {
  syntax: 'address[-address]', words: 1,
  read([word = ''], family) {
    const range = readAddressRange(word, family)
    const reversed = range.ok && range.value.low > range.value.high
    return reversed ? read(range.value, `the range \`${word}\` ends before it begins: it never matches`) : range
  },
  write: ({ low, high }) => [`${writeAddress(low)}-${writeAddress(high)}`],
  plain: family => (family === 'ipv4' ? PLAIN_IPV4_RANGE : []),
}

/** Six hex bytes with colons, as a number; printed with two lower-case digits each. Source: libxtables/xtoptions.c xtopt_parse_ethermac(). */
export const macAddress: OptionType<bigint> = {
  syntax: 'xx:xx:xx:xx:xx:xx', words: 1,
  read([word = '']) {
    const bytes = word.split(':')
    if (bytes.length !== 6 || !bytes.every(byte => /^[0-9a-f]{0,2}$/i.test(byte))) return refuse(`\`${word}\` is not a MAC address: six hex bytes with colons`)
    return read(bytes.reduce((value, byte) => (value << 8n) | BigInt(Number.parseInt(byte || '0', 16)), 0n))
  },
  write: mac => [mac.toString(16).padStart(12, '0').replace(/(..)(?=.)/g, '$1:')],
  plain: () => PLAIN_MAC,
}

/** Reads `address` or `address-address`; the ends are not compared. */
export function readAddressRange(word: string, family: Family, readOne: (word: string, family: Family) => Address | undefined = readFamilyAddress): Reading<AddressRange> {
  const readEnd = (end: string): Reading<Address> => {
    const address = readOne(end, family)
    return address === undefined ? refuse(`\`${end}\` is not an ${family === 'ipv4' ? 'IPv4' : 'IPv6'} address`) : read(address)
  }
  const dash = word.indexOf('-')
  const low = readEnd(dash === -1 ? word : word.slice(0, dash))
  const high = dash === -1 ? low : readEnd(word.slice(dash + 1))
  if (!low.ok) return low
  return high.ok ? read({ low: low.value, high: high.value }) : high
}
