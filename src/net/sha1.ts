/** SHA-1 (FIPS 180-4), for names that engines make from it: `src/` runs without Node's. */

import { hashBlocks } from './hash-blocks.ts'

/** Returns the SHA-1 of a text in UTF-8 as 20 bytes. */
export function sha1(text: string): Uint8Array {
  const state = Uint32Array.from([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0])
  const blocks = hashBlocks(new TextEncoder().encode(text), 64)
  for (let at = 0; at < blocks.byteLength; at += 64) digestBlock(state, blocks, at)
  const bytes = new DataView(new ArrayBuffer(20))
  state.forEach((word, index) => bytes.setUint32(index * 4, word))
  return new Uint8Array(bytes.buffer)
}

function digestBlock(state: Uint32Array, blocks: DataView, at: number): void {
  const words = Array.from({ length: 16 }, (_, index) => blocks.getUint32(at + index * 4))
  for (let index = 16; index < 80; index++) words.push(turn((words[index - 3] ?? 0) ^ (words[index - 8] ?? 0) ^ (words[index - 14] ?? 0) ^ (words[index - 16] ?? 0), 1))
  let [a = 0, b = 0, c = 0, d = 0, e = 0] = state
  for (const [index, word] of words.entries()) {
    const { mixed, round } = mix(index, b, c, d)
    const next = (turn(a, 5) + mixed + e + round + word) >>> 0
    ;[e, d, c, b, a] = [d, c, turn(b, 30), a, next]
  }
  ;[a, b, c, d, e].forEach((word, index) => { state[index] = (state[index] ?? 0) + word })
}

function mix(index: number, b: number, c: number, d: number): { readonly mixed: number; readonly round: number } {
  if (index < 20) return { mixed: (b & c) | (~b & d), round: 0x5a827999 }
  if (index < 40) return { mixed: b ^ c ^ d, round: 0x6ed9eba1 }
  if (index < 60) return { mixed: (b & c) | (b & d) | (c & d), round: 0x8f1bbcdc }
  return { mixed: b ^ c ^ d, round: 0xca62c1d6 }
}

function turn(word: number, bits: number): number {
  return ((word << bits) | (word >>> (32 - bits))) >>> 0
}
