/** Source: iptables-extensions(8) "tcp"; net/netfilter/xt_tcpudp.c tcp_mt(). */

import { equals, masked, within } from '../../meaning/predicate.ts'
import { PROTOCOL } from '../../net/protocol.ts'
import { defineMatch } from '../extension.ts'
import type { InfosOf } from '../extension.ts'
import { portRangeOf, wholeNumber } from '../option-types.ts'
import { isEveryPort, joinedNegations, portsSavedByNft } from '../port-types.ts'
import type { Ports } from '../port-types.ts'
import { synFlags, tcpFlags } from '../tcp-flags.ts'
import type { TcpFlags } from '../tcp-flags.ts'

/** Kernel: a header that is cut short drops the packet whatever the rule says; second and further fragments never match, `!` or not. */
export const tcp = defineMatch({
  name: 'tcp',
  doc: 'matches TCP ports, flags and options',
  protocols: [PROTOCOL.tcp],
  options: {
    sport: {
      type: portRangeOf('tcp'), invertible: true, aliases: ['--source-port'], omitted: isEveryPort,
      doc: 'source port or range', means: range => within('l4.sport', range.low, range.high),
    },
    dport: {
      type: portRangeOf('tcp'), invertible: true, aliases: ['--destination-port'], omitted: isEveryPort,
      doc: 'destination port or range', means: range => within('l4.dport', range.low, range.high),
    },
    'tcp-option': {
      type: wholeNumber(1, 255), invertible: true,
      doc: 'the header has an option of this kind', means: kind => masked('tcp.options', 1n << BigInt(kind), 1n << BigInt(kind)),
    },
    'tcp-flags': {
      type: tcpFlags, invertible: true, spellings: { syn: synFlags }, omitted: use => use.value.mask === 0 && !use.inverted,
      doc: 'of the first flags exactly the second are set', means: flags => masked('tcp.flags', flags.mask, flags.set),
    },
  },
  means: () => equals('ip.fragmentOffset', 0),
  nftJoins: infos => joinedNegations(infos),
  isNativeInNft({ sport, dport, 'tcp-flags': flags, 'tcp-option': option }) {
    const hasPorts = [sport, dport].some(use => use && (use.inverted || !isEveryPort(use)))
    return !option && (hasPorts || (flags !== undefined && (flags.inverted || flags.value.mask !== 0 || flags.value.set !== 0)))
  },
  savedBy: (backend, infos) => (backend === 'nft' && !infos['tcp-option'] ? savedByNft(infos) : infos),
})

type Infos = InfosOf<Ports & { 'tcp-flags': TcpFlags }>

/** Kernel: iptables-nft forgets what it calls empty, and the match with it where nothing else is left and something was given. */
function savedByNft(infos: Infos): Infos | undefined {
  const flags = infos['tcp-flags']
  const isEmpty = flags?.value.mask === 0
  const isForgotten = isEmpty && (flags.inverted || flags.value.set !== 0)
  const saved: Infos = { ...portsSavedByNft(infos), ...(flags && !isEmpty ? { 'tcp-flags': flags } : {}) }
  const lost = isForgotten || (infos.sport && !saved.sport) || (infos.dport && !saved.dport)
  const isBare = !saved['tcp-flags'] && [saved.sport, saved.dport].every(use => !use || isEveryPort(use))
  return lost && isBare ? undefined : saved
}
