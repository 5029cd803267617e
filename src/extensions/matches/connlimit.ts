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

function matchesCount(seen: Seen, infos: Infos, subject: Subject): boolean {
  const { packet } = subject
  const { limit, isAbove, length } = partsOf(infos, packet.family)
  const address = infos['connlimit-daddr'] ? packet.dst : packet.src
  const group = String(maskAddress(address, maskOfLength(packet.family, length)))
  const list = seen.get(group) ?? { open: [], lookedAt: 0 }
  seen.set(group, list)
  addToList(list, subject.connectionWatch(), subject.inDevice)
  return list.open.length > limit === isAbove
}

/**
 * Source: nf_conncount.c __nf_conncount_add(). Kernel: what is not in conntrack any more, or was closed, no longer counts; that is
 * looked after once in a jiffy, so that a new connection which comes by twice in one counts twice. A connection that was in the
 * table before the rule saw it is added where it is the first of its group, or goes over lo.
 */
function addToList(list: SeenList, own: ConnectionWatch, inDevice: string): void {
  const isFresh = list.lookedAt === own.moment
  const isFirst = list.open.length === 0
  const isSkipped = !isFirst && own.isConfirmed && inDevice !== 'lo'
  const isCleaned = !isFresh || (own.isConfirmed && !isSkipped)
  if (isCleaned) list.open = list.open.filter(one => one.isOpen() || (one.key === own.key && own.isConfirmed && !isSkipped))
  list.lookedAt = own.moment
  const isKnown = isCleaned && list.open.some(one => one.key === own.key)
  if (!isSkipped && !isKnown) list.open.push(own)
}
