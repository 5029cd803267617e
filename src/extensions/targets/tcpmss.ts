/** Source: iptables-extensions(8) "TCPMSS"; net/netfilter/xt_TCPMSS.c tcpmss_mangle_packet(), tcpmss_tg4_check(). */

import type { MatchUse } from '../../ir/ruleset.ts'
import { PROTOCOL } from '../../net/protocol.ts'
import { TCP_FLAG } from '../../packet/packet.ts'
import { defineTarget, read } from '../extension.ts'
import type { OptionType } from '../extension.ts'
import { readWholeNumber } from '../option-types.ts'
import type { TcpFlags } from '../tcp-flags.ts'

const LIMIT = { ipv4: 65515, ipv6: 65495 } as const

type Mss = number | 'pathMtu'

const pathMtu: OptionType<Mss> = { syntax: '', words: 0, read: () => read('pathMtu'), write: () => [] }

/** Kernel: the value is only ever lowered; a packet without the option gets one, of at most 536 (IPv6: 1220). */
function tcpmssOf(family: 'ipv4' | 'ipv6') {
  return defineTarget({
    name: 'TCPMSS',
    doc: 'lowers the maximum segment size that a TCP SYN announces; the next rule follows',
    families: [family],
    protocols: [PROTOCOL.tcp],
    options: {
      'set-mss': {
        type: wholeMss(LIMIT[family]), required: true, repeatable: 'otherSpelling', spellings: { 'clamp-mss-to-pmtu': pathMtu },
        print: ({ value }) => (value === 'pathMtu' ? '--clamp-mss-to-pmtu' : `--set-mss ${value}`),
        doc: 'size in bytes; with --clamp-mss-to-pmtu the path MTU less the headers', does: limit => [{ kind: 'clampMss', limit }],
      },
    },
    check(infos, { hooks, backend, matches }) {
      if (infos['set-mss']?.value === 'pathMtu' && hooks.some(hook => hook === 'PREROUTING' || hook === 'INPUT')) return '`--clamp-mss-to-pmtu` cannot be used in PREROUTING and INPUT: no route is known there'
      return backend === 'nft' || matches.some(wantsSyn) ? undefined : 'target `TCPMSS` works on TCP SYN packets only: add `--tcp-flags SYN,RST SYN`'
    },
  })
}

/** The rule has a match tcp that asks for a set SYN flag; iptables-nft rules are not checked for it. */
function wantsSyn(use: MatchUse): boolean {
  const flags = use.name === 'tcp' ? use.infos['tcp-flags'] : undefined
  return flags !== undefined && !flags.inverted && ((flags.value as TcpFlags).set & TCP_FLAG.SYN) !== 0
}

function wholeMss(high: number): OptionType<Mss> {
  return {
    syntax: 'bytes', words: 1,
    read: ([word = '']) => readWholeNumber(word, 0, high),
    write: value => [String(value)],
  }
}

/** TCPMSS of iptables. */
export const tcpmssTarget = tcpmssOf('ipv4')

/** TCPMSS of ip6tables. */
export const tcpmssTarget6 = tcpmssOf('ipv6')
