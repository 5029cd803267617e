/** The hash functions of src/net beside those of Node, around the lengths where a block more is needed. */

import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { sha1 } from '../src/net/sha1.ts'
import { hexDigits, sha224, sha256 } from '../src/net/sha256.ts'
import { sha512 } from '../src/net/sha512.ts'

const TEXTS = ['', 'abc', 'network:shop_front', '\u00e4'.repeat(200), ...[55, 56, 63, 64, 111, 112, 119, 120, 127, 128, 300].map(length => 'x'.repeat(length))]

const FUNCTIONS = { sha1, sha224: (text: string) => sha224(new TextEncoder().encode(text)), sha256, sha512 }

test.each(Object.entries(FUNCTIONS).flatMap(([name, hash]) => TEXTS.map(text => ({ name, hash, text }))))('$name of $text', ({ name, hash, text }) => {
  expect(hexDigits(hash(text))).toBe(createHash(name).update(text).digest('hex'))
})
