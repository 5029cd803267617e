/** IPv6 prefix translation without state (RFC 6296). Source: net/ipv6/netfilter/ip6t_NPT.c ip6t_npt_map_pfx(). */

import type { Effect } from '../meaning/effect.ts'
import { addressWidth, lengthOfMask, maskOfLength } from '../net/address.ts'
import type { Prefix } from '../net/address.ts'
import type { Packet } from '../packet/packet.ts'

const ALL_ONES = 0xffff

/** Returns the packet with the address of one side translated. */
export function withTranslatedPrefix(packet: Packet, { side, from, to }: Extract<Effect, { kind: 'translatePrefix' }>): Packet {
  const name = side === 'source' ? 'src' : 'dst'
  const old = packet[name]
  return typeof old === 'number' ? packet : { ...packet, [name]: translatePrefix(old, from, to) }
}

/**
 * Returns the address under the prefix `to`, with one 16-bit word changed so that the sum of all words stays what it was. Kernel:
 * the prefix that the address has is not compared with `from`; with prefixes of up to 48 bits the word is the fourth, else the
 * first of the last four that is not all ones. An address without such a word stays as it is here; the kernel drops the packet.
 */
export function translatePrefix(address: bigint, from: Prefix, to: Prefix): bigint {
  const length = Math.max(lengthOfMask(from.mask) ?? 0, lengthOfMask(to.mask) ?? 0)
  const mask = BigInt(maskOfLength('ipv6', length))
  const words = wordsOf((address & ~mask) | BigInt(to.address))
  const at = length <= 48 ? 3 : words.findIndex((word, index) => index > 3 && word !== ALL_ONES)
  if (at === -1) return address
  const difference = sum(wordsOf(BigInt(from.address))) - sum(wordsOf(BigInt(to.address)))
  words[at] = ((((words[at] ?? 0) + difference) % ALL_ONES) + ALL_ONES) % ALL_ONES
  return words.reduce((value, word) => (value << 16n) | BigInt(word), 0n)
}

function wordsOf(address: bigint): number[] {
  return Array.from({ length: addressWidth('ipv6') / 16 }, (_, index) => Number((address >> BigInt(112 - 16 * index)) & 0xffffn))
}

function sum(words: readonly number[]): number {
  return words.reduce((total, word) => total + word, 0)
}
