/** Source: iptables-extensions(8) "udp"; net/netfilter/xt_tcpudp.c udp_mt(). */

import { equals, within } from '../../meaning/predicate.ts'
import { PROTOCOL } from '../../net/protocol.ts'
import { defineMatch } from '../extension.ts'
import { isEveryPort, joinedNegations, looseRange, portsSavedByNft } from '../port-types.ts'

/** Kernel: second and further fragments never match, `!` or not. iptables-nft forgets `! --dport :` and its kin, and the match with them. */
export const udp = defineMatch({
  name: 'udp',
  doc: 'matches UDP ports',
  protocols: [PROTOCOL.udp],
  options: {
    sport: {
      type: looseRange, invertible: true, aliases: ['--source-port'], omitted: isEveryPort,
      doc: 'source port or range', means: range => within('l4.sport', range.low, range.high),
    },
    dport: {
      type: looseRange, invertible: true, aliases: ['--destination-port'], omitted: isEveryPort,
      doc: 'destination port or range', means: range => within('l4.dport', range.low, range.high),
    },
  },
  means: () => equals('ip.fragmentOffset', 0),
  nftJoins: infos => joinedNegations(infos),
  isNativeInNft: infos => Object.values(infos).some(use => use.inverted || !isEveryPort(use)),
  savedBy(backend, infos) {
    const saved = backend === 'nft' ? portsSavedByNft(infos) : infos
    const isLost = Object.keys(saved).length < Object.keys(infos).length
    return isLost && Object.values(saved).every(isEveryPort) ? undefined : saved
  },
})
