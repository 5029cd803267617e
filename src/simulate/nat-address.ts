/** Which address of a range nat takes: a hash of both addresses, the same for equal connections. */

import type { Address } from '../net/address.ts'
import type { NatRange, NatSide } from './nat-range.ts'
import type { Tuple } from './tuple.ts'

/** Returns the address; `tuple` is the one before the choice. Source: nf_nat_core.c find_best_ips_proto(). */
export function pickAddress(tuple: Tuple, side: NatSide, range: NatRange, zone: number): Address {
  const { addresses } = range
  if (!addresses) return side === 'destination' ? tuple.dst : tuple.src
  if (addresses.low === addresses.high) return addresses.low
  const width = typeof addresses.low === 'number' ? 1 : 4
  const source = wordsOf(tuple.src, width)
  const destination = wordsOf(tuple.dst, width)
  const low = wordsOf(addresses.low, width)
  const high = wordsOf(addresses.high, width)
  const padded = [...source.map(swapBytes), 0, 0, 0].slice(0, 4)
  let hash = jenkinsHash(padded, range.persistent ? 0 : (swapBytes(destination[width - 1] ?? 0) ^ zone) >>> 0)
  let isFullRange = false
  const picked: number[] = []
  for (let index = 0; index < width; index++) {
    const first = isFullRange ? 0 : (low[index] ?? 0)
    const distance = isFullRange ? 0xffffffff : ((high[index] ?? 0) - first + 1) >>> 0
    const word = (first + Number((BigInt(hash) * BigInt(distance)) >> 32n)) >>> 0
    picked.push(word)
    if (word !== high[index]) isFullRange = true
    if (!range.persistent) hash = (hash ^ swapBytes(destination[index] ?? 0)) >>> 0
  }
  return width === 1 ? (picked[0] ?? 0) : picked.reduce((sum, word) => (sum << 32n) | BigInt(word), 0n)
}

function wordsOf(address: Address, width: number): number[] {
  if (typeof address === 'number') return [address]
  return Array.from({ length: width }, (_, index) => Number((address >> BigInt(96 - 32 * index)) & 0xffffffffn))
}

/** The kernel hashes addresses as they lie in memory, in network order; the machine is taken to be little-endian. */
function swapBytes(word: number): number {
  return (((word & 255) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0
}

/** Source: include/linux/jhash.h jhash2(), for whole 32-bit words. */
function jenkinsHash(words: readonly number[], seed: number): number {
  let a = (0xdeadbeef + (words.length << 2) + seed) >>> 0
  let b = a
  let c = a
  let at = 0
  for (; words.length - at > 3; at += 3) {
    ;[a, b, c] = mix((a + (words[at] ?? 0)) | 0, (b + (words[at + 1] ?? 0)) | 0, (c + (words[at + 2] ?? 0)) | 0)
  }
  const left = words.length - at
  if (left >= 3) c = (c + (words[at + 2] ?? 0)) | 0
  if (left >= 2) b = (b + (words[at + 1] ?? 0)) | 0
  if (left >= 1) return finalMix((a + (words[at] ?? 0)) | 0, b, c)
  return c >>> 0
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits))
}

function mix(a: number, b: number, c: number): [number, number, number] {
  a = (a - c) ^ rotate(c, 4); c = (c + b) | 0
  b = (b - a) ^ rotate(a, 6); a = (a + c) | 0
  c = (c - b) ^ rotate(b, 8); b = (b + a) | 0
  a = (a - c) ^ rotate(c, 16); c = (c + b) | 0
  b = (b - a) ^ rotate(a, 19); a = (a + c) | 0
  c = (c - b) ^ rotate(b, 4); b = (b + a) | 0
  return [a, b, c]
}

function finalMix(a: number, b: number, c: number): number {
  c = ((c ^ b) - rotate(b, 14)) | 0
  a = ((a ^ c) - rotate(c, 11)) | 0
  b = ((b ^ a) - rotate(a, 25)) | 0
  c = ((c ^ b) - rotate(b, 16)) | 0
  a = ((a ^ c) - rotate(c, 4)) | 0
  b = ((b ^ a) - rotate(a, 14)) | 0
  c = ((c ^ b) - rotate(b, 24)) | 0
  return c >>> 0
}
