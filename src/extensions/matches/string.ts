/** Source: iptables-extensions(8) "string"; net/netfilter/xt_string.c string_mt(), string_mt_check(). */

import { not } from '../../meaning/predicate.ts'
import { hasText } from '../byte-tests.ts'
import { defineMatch, read } from '../extension.ts'
import type { InfosOf, OptionType } from '../extension.ts'
import { flag, wholeNumber } from '../option-types.ts'
import { hexPattern, plainPattern, writePattern } from '../pattern-types.ts'
import type { Pattern } from '../pattern-types.ts'
import { undecided } from '../undecided.ts'

const offset = wholeNumber(0, 65535)
const LAST = 65535
const algorithm: OptionType<string> = { syntax: 'bm|kmp', words: 1, read: ([word = '']) => read(word.slice(0, 15)), write: value => [value] }

/** Kernel: the offsets count from the IP header; bm does not find what is spread over two pages of the packet. */
export const string = defineMatch({
  name: 'string',
  doc: 'searches the packet for a pattern',
  requiresOneOf: ['string'],
  options: {
    string: { type: plainPattern, invertible: true, spellings: { 'hex-string': hexPattern }, doc: 'text; with --hex-string also bytes in hex between bars' },
    algo: { type: algorithm, required: true, doc: 'how it is searched: bm or kmp' },
    from: { type: offset, doc: 'offset at which the search begins' },
    to: { type: offset, doc: 'offset at which it ends' },
    icase: { type: flag, doc: 'letters of either case' },
  },
  print: infos => `${infos.string?.inverted ? '! ' : ''}${printAll(infos)}`,
  means(infos) {
    const search = { pattern: infos.string?.value ?? [], from: infos.from?.value ?? 0, to: infos.to?.value ?? LAST, ignoresCase: infos.icase !== undefined }
    const isThere = undecided(`-m string ${printAll(infos)}`, ({ packet }) => hasText(packet, search))
    return infos.string?.inverted ? not(isThere) : isThere
  },
  check({ string: pattern, algo, from, to }) {
    if (pattern?.value.length === 0) return 'the pattern is empty'
    if (algo?.value !== 'bm' && algo?.value !== 'kmp') return `there is no algorithm \`${algo?.value}\`: bm or kmp`
    return (from?.value ?? 0) > (to?.value ?? LAST) ? '`--from` is above `--to`' : undefined
  },
})

function printAll({ string: use, algo, from, to, icase }: InfosOf<{ string: Pattern; algo: string; from: number; to: number; icase: true }>): string {
  const { isHex, text } = writePattern(use?.value ?? [])
  return [
    `--${isHex ? 'hex-string' : 'string'} ${text} --algo ${algo?.value ?? ''}`, ...(from && from.value !== 0 ? [`--from ${from.value}`] : []),
    ...(to && to.value !== LAST ? [`--to ${to.value}`] : []), ...(icase ? ['--icase'] : []),
  ].join(' ')
}
