/** Source: iptables-extensions(8) "NFLOG"; net/netfilter/xt_NFLOG.c nflog_tg(); extensions/libxt_NFLOG.c. */

import type { Backend } from '../../ir/hooks.ts'
import { defineTarget, read, refuse } from '../extension.ts'
import type { InfosOf, OptionType } from '../extension.ts'
import { wholeNumber } from '../option-types.ts'
import { cutToBytes, printQuoted, text } from '../text-types.ts'

const PREFIX_LIMIT = { legacy: 63, nft: 127 } as const
const ALL_BITS = 0xffffffff

const prefix: OptionType<string> = {
  ...text(PREFIX_LIMIT.nft, 'text'),
  read([word = ''], family) {
    if (word === '' || word.includes('\n')) return refuse(word === '' ? 'a log prefix is empty' : 'a log prefix has a line break')
    const given = text(PREFIX_LIMIT.nft, 'text').read([word], family)
    return !given.ok || cutToBytes(word, PREFIX_LIMIT.legacy) === word ? given : read(given.value, 'the prefix is cut after 63 bytes by iptables-legacy, after 127 by iptables-nft')
  },
}

type Options = { 'nflog-prefix': string; 'nflog-group': number; 'nflog-size': number; 'nflog-range': number; 'nflog-threshold': number }

/** Kernel: --nflog-range never did anything, and iptables-nft forgets it. */
export const nflogTarget = defineTarget<Options>({
  name: 'NFLOG',
  doc: 'hands the packet to a logging program; the next rule follows',
  options: {
    'nflog-prefix': { type: prefix, print: printQuoted('--nflog-prefix'), doc: 'text that goes with it' },
    'nflog-group': { type: wholeNumber(0, 65535), omitted: use => use.value === 0, doc: 'netlink group that the program listens to; 0 where it is not given' },
    'nflog-size': { type: wholeNumber(0, ALL_BITS), excludes: ['nflog-range'], doc: 'so many bytes of the packet; all where it is not given' },
    'nflog-range': { type: wholeNumber(0, ALL_BITS), excludes: ['nflog-size'], omitted: use => use.value === 0, doc: 'has no effect' },
    'nflog-threshold': { type: wholeNumber(0, 65535), omitted: use => use.value === 0, doc: 'so many packets are collected before they are handed over' },
  },
  savedBy,
  does: infos => [{ kind: 'observe', words: `logged to group ${infos['nflog-group']?.value ?? 0}${infos['nflog-prefix'] ? ` as \`${infos['nflog-prefix'].value.trim()}\`` : ''}` }],
})

function savedBy(backend: Backend, infos: InfosOf<Options>): InfosOf<Options> {
  const { 'nflog-range': range, 'nflog-prefix': given, ...others } = infos
  if (backend === 'nft') return given ? { ...others, 'nflog-prefix': given } : others
  return { ...others, ...(range ? { 'nflog-range': range } : {}), ...(given ? { 'nflog-prefix': { ...given, value: cutToBytes(given.value, PREFIX_LIMIT.legacy) } } : {}) }
}
