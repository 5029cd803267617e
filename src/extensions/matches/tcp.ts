/** Source: iptables-extensions(8) "tcp"; net/netfilter/xt_tcpudp.c tcp_mt(). */

import { equals, masked, within } from '../../meaning/predicate.ts'
import { PROTOCOL } from '../../net/protocol.ts'
import type { NumberRange } from '../../net/ranges.ts'
import { defineMatch } from '../extension.ts'
import type { OptionUseOf } from '../extension.ts'
import { portRange, wholeNumber } from '../option-types.ts'
import { isEveryPort } from '../port-types.ts'
import { synFlags, tcpFlags } from '../tcp-flags.ts'
import type { TcpFlags } from '../tcp-flags.ts'

/** Kernel: a header that is cut short drops the packet whatever the rule says; second and further fragments never match, `!` or not. */
export const tcp = defineMatch({
  name: 'tcp',
  doc: 'matches TCP ports, flags and options',
  protocols: [PROTOCOL.tcp],
  options: {
    sport: {
      type: portRange, invertible: true, aliases: ['--source-port'], omitted: isEveryPort,
      doc: 'source port or range', means: range => within('l4.sport', range.low, range.high),
    },
    dport: {
      type: portRange, invertible: true, aliases: ['--destination-port'], omitted: isEveryPort,
      doc: 'destination port or range', means: range => within('l4.dport', range.low, range.high),
    },
    'tcp-option': {
      type: wholeNumber(1, 255), invertible: true,
      doc: 'the header has an option of this kind', means: kind => masked('tcp.options', 1n << BigInt(kind), 1n << BigInt(kind)),
    },
    'tcp-flags': {
      type: tcpFlags, invertible: true, spellings: { syn: synFlags },
      doc: 'of the first flags exactly the second are set', means: flags => masked('tcp.flags', flags.mask, flags.set),
    },
  },
  means: () => equals('ip.fragmentOffset', 0),
  omitted: (infos, backend) => backend === 'nft' && isVoid([infos.sport, infos.dport], infos['tcp-flags']) && !infos['tcp-option'],
})

/** Kernel: iptables-nft forgets `! --dport :` and its kin, and the match with them where nothing else is left of it. */
function isVoid(ports: readonly (OptionUseOf<NumberRange> | undefined)[], flags: OptionUseOf<TcpFlags> | undefined): boolean {
  const isInverted = ports.some(use => use?.inverted) || flags?.inverted === true
  return isInverted && ports.every(use => !use || isEveryPort(use)) && (!flags || flags.value.mask === 0)
}
