/** Source: iptables-extensions(8) "owner"; net/netfilter/xt_owner.c owner_mt(). */

import { all, any, equals, not, opaque, within } from '../../meaning/predicate.ts'
import { userNumber, groupNumber } from '../user-names.ts'
import type { NumberRange } from '../../net/ranges.ts'
import { defineMatch, read, refuse } from '../extension.ts'
import type { OptionType } from '../extension.ts'
import { flag, readWholeNumber, writeRange } from '../option-types.ts'

/** Kernel: a packet that no socket of this host made holds only where all options have `!`. */
export const owner = defineMatch({
  name: 'owner',
  doc: 'matches the owner of the socket that made the packet',
  hooks: ['OUTPUT', 'POSTROUTING'],
  requiresOneOf: ['socket-exists', 'uid-owner', 'gid-owner'],
  options: {
    'socket-exists': { type: flag, invertible: true, doc: 'a socket of this host made the packet', means: () => equals('socket.exists', 1) },
    'uid-owner': {
      type: idRange('user', userNumber), invertible: true,
      doc: 'user by name, number or range of numbers', means: ({ low, high }) => within('socket.uid', low, high),
    },
    'gid-owner': { type: idRange('group', groupNumber), invertible: true, doc: 'group by name, number or range of numbers' },
    'suppl-groups': { type: flag, requires: ['gid-owner'], after: 'gid-owner', doc: 'the further groups of the process count too' },
  },
  means(infos) {
    const group = infos['gid-owner']
    if (!group) return all([])
    const { low, high } = group.value
    const main = within('socket.gid', low, high)
    const words = `a further group of the process is ${writeRange(group.value, '-')}`
    const isIn = infos['suppl-groups'] ? any([main, opaque(words, words)]) : main
    return all([group.inverted ? not(isIn) : isIn, ...(infos['suppl-groups'] ? [equals('socket.exists', 1)] : [])])
  },
  check(infos) {
    const reversed = [infos['uid-owner'], infos['gid-owner']].find(use => use && use.value.low > use.value.high)
    return reversed ? `the range \`${writeRange(reversed.value, '-')}\` ends before it begins` : undefined
  },
})

/** A name, number, or range with `-` or `:`; the biggest number is 2^32 - 2. */
function idRange(kind: 'user' | 'group', numberOf: (name: string) => number | undefined): OptionType<NumberRange> {
  return {
    syntax: `${kind}|number[-number]`, words: 1,
    read([word = '']) {
      const named = numberOf(word)
      if (named !== undefined) return read({ low: named, high: named })
      if (!/^\d/.test(word)) return refuse(`there is no ${kind} \`${word}\` on every system`, `iptables looks it up when the file is loaded; write the number of the ${kind}`)
      const [lowWord = '', highWord, ...more] = word.split(/[-:]/)
      const low = readWholeNumber(lowWord, 0, 0xfffffffe)
      const high = highWord === undefined ? low : readWholeNumber(highWord, 0, 0xfffffffe)
      if (more.length > 0) return refuse(`\`${word}\` has more than two numbers`)
      if (!low.ok) return low
      return high.ok ? read({ low: low.value, high: high.value }) : high
    },
    write: range => [writeRange(range, '-')],
  }
}
