/** IPv4 and IPv6 addresses, masks and prefixes. An IPv4 address is a number (0..2^32-1), an IPv6 address a bigint, so the type tells the family. */

/** The address family of a ruleset or packet. */
export type Family = 'ipv4' | 'ipv6'

/** An address in host byte order: number for IPv4, bigint for IPv6. */
export type Address = number | bigint

/** Addresses equal to `address` under `mask`; `address` has no bit outside `mask`. The mask need not be contiguous. */
export interface Prefix {
  readonly address: Address
  readonly mask: Address
}

const ALL_IPV4 = 0xffffffff
const ALL_IPV6 = (1n << 128n) - 1n

/** Returns the family of an address. */
export function familyOf(address: Address): Family {
  return typeof address === 'number' ? 'ipv4' : 'ipv6'
}

/** Tells whether an address stands for every address. */
export function isUnspecified(address: Address): boolean {
  return address === 0 || address === 0n
}

/** Returns the width of an address in bits: 32 or 128. */
export function addressWidth(family: Family): number {
  return family === 'ipv4' ? 32 : 128
}

/** Returns the mask with the first `length` bits set; `length` is 0..32 or 0..128. */
export function maskOfLength(family: Family, length: number): Address {
  if (family === 'ipv4') return length === 0 ? 0 : (ALL_IPV4 << (32 - length)) >>> 0
  return (ALL_IPV6 << BigInt(128 - length)) & ALL_IPV6
}

/** Returns the prefix length of a contiguous mask, undefined for any other. */
export function lengthOfMask(mask: Address): number | undefined {
  if (typeof mask !== 'number') return LENGTH_OF_IPV6_MASK.get(mask)
  const inverted = ~mask >>> 0
  return (inverted & (inverted + 1)) === 0 ? Math.clz32(inverted) : undefined
}

const LENGTH_OF_IPV6_MASK: ReadonlyMap<bigint, number> = new Map(Array.from({ length: 129 }, (_, length) => [(ALL_IPV6 << BigInt(128 - length)) & ALL_IPV6, length]))

/** Returns the prefix of an address and a mask, host bits cleared. */
export function prefixOf(address: Address, mask: Address): Prefix {
  return { address: maskAddress(address, mask), mask }
}

/** Returns the bitwise and of two addresses of one family. */
export function maskAddress(address: Address, mask: Address): Address {
  if (typeof address === 'number' && typeof mask === 'number') return (address & mask) >>> 0
  return BigInt(address) & BigInt(mask)
}

/** Tells whether an address lies in a prefix; an address of the other family never does. */
export function prefixIncludes(prefix: Prefix, address: Address): boolean {
  if (typeof prefix.mask === 'number') return typeof address === 'number' && ((address & prefix.mask) >>> 0) === prefix.address
  return typeof address === 'bigint' && (address & prefix.mask) === prefix.address
}

/** Reads a dotted-quad or colon-hex address as inet_pton(3) does; undefined where it is none. */
export function readAddress(text: string): Address | undefined {
  return text.includes(':') ? readIpv6(text) : readIpv4(text)
}

/** Reads an address with optional `/length` or `/mask`; undefined where it is none. Host bits are cleared. */
export function readPrefix(text: string): Prefix | undefined {
  const slash = text.indexOf('/')
  const address = readAddress(slash === -1 ? text : text.slice(0, slash))
  if (address === undefined) return undefined
  const mask = slash === -1 ? maskOfLength(familyOf(address), addressWidth(familyOf(address))) : readMask(familyOf(address), text.slice(slash + 1))
  return mask === undefined ? undefined : prefixOf(address, mask)
}

/** Reads a prefix length or a mask written as an address; undefined where it is neither. */
export function readMask(family: Family, text: string): Address | undefined {
  if (/^\d{1,3}$/.test(text)) {
    const length = Number(text)
    return length <= addressWidth(family) ? maskOfLength(family, length) : undefined
  }
  const mask = readAddress(text)
  return mask !== undefined && familyOf(mask) === family ? mask : undefined
}

/** Returns the address in its shortest usual form (RFC 5952 for IPv6, as inet_ntop(3) prints it). */
export function writeAddress(address: Address): string {
  if (typeof address === 'bigint') return writeIpv6(address)
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`
}

/** Returns `address/length`, or `address/mask` where the mask is not contiguous; a full mask is left out. */
export function writePrefix(prefix: Prefix): string {
  const length = lengthOfMask(prefix.mask)
  if (length === undefined) return `${writeAddress(prefix.address)}/${writeAddress(prefix.mask)}`
  return length === addressWidth(familyOf(prefix.mask)) ? writeAddress(prefix.address) : `${writeAddress(prefix.address)}/${length}`
}

/** Returns the fewest prefixes that have just the addresses from `low` to `high`, both included. */
export function coverRange(low: Address, high: Address): readonly Prefix[] {
  const family = familyOf(low)
  const width = addressWidth(family)
  const prefixes: Prefix[] = []
  let at = BigInt(low)
  const end = BigInt(high)
  while (at <= end) {
    let bits = 0
    while (bits < width && (at & ((1n << BigInt(bits + 1)) - 1n)) === 0n && at + (1n << BigInt(bits + 1)) - 1n <= end) bits++
    prefixes.push(prefixOf(family === 'ipv4' ? Number(at) : at, maskOfLength(family, width - bits)))
    at += 1n << BigInt(bits)
  }
  return prefixes
}

/** Reads four decimal numbers of at most three digits, without leading zeros. */
function readIpv4(text: string): number | undefined {
  let value = 0
  let part = 0
  let digits = 0
  let dots = 0
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (char === 46) {
      if (digits === 0 || ++dots > 3) return undefined
      value = value * 256 + part
      part = digits = 0
    } else {
      const digit = char - 48
      if (digit < 0 || digit > 9 || (digits > 0 && part === 0)) return undefined
      part = part * 10 + digit
      digits++
      if (part > 255) return undefined
    }
  }
  return dots === 3 && digits > 0 ? value * 256 + part : undefined
}

function readIpv6(text: string): bigint | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const head = readGroups(halves[0] ?? '', halves.length === 1)
  const tail = halves.length === 2 ? readGroups(halves[1] ?? '', true) : []
  if (!head || !tail) return undefined
  const missing = 8 - head.length - tail.length
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined
  const groups = [...head, ...Array<number>(missing).fill(0), ...tail]
  return groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n)
}

function readGroups(text: string, mayEndInIpv4: boolean): number[] | undefined {
  if (text === '') return []
  const groups: number[] = []
  const parts = text.split(':')
  for (const [index, part] of parts.entries()) {
    if (part.includes('.')) {
      const ipv4 = mayEndInIpv4 && index === parts.length - 1 ? readIpv4(part) : undefined
      if (ipv4 === undefined) return undefined
      groups.push(ipv4 >>> 16, ipv4 & 0xffff)
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined
      groups.push(Number.parseInt(part, 16))
    }
  }
  return groups
}

function writeIpv6(address: bigint): string {
  if (address >> 32n === 0xffffn) return `::ffff:${writeAddress(Number(address & 0xffffffffn))}`
  if (address >> 32n === 0n && address > 0xffffn) return `::${writeAddress(Number(address))}`
  const groups: number[] = []
  for (const shift of QUARTERS) {
    const quarter = Number((address >> shift) & 0xffffffffn)
    groups.push(quarter >>> 16, quarter & 0xffff)
  }
  const { start, length } = longestZeroRun(groups)
  const hex = groups.map(group => group.toString(16))
  if (length < 2) return hex.join(':')
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`
}

const QUARTERS = [96n, 64n, 32n, 0n] as const

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  for (let start = 0; start < groups.length; start++) {
    let length = 0
    while (groups[start + length] === 0) length++
    if (length > best.length) best = { start, length }
  }
  return best
}
