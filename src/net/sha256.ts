/** SHA-256 and SHA-224 (FIPS 180-4), for names that engines make from it: `src/` runs without Node's. */

import { hashBlocks } from './hash-blocks.ts'

/** The first 32 bits of the fractional parts of the square roots of the first 8 primes, and of the cube roots of the first 64. */
const PRIMES = firstPrimes(64)
const START = PRIMES.slice(0, 8).map(prime => fraction(Math.sqrt(prime)))
const ROUND = PRIMES.map(prime => fraction(Math.cbrt(prime)))

/** Where SHA-224 begins. Source: FIPS 180-4 section 5.3.2. */
const START_224 = [0xc1059ed8, 0x367cd507, 0x3070dd17, 0xf70e5939, 0xffc00b31, 0x68581511, 0x64f98fa7, 0xbefa4fa4]

/** Returns the SHA-256 of a text in UTF-8 as 32 bytes. */
export function sha256(text: string): Uint8Array {
  return digest(new TextEncoder().encode(text), START)
}

/** Returns the SHA-224 of bytes as 28 bytes. */
export function sha224(bytes: Uint8Array): Uint8Array {
  return digest(bytes, START_224).slice(0, 28)
}

function digest(message: Uint8Array, start: readonly number[]): Uint8Array {
  const state = Uint32Array.from(start)
  const blocks = hashBlocks(message, 64)
  for (let at = 0; at < blocks.byteLength; at += 64) digestBlock(state, blocks, at)
  const bytes = new DataView(new ArrayBuffer(32))
  state.forEach((word, index) => bytes.setUint32(index * 4, word))
  return new Uint8Array(bytes.buffer)
}

/** Returns bytes as hex digits. */
export function hexDigits(bytes: Uint8Array): string {
  return [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join('')
}

function digestBlock(state: Uint32Array, blocks: DataView, at: number): void {
  const words = Array.from({ length: 16 }, (_, index) => blocks.getUint32(at + index * 4))
  for (let index = 16; index < 64; index++) {
    const [old, recent] = [words[index - 15] ?? 0, words[index - 2] ?? 0]
    const mixed = (turn(old, 7) ^ turn(old, 18) ^ (old >>> 3)) + (turn(recent, 17) ^ turn(recent, 19) ^ (recent >>> 10))
    words.push(((words[index - 16] ?? 0) + (words[index - 7] ?? 0) + mixed) >>> 0)
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state
  for (const [index, word] of words.entries()) {
    const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + (ROUND[index] ?? 0) + word) >>> 0
    const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) >>> 0
    ;[h, g, f, e, d, c, b, a] = [g, f, e, (d + one) >>> 0, c, b, a, (one + two) >>> 0]
  }
  ;[a, b, c, d, e, f, g, h].forEach((word, index) => { state[index] = (state[index] ?? 0) + word })
}

function turn(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits))
}

function fraction(root: number): number {
  return Math.floor((root % 1) * 2 ** 32)
}

function firstPrimes(count: number): number[] {
  const primes: number[] = []
  for (let number = 2; primes.length < count; number++) if (primes.every(prime => number % prime !== 0)) primes.push(number)
  return primes
}
