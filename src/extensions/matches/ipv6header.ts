/** Source: iptables-extensions(8) "ipv6header"; net/ipv6/netfilter/ip6t_ipv6header.c ipv6header_mt6(). */

import { not } from '../../meaning/predicate.ts'
import { protocolNumber } from '../../net/protocol.ts'
import { defineMatch, read, refuse } from '../extension.ts'
import type { OptionType } from '../extension.ts'
import { flag } from '../option-types.ts'
import { undecided } from '../undecided.ts'

/** Header numbers with the names that are printed and the others, in the order of printing. */
const HEADERS: readonly (readonly [number: number, printed: string, ...names: readonly string[]])[] = [
  [0, 'hop-by-hop', 'hop'], [60, 'ipv6-opts', 'dst'], [43, 'ipv6-route', 'route'], [44, 'ipv6-frag', 'frag'], [51, 'ah', 'auth'], [50, 'esp'],
  [59, 'ipv6-nonxt', 'none'], [255, 'protocol', 'prot'],
]

const headers: OptionType<readonly string[]> = {
  syntax: 'header[,...]', words: 1,
  read([word = '']) {
    const found: string[] = []
    for (const part of word.split(',').filter(one => one !== '')) {
      const number = part === 'all' ? undefined : protocolNumber(part)
      const header = HEADERS.find(([known, ...names]) => (number === undefined ? names.includes(part) || String(known) === part : known === number))
      if (!header) return refuse(`there is no header \`${part}\``, HEADERS.map(([, name]) => name).join(', '))
      found.push(header[1])
    }
    return found.length === 0 ? refuse('no header is named') : read(HEADERS.map(([, name]) => name).filter(name => found.includes(name)))
  },
  write: names => [names.join(',')],
}

/** Kernel: extension headers are not part of a packet here. */
export const ipv6header = defineMatch({
  name: 'ipv6header',
  doc: 'matches packets with certain extension headers',
  families: ['ipv6'],
  options: {
    header: { type: headers, invertible: true, required: true, doc: 'these headers and no others' },
    soft: { type: flag, doc: 'others may be there too' },
  },
  means({ header, soft }) {
    const areThere = undecided(`-m ipv6header --header ${header?.value.join(',') ?? ''}${soft ? ' --soft' : ''}`)
    return header?.inverted ? not(areThere) : areThere
  },
})
