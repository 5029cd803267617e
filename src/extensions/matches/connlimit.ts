/** Source: iptables-extensions(8) "connlimit"; net/netfilter/xt_connlimit.c connlimit_mt(); nf_conncount.c count_tree(). */

import type { ConnectionWatch, Subject } from '../../meaning/subject.ts'
import { addressWidth, maskAddress, maskOfLength } from '../../net/address.ts'
import type { Family } from '../../net/address.ts'
import { maskLength } from '../address-types.ts'
import { defineMatch } from '../extension.ts'
import type { InfosOf } from '../extension.ts'
import { flag, wholeNumber } from '../option-types.ts'

const count = wholeNumber(0, 0xffffffff)

/** The connections of a group that the rule has seen, and at which moment it looked whether they are open still. */
interface SeenList {
  open: ConnectionWatch[]
  lookedAt: number
}

type Seen = Map<string, SeenList>

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
    step: (state, infos: Infos, subject) => matchesCount(state as Seen, infos, subject),
  },
})

type Infos = InfosOf<{ 'connlimit-upto': number; 'connlimit-above': number; 'connlimit-mask': number | undefined; 'connlimit-saddr': true; 'connlimit-daddr': true }>

function partsOf(infos: Infos, family: Family) {
  const upto = infos['connlimit-upto']
  const above = infos['connlimit-above']
  return { limit: (upto ?? above)?.value ?? 0, isAbove: upto ? upto.inverted : !above?.inverted, length: infos['connlimit-mask']?.value ?? addressWidth(family) }
}

/** Kernel: where nothing is left to count, the packet is dropped. Source: connlimit_mt() `hotdrop`. */
function matchesCount(seen: Seen, infos: Infos, subject: Subject): boolean | 'hotdrop' {
  const { packet } = subject
  const { limit, isAbove, length } = partsOf(infos, packet.family)
  const address = infos['connlimit-daddr'] ? packet.dst : packet.src
  const connections = countConnections(seen, String(maskAddress(address, maskOfLength(packet.family, length))), subject.connectionWatch())
  return connections === 0 ? 'hotdrop' : connections > limit === isAbove
}

/**
 * Source: nf_conncount.c count_tree(), __nf_conncount_add(). Kernel: what is not in conntrack any more, or was closed, no longer counts;
 * that is looked after once in a jiffy, so that a new connection which comes by twice in one counts twice. A connection in the table is
 * looked for among those counted; one that is assured is not even added, unless it is the first of its group.
 */
function countConnections(seen: Seen, group: string, own: ConnectionWatch): number {
  const list = seen.get(group)
  if (!list) {
    seen.set(group, { open: [own], lookedAt: own.moment })
    return 1
  }
  if (own.isConfirmed && own.isAssured) {
    if (list.lookedAt !== own.moment) list.open = list.open.filter(one => one.state() === 'open')
    list.lookedAt = own.moment
  } else if (!own.isConfirmed && list.lookedAt === own.moment) {
    list.open.push(own)
  } else {
    addOnce(list, own)
  }
  return list.open.length
}

/** Kernel: the search ends where the connection is found, so that what comes after it is not looked at. */
function addOnce(list: SeenList, own: ConnectionWatch): void {
  const there = list.open.filter(one => one.state() !== 'gone')
  const at = there.findIndex(one => one.key === own.key)
  const before = (at === -1 ? there : there.slice(0, at)).filter(one => one.state() === 'open')
  if (at === -1) list.lookedAt = own.moment
  list.open = at === -1 ? [...before, own] : [...before, ...list.open.slice(list.open.indexOf(there[at] ?? own))]
}
