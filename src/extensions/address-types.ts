/** Addresses: single ones with a mask, ranges, MAC addresses. */

import { addressWidth, familyOf, maskOfLength, readAddress, readMask, writeAddress, writePrefix } from '../net/address.ts'
import type { Address, Family, Prefix } from '../net/address.ts'
import type { AddressRange } from '../net/ranges.ts'
import { read, refuse } from './extension.ts'
import type { OptionType, Reading } from './extension.ts'

/** An address with an optional mask; host bits stay as they are and are printed. Source: libxtables/xtoptions.c xtopt_parse_hostmask(). */
export const hostMask: OptionType<Prefix> = {
  syntax: 'address[/mask]', words: 1,
  read([word = ''], family) {
    const slash = word.indexOf('/')
    const address = readOneAddress(slash === -1 ? word : word.slice(0, slash), family)
    if (!address.ok) return address
    const mask = slash === -1 ? maskOfLength(family, addressWidth(family)) : readMask(family, word.slice(slash + 1))
    return mask === undefined ? refuse(`\`${word.slice(slash + 1)}\` is not a mask`) : read({ address: address.value, mask })
  },
  write: prefix => [writePrefix(prefix)],
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
}

/** Reads `address` or `address-address`; the ends are not compared. */
export function readAddressRange(word: string, family: Family): Reading<AddressRange> {
  const dash = word.indexOf('-')
  const low = readOneAddress(dash === -1 ? word : word.slice(0, dash), family)
  const high = dash === -1 ? low : readOneAddress(word.slice(dash + 1), family)
  if (!low.ok) return low
  return high.ok ? read({ low: low.value, high: high.value }) : high
}

function readOneAddress(word: string, family: Family): Reading<Address> {
  const address = readAddress(word)
  if (address !== undefined && familyOf(address) === family) return read(address)
  return refuse(`\`${word}\` is not an ${family === 'ipv4' ? 'IPv4' : 'IPv6'} address`)
}
