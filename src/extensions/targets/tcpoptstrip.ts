/** Source: iptables-extensions(8) "TCPOPTSTRIP"; net/netfilter/xt_TCPOPTSTRIP.c tcpoptstrip_mangle_packet(); extensions/libxt_TCPOPTSTRIP.c parse_list(). */

import { PROTOCOL } from '../../net/protocol.ts'
import { didYouMean } from '../did-you-mean.ts'
import { defineTarget, read, refuse } from '../extension.ts'
import type { OptionType, Reading } from '../extension.ts'
import { readWholeNumber } from '../option-types.ts'

const KINDS: Readonly<Record<string, number>> = { wscale: 3, mss: 2, 'sack-permitted': 4, sack: 5, timestamp: 8, md5: 19 }

const optionKinds: OptionType<readonly number[]> = {
  syntax: 'option[,...]', words: 1,
  read([word = '']) {
    const kinds: number[] = []
    for (const part of word.split(',')) {
      const kind = readKind(part)
      if (!kind.ok) return kind
      if (kinds.includes(kind.value)) return refuse(`TCP option \`${part}\` is named twice`)
      kinds.push(kind.value)
    }
    return read(kinds.sort((a, b) => a - b))
  },
  write: kinds => [kinds.join(',')],
}

/** Kernel: the options are overwritten with padding, so the packet keeps its length. */
export const tcpoptstripTarget = defineTarget({
  name: 'TCPOPTSTRIP',
  doc: 'removes TCP options; the next rule follows',
  tables: ['mangle'],
  protocols: [PROTOCOL.tcp],
  options: {
    'strip-options': { type: optionKinds, doc: 'options by name or number; none where it is not given', does: kinds => [{ kind: 'stripOptions', kinds }] },
  },
})

function readKind(word: string): Reading<number> {
  const named = Object.hasOwn(KINDS, word) ? KINDS[word] : undefined
  if (named !== undefined) return read(named)
  const number = readWholeNumber(word, 0, 255)
  if (!number.ok) return refuse(`there is no TCP option \`${word}\``, didYouMean(word, Object.keys(KINDS)))
  return number.value < 2 ? refuse('TCP options 0 and 1 are padding and cannot be removed') : number
}
