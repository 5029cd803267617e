/** Source: iptables-extensions(8) "srh"; net/ipv6/netfilter/ip6t_srh.c srh1_mt6(). */

import { all } from '../../meaning/predicate.ts'
import { addressWidth, lengthOfMask, writeAddress } from '../../net/address.ts'
import type { Prefix } from '../../net/address.ts'
import { hostMask } from '../address-types.ts'
import { defineMatch } from '../extension.ts'
import type { OptionType, OptionUseOf } from '../extension.ts'
import { wholeNumber } from '../option-types.ts'
import { srhMeaning, srhRow, writeSrh } from '../srh-types.ts'
import { undecided } from '../undecided.ts'

/** The save prints the length of a full mask too. */
const sid: OptionType<Prefix> = { ...hostMask, write: ({ address, mask }) => [`${writeAddress(address)}/${lengthOfMask(mask) ?? addressWidth('ipv6')}`] }

const number = wholeNumber(0, 65535)

/** Kernel: routing headers are not part of a packet here. */
export const srh = defineMatch({
  name: 'srh',
  doc: 'matches the segment routing header of IPv6',
  families: ['ipv6'],
  options: {
    'srh-next-hdr': { type: wholeNumber(0, 255), invertible: true, doc: 'the header that follows', means: value => undecided(`-m srh --srh-next-hdr ${value}`) },
    'srh-hdr-len-eq': srhRow('srh-hdr-len', 'length of the header is this'),
    'srh-segs-left-eq': srhRow('srh-segs-left', 'so many segments are left'),
    'srh-last-entry-eq': srhRow('srh-last-entry', 'index of the last segment is this'),
    'srh-tag': { type: number, invertible: true, doc: 'tag', means: value => undecided(`-m srh --srh-tag ${value}`) },
    'srh-psid': { type: sid, invertible: true, doc: 'previous segment', means: value => undecided(`-m srh --srh-psid ${sid.write(value, 'ipv6').join('')}`) },
    'srh-nsid': { type: sid, invertible: true, doc: 'next segment', means: value => undecided(`-m srh --srh-nsid ${sid.write(value, 'ipv6').join('')}`) },
    'srh-lsid': { type: sid, invertible: true, doc: 'last segment', means: value => undecided(`-m srh --srh-lsid ${sid.write(value, 'ipv6').join('')}`) },
  },
  print: infos => [
    ...plain('srh-next-hdr', infos['srh-next-hdr'], number), ...COMPARED.flatMap(name => writeSrh(name, infos[`${name}-eq`])), ...plain('srh-tag', infos['srh-tag'], number),
    ...SIDS.flatMap(name => plain(name, infos[name], sid)),
  ].join(' '),
  means: infos => all([undecided('-m srh'), ...COMPARED.map(name => srhMeaning(name, infos[`${name}-eq`]))]),
})

const COMPARED = ['srh-hdr-len', 'srh-segs-left', 'srh-last-entry'] as const
const SIDS = ['srh-psid', 'srh-nsid', 'srh-lsid'] as const

/** Returns an option that stands for itself, as it is printed. */
function plain<T>(name: string, use: OptionUseOf<T> | undefined, type: OptionType<T>): string[] {
  return use ? [`${use.inverted ? '! ' : ''}--${name} ${type.write(use.value, 'ipv6').join('')}`] : []
}
