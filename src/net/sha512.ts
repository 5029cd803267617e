/** SHA-512 (FIPS 180-4), for names that engines make from it: `src/` runs without Node's. */

import { hashBlocks } from './hash-blocks.ts'

const BITS = (1n << 64n) - 1n

/** The first 64 bits of the fractional parts of the square roots of the first 8 primes, and of the cube roots of the first 80. */
const PRIMES = firstPrimes(80)
const START = PRIMES.slice(0, 8).map(prime => root(prime << 128n, 2n) & BITS)
const ROUND = PRIMES.map(prime => root(prime << 192n, 3n) & BITS)

/** Returns the SHA-512 of a text in UTF-8 as 64 bytes. */
export function sha512(text: string): Uint8Array {
  let state: readonly bigint[] = START
  const blocks = hashBlocks(new TextEncoder().encode(text), 128)
  for (let at = 0; at < blocks.byteLength; at += 128) state = digestBlock(state, blocks, at)
  const bytes = new DataView(new ArrayBuffer(64))
  state.forEach((word, index) => bytes.setBigUint64(index * 8, word))
  return new Uint8Array(bytes.buffer)
}

function digestBlock(state: readonly bigint[], blocks: DataView, at: number): readonly bigint[] {
  const words = Array.from({ length: 16 }, (_, index) => blocks.getBigUint64(at + index * 8))
  for (let index = 16; index < 80; index++) {
    const [old, recent] = [words[index - 15] ?? 0n, words[index - 2] ?? 0n]
    const mixed = (turn(old, 1n) ^ turn(old, 8n) ^ (old >> 7n)) + (turn(recent, 19n) ^ turn(recent, 61n) ^ (recent >> 6n))
    words.push(((words[index - 16] ?? 0n) + (words[index - 7] ?? 0n) + mixed) & BITS)
  }
  let [a = 0n, b = 0n, c = 0n, d = 0n, e = 0n, f = 0n, g = 0n, h = 0n] = state
  for (const [index, word] of words.entries()) {
    const one = (h + (turn(e, 14n) ^ turn(e, 18n) ^ turn(e, 41n)) + ((e & f) ^ (~e & BITS & g)) + (ROUND[index] ?? 0n) + word) & BITS
    const two = ((turn(a, 28n) ^ turn(a, 34n) ^ turn(a, 39n)) + ((a & b) ^ (a & c) ^ (b & c))) & BITS
    ;[h, g, f, e, d, c, b, a] = [g, f, e, (d + one) & BITS, c, b, a, (one + two) & BITS]
  }
  return [a, b, c, d, e, f, g, h].map((word, index) => ((state[index] ?? 0n) + word) & BITS)
}

function turn(word: bigint, bits: bigint): bigint {
  return ((word >> bits) | (word << (64n - bits))) & BITS
}

/** Returns the largest whole number whose power is not above a value. */
function root(value: bigint, power: bigint): bigint {
  let low = 0n
  let high = 1n << 70n
  while (low < high) {
    const middle = (low + high + 1n) >> 1n
    if (middle ** power <= value) low = middle
    else high = middle - 1n
  }
  return low
}

function firstPrimes(count: number): bigint[] {
  const primes: bigint[] = []
  for (let number = 2n; primes.length < count; number++) if (primes.every(prime => number % prime !== 0n)) primes.push(number)
  return primes
}
