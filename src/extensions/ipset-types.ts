/** How rules name kernel sets. Source: extensions/libxt_set.c set_parse_v4(), libxt_set.h parse_dirs(). */

import type { IpsetDirection } from '../meaning/predicate.ts'
import { read, refuse } from './extension.ts'
import type { OptionType } from './extension.ts'

/** A set's name and how each of its parts looks at the packet. */
export interface IpsetReference {
  readonly name: string
  readonly directions: readonly IpsetDirection[]
}

const NAME_LIMIT = 31
const DIRECTION_LIMIT = 6

/** `name src,dst,...`: anything that begins with src or dst is taken. */
export const ipsetReference: OptionType<IpsetReference> = {
  syntax: 'name src|dst[,...]', words: 2,
  read([name = '', directionWord = '']) {
    if (/^[-!]/.test(directionWord)) return refuse('an ipset needs its name and src or dst')
    if (name.length > NAME_LIMIT) return refuse(`ipset name \`${name}\` is longer than ${NAME_LIMIT} characters`)
    const parts = directionWord.split(',')
    const bad = parts.find(part => !/^(src|dst)/.test(part))
    if (bad !== undefined) return refuse(`\`${bad}\` is neither src nor dst`)
    if (parts.length > DIRECTION_LIMIT) return refuse(`an ipset has at most ${DIRECTION_LIMIT} parts: \`${directionWord}\` names ${parts.length}`)
    return read({ name, directions: parts.map(part => (part.startsWith('src') ? 'src' : 'dst')) })
  },
  write: ({ name, directions }) => [name, directions.join(',')],
}

/** A 64-bit counter. */
export const counter: OptionType<bigint> = {
  syntax: 'number', words: 1,
  read([word = '']) {
    if (!/^(0x[0-9a-f]+|\d+)$/i.test(word)) return refuse(`\`${word}\` is not a counter`)
    const value = /^0[0-7]+$/.test(word) ? BigInt(`0o${word.slice(1)}`) : BigInt(word)
    return value >> 64n === 0n ? read(value) : refuse(`\`${word}\` is above 2^64 - 1`)
  },
  write: value => [String(value)],
}
