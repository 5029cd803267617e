/** Addresses, prefixes and ranges as they are written -> prefixes of both families. */

import { coverRange, familyOf, lengthOfMask, prefixIncludes, readAddress, readPrefix, writeAddress, writePrefix } from '../net/address.ts'
import type { Prefix } from '../net/address.ts'
import type { AddressNode } from './ast.ts'
import type { Complain } from './complain.ts'
import type { Prefixes } from './resolved.ts'

const NONE: readonly Prefix[] = []

/** Reads an address, prefix or range; host bits and the like are errors. Undefined where it is none. */
export function readAddresses(node: AddressNode, complain: Complain): readonly Prefix[] | undefined {
  return node.high ? readRange(node, node.high.text, complain) : readOne(node, complain)
}

/** Returns the prefixes by family. */
export function splitFamilies(prefixes: readonly Prefix[]): Prefixes {
  const only = prefixes[0]
  if (only && prefixes.length === 1) return typeof only.address === 'number' ? { ipv4: prefixes, ipv6: NONE } : { ipv4: NONE, ipv6: prefixes }
  return { ipv4: prefixes.filter(prefix => typeof prefix.address === 'number'), ipv6: prefixes.filter(prefix => typeof prefix.address === 'bigint') }
}

/** Returns the prefixes without repetitions and without those that lie in another. */
export function withoutCovered(prefixes: readonly Prefix[]): readonly Prefix[] {
  if (prefixes.length < 2) return prefixes
  const sorted = prefixes.toSorted((one, other) => (one.address < other.address ? -1 : one.address > other.address ? 1 : one.mask < other.mask ? -1 : 1))
  const covered = new Set<Prefix>()
  let outer: Prefix | undefined
  for (const prefix of sorted) {
    if (outer && typeof outer.address === typeof prefix.address && outer.mask <= prefix.mask && prefixIncludes(outer, prefix.address)) covered.add(prefix)
    else outer = prefix
  }
  return covered.size === 0 ? prefixes : prefixes.filter(prefix => !covered.has(prefix))
}

/** Tells whether every address of one prefix lies in another. */
export function prefixCovers(outer: Prefix, inner: Prefix): boolean {
  return typeof outer.address === typeof inner.address && outer.mask <= inner.mask && prefixIncludes(outer, inner.address)
}

/** Tells whether two prefixes have an address in common. */
export function prefixesMeet(one: Prefix, other: Prefix): boolean {
  return prefixCovers(one, other) || prefixCovers(other, one)
}

function readOne({ low: { text, span } }: AddressNode, complain: Complain): readonly Prefix[] | undefined {
  const prefix = readPrefix(text)
  if (!prefix) {
    complain('bad-address', span, `\`${text}\` is not an address`, addressHelp(text))
    return undefined
  }
  const length = lengthOfMask(prefix.mask)
  if (length === undefined) complain('bad-address', span, `the mask of \`${text}\` is not that of a prefix`, 'give a length, such as 10.0.0.0/8')
  else if (hasHostBits(text, prefix)) complain('bad-address', span, `\`${text}\` has bits set behind its prefix`, `the network is ${writePrefix(prefix)}; one host has no length`)
  else return [prefix]
  return undefined
}

function hasHostBits(text: string, prefix: Prefix): boolean {
  const slash = text.indexOf('/')
  return slash !== -1 && readAddress(text.slice(0, slash)) !== prefix.address
}

function addressHelp(text: string): string {
  if (text.includes(':')) return 'an IPv6 address has eight groups of up to four hex digits; `::` stands for groups of zeros, once'
  const parts = (text.split('/')[0] ?? '').split('.')
  if (parts.length !== 4) return 'an IPv4 address has four numbers: write 10.0.0.0/8 where 10/8 is meant'
  const big = parts.find(part => Number(part) > 255)
  if (big !== undefined) return `\`${big}\` is above 255`
  return parts.some(part => part.length > 1 && part.startsWith('0')) ? 'numbers of an address have no leading zeros' : 'a prefix length is at most 32'
}

function readRange(node: AddressNode, highText: string, complain: Complain): readonly Prefix[] | undefined {
  const low = readAddress(node.low.text)
  const high = readAddress(highText)
  const wrong = low === undefined ? node.low : node.high
  if (low === undefined || high === undefined) {
    if (wrong) complain('bad-address', wrong.span, `\`${wrong.text}\` is not an address`, 'a range has an address at both ends')
    return undefined
  }
  if (familyOf(low) !== familyOf(high) || low > high) {
    complain('bad-address', node.span, familyOf(low) === familyOf(high) ? `the range ends before it begins: ${writeAddress(high)} is below ${writeAddress(low)}` : 'the range begins in one family and ends in the other')
    return undefined
  }
  return coverRange(low, high)
}
