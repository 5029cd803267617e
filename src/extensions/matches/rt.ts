/** Source: iptables-extensions(8) "rt"; net/ipv6/netfilter/ip6t_rt.c rt_mt6(), rt_mt6_check(). */

import { always } from '../../meaning/predicate.ts'
import { readAddress, writeAddress } from '../../net/address.ts'
import type { Address } from '../../net/address.ts'
import { defineMatch, read, refuse } from '../extension.ts'
import type { OptionType } from '../extension.ts'
import { flag, isEveryNumber32, looseNumberRange, wholeNumber } from '../option-types.ts'
import { undecided } from '../undecided.ts'

const number = wholeNumber(0, 0xffffffff)
const segments = looseNumberRange(0, 0xffffffff, 'number[:number]')
const LIMIT = 16

const addresses: OptionType<readonly Address[]> = {
  syntax: 'address[,...]', words: 1,
  read([word = '']) {
    const list: Address[] = []
    for (const part of word.split(',')) {
      const address = readAddress(part)
      if (typeof address !== 'bigint') return refuse(`\`${part}\` is not an IPv6 address`)
      list.push(address)
    }
    return list.length > LIMIT ? refuse(`\`${word}\` has more than ${LIMIT} addresses`) : read(list)
  },
  write: list => [list.map(writeAddress).join(',')],
}

/** Kernel: routing headers are not part of a packet here. The save forgets `! --rt-segsleft 0:`, which matches nothing. */
export const rt = defineMatch({
  name: 'rt',
  doc: 'matches IPv6 routing headers',
  families: ['ipv6'],
  options: {
    'rt-type': { type: number, invertible: true, doc: 'type of the header', means: type => undecided(`-m rt --rt-type ${type}`) },
    'rt-segsleft': {
      type: segments, invertible: true, omitted: isEveryNumber32, doc: 'segments that are left, inclusive range',
      means: value => (isEveryNumber32({ value }) ? always : undecided(`-m rt --rt-segsleft ${segments.write(value, 'ipv6').join('')}`)),
    },
    'rt-len': { type: number, invertible: true, doc: 'length of the header in bytes', means: length => undecided(`-m rt --rt-len ${length}`) },
    'rt-0-res': { type: flag, after: 'rt-type', doc: 'the reserved field of type 0 is 0', means: () => undecided('-m rt --rt-0-res') },
    'rt-0-addrs': { type: addresses, after: 'rt-type', doc: 'addresses of type 0 in this order', means: list => undecided(`-m rt --rt-0-addrs ${addresses.write(list, 'ipv6').join('')}`) },
    'rt-0-not-strict': { type: flag, after: 'rt-0-addrs', doc: 'others may stand between them', means: () => undecided('-m rt --rt-0-not-strict') },
  },
  means: () => undecided('-m rt'),
  check(infos) {
    const type = infos['rt-type']
    const needsType0 = infos['rt-0-res'] ?? infos['rt-0-addrs']
    return needsType0 && (type?.value !== 0 || type.inverted) ? '`--rt-0-res` and `--rt-0-addrs` need `--rt-type 0`' : undefined
  },
})
