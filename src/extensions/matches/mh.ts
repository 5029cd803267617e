/** Source: iptables-extensions(8) "mh"; net/ipv6/netfilter/ip6t_mh.c mh_mt6(). */

import { always } from '../../meaning/predicate.ts'
import { PROTOCOL } from '../../net/protocol.ts'
import type { NumberRange } from '../../net/ranges.ts'
import { defineMatch, read, refuse } from '../extension.ts'
import type { OptionType, Reading } from '../extension.ts'
import { readRange, readWholeNumber, writeRange } from '../option-types.ts'
import { undecided } from '../undecided.ts'

const NAMES: readonly (readonly [string, number])[] = [
  ['binding-refresh-request', 0], ['brr', 0], ['home-test-init', 1], ['hoti', 1], ['careof-test-init', 2], ['coti', 2], ['home-test', 3], ['hot', 3],
  ['careof-test', 4], ['cot', 4], ['binding-update', 5], ['bu', 5], ['binding-acknowledgement', 6], ['ba', 6], ['binding-error', 7], ['be', 7],
]

const types: OptionType<NumberRange> = {
  syntax: 'type[:type]', words: 1,
  read: ([word = '']) => readRange(word, 0, 255, readType),
  write: range => [writeRange(range, ':')],
}

const isEvery = ({ value }: { readonly value: NumberRange }): boolean => value.low === 0 && value.high === 255

/** Kernel: a header that is cut short drops the packet. The save forgets `! --mh-type :`, which matches nothing. */
export const mh = defineMatch({
  name: 'mh',
  doc: 'matches types of the mobility header',
  families: ['ipv6'],
  protocols: [PROTOCOL.mh],
  options: {
    'mh-type': {
      type: types, invertible: true, omitted: isEvery, doc: 'type by number or name, inclusive range',
      means: value => (isEvery({ value }) ? always : undecided(`-m mh --mh-type ${writeRange(value, ':')}`)),
    },
  },
})

/** A name may be cut short: the first that begins with it is meant, unless another is the same. */
function readType(word: string): Reading<number> {
  const name = word.toLowerCase()
  const found = NAMES.find(([known]) => known === name) ?? NAMES.find(([known]) => known.startsWith(name))
  if (found) return read(found[1])
  const number = readWholeNumber(word, 0, 255)
  return number.ok ? number : refuse(`there is no type of mobility header \`${word}\``)
}
