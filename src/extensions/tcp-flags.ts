/** `--tcp-flags MASK SET` and `--syn`. Source: extensions/libxt_tcp.c parse_tcp_flag(), print_tcpf(). */

import { TCP_FLAG } from '../packet/packet.ts'
import { read, refuse } from './extension.ts'
import type { OptionType, Reading } from './extension.ts'
import { didYouMean } from './did-you-mean.ts'

/** Of the flags in `mask` exactly those in `set`. */
export interface TcpFlags {
  readonly mask: number
  readonly set: number
}

const ALL_FLAGS = TCP_FLAG.FIN | TCP_FLAG.SYN | TCP_FLAG.RST | TCP_FLAG.PSH | TCP_FLAG.ACK | TCP_FLAG.URG
const NAMES = Object.entries(TCP_FLAG).filter(([, bit]) => (bit & ALL_FLAGS) !== 0)

/** Two comma-separated lists of flags. */
export const tcpFlags: OptionType<TcpFlags> = {
  syntax: 'mask set', words: 2,
  read([maskWord = '', setWord = '']) {
    const mask = readFlags(maskWord)
    const set = readFlags(setWord)
    return mask.ok ? (set.ok ? read({ mask: mask.value, set: set.value }) : set) : mask
  },
  write: flags => [writeFlags(flags.mask), writeFlags(flags.set)],
}

/** `--syn` is `--tcp-flags FIN,SYN,RST,ACK SYN`. */
export const synFlags: OptionType<TcpFlags> = {
  syntax: '', words: 0,
  read: () => read({ mask: TCP_FLAG.FIN | TCP_FLAG.SYN | TCP_FLAG.RST | TCP_FLAG.ACK, set: TCP_FLAG.SYN }),
  write: () => [],
}

function readFlags(word: string): Reading<number> {
  let flags = 0
  for (const name of word.split(',')) {
    const upper = name.toUpperCase()
    const bit = upper === 'ALL' ? ALL_FLAGS : upper === 'NONE' ? 0 : NAMES.find(([known]) => known === upper)?.[1]
    if (bit === undefined) return refuse(`there is no TCP flag \`${name}\``, didYouMean(name, ['ALL', 'NONE', ...NAMES.map(([known]) => known)]))
    flags |= bit
  }
  return read(flags)
}

function writeFlags(flags: number): string {
  return flags === 0 ? 'NONE' : NAMES.filter(([, bit]) => (flags & bit) !== 0).map(([name]) => name).join(',')
}
