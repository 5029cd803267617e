/** Source: iptables-extensions(8) "TCPMSS"; net/netfilter/xt_TCPMSS.c tcpmss_mangle_packet(), tcpmss_tg4_check(). */

import type { MatchUse } from '../../ir/ruleset.ts'
import { PROTOCOL } from '../../net/protocol.ts'
import { TCP_FLAG } from '../../packet/packet.ts'
import { defineTarget } from '../extension.ts'
import { flag, wholeNumber } from '../option-types.ts'
import type { TcpFlags } from '../tcp-flags.ts'

const LIMIT = { ipv4: 65515, ipv6: 65495 } as const

/** Kernel: the value is only ever lowered; a packet without the option gets one, of at most 536 (IPv6: 1220). */
function tcpmssOf(family: 'ipv4' | 'ipv6') {
  return defineTarget({
    name: 'TCPMSS',
    doc: 'lowers the maximum segment size that a TCP SYN announces; the next rule follows',
    families: [family],
    protocols: [PROTOCOL.tcp],
    requiresOneOf: ['set-mss', 'clamp-mss-to-pmtu'],
    options: {
      'set-mss': {
        type: wholeNumber(0, LIMIT[family]), excludes: ['clamp-mss-to-pmtu'],
        doc: 'size in bytes', does: bytes => [{ kind: 'clampMss', limit: bytes }],
      },
      'clamp-mss-to-pmtu': {
        type: flag, excludes: ['set-mss'],
        doc: 'the path MTU less the headers', does: () => [{ kind: 'clampMss', limit: 'pathMtu' }],
      },
    },
    check(infos, { hooks, backend, matches }) {
      if (infos['clamp-mss-to-pmtu'] && hooks.some(hook => hook === 'PREROUTING' || hook === 'INPUT')) return '`--clamp-mss-to-pmtu` cannot be used in PREROUTING and INPUT: no route is known there'
      return backend === 'nft' || matches.some(wantsSyn) ? undefined : 'target `TCPMSS` works on TCP SYN packets only: add `--tcp-flags SYN,RST SYN`'
    },
  })
}

/** The rule has a match tcp that asks for a set SYN flag; iptables-nft rules are not checked for it. */
function wantsSyn(use: MatchUse): boolean {
  const flags = use.name === 'tcp' ? use.infos['tcp-flags'] : undefined
  return flags !== undefined && !flags.inverted && ((flags.value as TcpFlags).set & TCP_FLAG.SYN) !== 0
}

/** TCPMSS of iptables. */
export const tcpmssTarget = tcpmssOf('ipv4')

/** TCPMSS of ip6tables. */
export const tcpmssTarget6 = tcpmssOf('ipv6')
