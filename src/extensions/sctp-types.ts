/** Chunk types of SCTP with their flags. Source: extensions/libxt_sctp.c parse_sctp_chunk(), print_chunks(). */

import { didYouMean } from './did-you-mean.ts'
import { read, refuse } from './extension.ts'
import type { OptionType, Reading } from './extension.ts'

/** A chunk type, and the flags of it that must be set (upper case) or clear (lower case). */
interface Chunk {
  readonly number: number
  readonly flags: ReadonlyMap<string, boolean>
}

/** Whether any, all or only these chunks are there; 'ALL' and none are lists too. */
export interface Chunks {
  readonly match: 'any' | 'all' | 'only'
  readonly chunks: readonly Chunk[] | 'ALL'
}

const NAMES: readonly (readonly [name: string, number: number, flags?: string])[] = [
  ['DATA', 0, 'IUBE'], ['INIT', 1], ['INIT_ACK', 2], ['SACK', 3], ['HEARTBEAT', 4], ['HEARTBEAT_ACK', 5], ['ABORT', 6, 'T'], ['SHUTDOWN', 7],
  ['SHUTDOWN_ACK', 8], ['ERROR', 9], ['COOKIE_ECHO', 10], ['COOKIE_ACK', 11], ['ECN_ECNE', 12], ['ECN_CWR', 13], ['SHUTDOWN_COMPLETE', 14, 'T'],
  ['I_DATA', 64, 'IUBE'], ['RE_CONFIG', 130], ['PAD', 132], ['ASCONF', 193], ['ASCONF_ACK', 128], ['FORWARD_TSN', 192], ['I_FORWARD_TSN', 194],
]

/** `any|all|only` and a list of chunk types, each with `:flags` where it has some. */
export const chunkTypes: OptionType<Chunks> = {
  syntax: 'any|all|only type[:flags][,...]|ALL|NONE', words: 2,
  read([matchWord = '', listWord = '']) {
    const match = matchWord.toLowerCase()
    if (match !== 'any' && match !== 'all' && match !== 'only') return refuse(`\`${matchWord}\` is none of any, all and only`)
    if (/^[-!]/.test(listWord)) return refuse('`--chunk-types` needs two values: any, all or only, and a list of chunk types')
    if (listWord.toUpperCase() === 'ALL') return read({ match, chunks: 'ALL' })
    const list = listWord.toUpperCase() === 'NONE' ? read([]) : readChunks(listWord)
    return list.ok ? read({ match, chunks: list.value }) : list
  },
  write: ({ match, chunks }) => [match, chunks === 'ALL' ? 'ALL' : chunks.length === 0 ? 'NONE' : chunks.map(writeChunk).join(',')],
}

/** Kernel: the save lists chunks by number, each once. */
function readChunks(word: string): Reading<readonly Chunk[]> {
  const chunks = new Map<number, Map<string, boolean>>()
  for (const part of word.split(',').filter(one => one !== '')) {
    const [name = '', flagWord = ''] = part.split(':')
    const known = NAMES.find(([one]) => one === name.toUpperCase())
    if (!known) return refuse(`there is no chunk type \`${name}\``, didYouMean(name, NAMES.map(([one]) => one)))
    const [, number, valid = ''] = known
    const flags = chunks.get(number) ?? new Map<string, boolean>()
    for (const letter of flagWord) {
      if (letter !== '-' && !valid.includes(letter.toUpperCase())) return refuse(`chunk type \`${name}\` has no flag \`${letter}\``)
      flags.set(letter.toUpperCase(), (flags.get(letter.toUpperCase()) ?? false) || letter === letter.toUpperCase())
    }
    chunks.set(number, flags)
  }
  return read([...chunks].map(([number, flags]) => ({ number, flags })).sort((a, b) => a.number - b.number))
}

function writeChunk({ number, flags }: Chunk): string {
  const [name = '', , valid = ''] = NAMES.find(([, known]) => known === number) ?? []
  const letters = [...valid].filter(letter => flags.has(letter)).map(letter => (flags.get(letter) ? letter : letter.toLowerCase()))
  return letters.length === 0 ? name : `${name}:${letters.join('')}`
}
