/** Source: iptables-extensions(8) "connlimit"; net/netfilter/xt_connlimit.c connlimit_mt(); nf_conncount.c count_tree(). */

import type { Subject } from '../../meaning/subject.ts'
import { addressWidth, maskAddress, maskOfLength } from '../../net/address.ts'
import type { Family } from '../../net/address.ts'
import { maskLength } from '../address-types.ts'
import { defineMatch } from '../extension.ts'
import type { InfosOf } from '../extension.ts'
import { flag, wholeNumber } from '../option-types.ts'

const count = wholeNumber(0, 0xffffffff)

/** The connections of each group that the rule has seen, and whether each is open still. */
type Seen = Map<string, Map<string, () => boolean>>

/** Kernel: counts the connections of a group that the rule has seen and that still exist, this one included. */
export const connlimit = defineMatch({
  name: 'connlimit',
  doc: 'matches by the number of connections that a host or block of addresses has',
  requiresOneOf: ['connlimit-upto', 'connlimit-above'],
  options: {
    'connlimit-upto': { type: count, invertible: true, excludes: ['connlimit-above'], doc: 'matches up to so many connections' },
    'connlimit-above': { type: count, invertible: true, excludes: ['connlimit-upto'], doc: 'matches above so many connections' },
    'connlimit-mask': { type: maskLength, doc: 'hosts of a prefix of this length are counted together' },
    'connlimit-saddr': { type: flag, excludes: ['connlimit-daddr'], doc: 'grouped by source address, as where nothing is said' },
    'connlimit-daddr': { type: flag, excludes: ['connlimit-saddr'], doc: 'grouped by destination address' },
  },
  print(infos, family) {
    const { limit, isAbove, length } = partsOf(infos, family)
    return `--connlimit-${isAbove ? 'above' : 'upto'} ${limit} --connlimit-mask ${length} --connlimit-${infos['connlimit-daddr'] ? 'daddr' : 'saddr'}`
  },
  memory: {
    start: (): Seen => new Map(),
    step: (state, infos: Infos, subject) => stepCount(state as Seen, infos, subject),
  },
})

type Infos = InfosOf<{ 'connlimit-upto': number; 'connlimit-above': number; 'connlimit-mask': number | undefined; 'connlimit-saddr': true; 'connlimit-daddr': true }>

function partsOf(infos: Infos, family: Family) {
  const upto = infos['connlimit-upto']
  const above = infos['connlimit-above']
  return { limit: (upto ?? above)?.value ?? 0, isAbove: upto ? upto.inverted : !above?.inverted, length: infos['connlimit-mask']?.value ?? addressWidth(family) }
}

/** Kernel: what is not in conntrack any more, or was closed, no longer counts; of a packet without a connection its own tuple counts. */
function stepCount(seen: Seen, infos: Infos, subject: Subject): boolean {
  const { packet, connection } = subject
  const { limit, isAbove, length } = partsOf(infos, packet.family)
  const address = infos['connlimit-daddr'] ? packet.dst : packet.src
  const group = String(maskAddress(address, maskOfLength(packet.family, length)))
  const { src, dst, sport, dport } = connection?.original ?? packet
  const own = [connection?.protocol ?? packet.protocol, src, sport, dst, dport].join(' ')
  const connections = seen.get(group) ?? new Map<string, () => boolean>()
  seen.set(group, connections)
  for (const [key, isOpen] of connections) if (key !== own && !isOpen()) connections.delete(key)
  if (!connections.has(own)) connections.set(own, subject.connectionWatch())
  return connections.size > limit === isAbove
}
