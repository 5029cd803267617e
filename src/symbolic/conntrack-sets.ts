/** What conntrack makes of packets that no connection is known of. The mirror of the simulator's conntrack.ts for a first packet. */

import type { Hook } from '../ir/hooks.ts'
import { CT_STATE, CT_STATUS } from '../meaning/fields.ts'
import type { NumberField } from '../meaning/fields.ts'
import { all, always, any, equals, masked, never, not, opaque, within } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import type { Family } from '../net/address.ts'
import { PROTOCOL } from '../net/protocol.ts'
import { TCP_FLAG } from '../packet/packet.ts'
import type { PacketSet } from '../packetset/packet-sets.ts'
import { headerTuple, invertTuple, tuplesEqual } from './connection-tuples.ts'
import type { PacketClass } from './packet-class.ts'
import { widthOfField } from './rewriting.ts'
import type { Rewriting, Visit } from './rewriting.ts'
import type { Run } from './run.ts'
import { constantOf, originalValue } from './value.ts'
import type { Value } from './value.ts'

/** The free variable that stands for "the first chunk of the SCTP packet may begin an association": no field tells chunks. */
export const SCTP_BEGINS = 'the first SCTP chunk may begin an association'

const ICMP_NEW = [8, 13, 15, 17]
const ICMPV6_NEW = [128, 139]
const ICMPV6_UNTRACKED = [130, 131, 132, 133, 134, 135, 136, 143, 151, 152]

/** Flags that the tracker looks at: all but PSH, ECE and CWR. */
const FLAGS = TCP_FLAG.FIN | TCP_FLAG.SYN | TCP_FLAG.RST | TCP_FLAG.ACK | TCP_FLAG.URG

/** Splits packets that enter the host into those with a connection and those without; of packets that have a state already (untracked, over lo) all stay as they are. */
export function trackPackets(run: Run, { rewriting, set }: PacketClass, hook: Hook): readonly PacketClass[] {
  const { sets, family } = run
  if (rewriting.connection !== 'none' || isUntracked(run, rewriting)) return [{ rewriting, set }]
  if (run.state === 'expected') return [{ rewriting: withState(run, rewriting, CT_STATE.RELATED, 'new'), set }]
  if (run.state === 'invalid') return [{ rewriting, set }]
  if (run.state !== 'new') return [{ rewriting: withOwnState(run, rewriting), set }]
  const { again, rest } = trackAgain(run, { rewriting, set })
  const untracked = run.setOf(isNeverTracked(family), rewriting)
  const begins = run.setOf(mayBegin(family, hook, run.surroundings.tcpLoose), rewriting)
  const tracked = sets.subtract(rest, untracked)
  return [
    ...again,
    { rewriting: withState(run, rewriting, CT_STATE.UNTRACKED, 'none'), set: sets.intersect(rest, untracked) },
    { rewriting: withState(run, rewriting, CT_STATE.NEW, 'new'), set: sets.intersect(tracked, begins) },
    { rewriting: withState(run, rewriting, CT_STATE.INVALID, 'none'), set: sets.subtract(tracked, begins) },
  ].filter(one => one.set !== sets.none)
}

/** Packets that come back to a namespace before anybody answered: the connection is known and still new, and nat is not asked again. `rest` has none there. */
function trackAgain(run: Run, { rewriting, set }: PacketClass): { readonly again: readonly PacketClass[]; readonly rest: PacketSet } {
  const { sets } = run
  const now = headerTuple(run.rewritings, rewriting)
  const again: PacketClass[] = []
  let rest = set
  for (const visit of rewriting.visits.filter(({ namespace }) => namespace === run.namespace).reverse()) {
    const same = sets.intersect(rest, sets.setOf(tuplesEqual(now, visit.original)))
    if (same !== sets.none) again.push({ rewriting: asBefore(run, rewriting, visit), set: same })
    const answers = sets.intersect(sets.subtract(rest, same), sets.setOf(tuplesEqual(now, invertTuple(visit.translated))))
    run.leaveOpen('packets that come to a host again as answers of the connection that they began there', answers)
    rest = sets.subtract(rest, sets.union(same, answers))
  }
  return { again, rest }
}

/** The packets as the connection that they began here has them. */
function asBefore(run: Run, rewriting: Rewriting, { original, translated, status, mark }: Visit): Rewriting {
  const state = CT_STATE.NEW | (status & CT_STATUS.SRC_NAT ? CT_STATE.SNAT : 0) | (status & CT_STATUS.DST_NAT ? CT_STATE.DNAT : 0)
  const reply = invertTuple(translated)
  const rewritten = [...(status & CT_STATUS.SRC_NAT ? (['ip.src', 'l4.sport'] as const) : []), ...(status & CT_STATUS.DST_NAT ? (['ip.dst', 'l4.dport'] as const) : [])]
  return run.rewritings.with(withState(run, rewriting, state, 'again'), {
    values: new Map<NumberField, Value>([
      ['ct.mark', mark], ['ct.status', run.rewritings.constant('ct.status', status)],
      ['ct.original.src', original['ip.src']], ['ct.original.dst', original['ip.dst']], ['ct.original.sport', original['l4.sport']], ['ct.original.dport', original['l4.dport']],
      ['ct.reply.src', reply['ip.src']], ['ct.reply.dst', reply['ip.dst']], ['ct.reply.sport', reply['l4.sport']], ['ct.reply.dport', reply['l4.dport']],
    ]),
    natDone: { source: true, destination: true },
    translation: new Map(rewritten.map(header => [header, translated[header]])),
  })
}

/** Returns the rewriting with another connection state (bits of `CT_STATE`). */
export function withState(run: Run, rewriting: Rewriting, state: number, connection: Rewriting['connection']): Rewriting {
  const { constant } = run.rewritings
  const values = new Map<NumberField, Value>([['ct.state', constant('ct.state', state)]])
  if (connection === 'new' || connection === 'again') for (const field of ['ct.mark', 'ct.status', 'ct.direction'] as const) values.set(field, constant(field, 0))
  return run.rewritings.with(rewriting, { values, connection })
}

/** The packets' state is what is known of their connection, else the field that it was at first. */
function withOwnState({ rewritings }: Run, rewriting: Rewriting): Rewriting {
  const known = [...rewriting.translation].filter(([field]) => field.startsWith('ct.'))
  return rewritings.with(rewriting, { values: new Map([['ct.state' as const, originalValue('ct.state', widthOfField('ct.state', rewritings.family))], ...known]), connection: 'known' })
}

/** Tells whether a rule took the packets from connection tracking. */
export function isUntracked(run: Run, rewriting: Rewriting): boolean {
  return constantOf(run.rewritings.valueOf(rewriting, 'ct.state')) === BigInt(CT_STATE.UNTRACKED)
}

/** Returns the packets that are not tracked at all: neighbour and router discovery, and group management. */
export function isNeverTracked(family: Family): Predicate {
  return family === 'ipv4' ? never : any(ICMPV6_UNTRACKED.map(type => equals('icmp6.type', type)))
}

/** Returns the packets that may begin a connection. Source: nf_conntrack_proto_*.c. */
export function mayBegin(family: Family, hook: Hook, isLoose: boolean): Predicate {
  const flags = [TCP_FLAG.SYN, TCP_FLAG.SYN | TCP_FLAG.URG, ...(isLoose ? [TCP_FLAG.ACK, TCP_FLAG.ACK | TCP_FLAG.URG] : [])]
  const is = (protocol: number): Predicate => equals('ip.protocol', protocol)
  const isSpecial = any([PROTOCOL.tcp, PROTOCOL.udplite, PROTOCOL.icmp, PROTOCOL.icmpv6, PROTOCOL.sctp].map(is))
  return any([
    all([is(PROTOCOL.tcp), any(flags.map(value => masked('tcp.flags', FLAGS, value)))]),
    hook === 'PREROUTING' ? never : is(PROTOCOL.udplite),
    family === 'ipv4' ? all([is(PROTOCOL.icmp), any(ICMP_NEW.map(type => within('icmp.type', type, type)))]) : all([is(PROTOCOL.icmpv6), any(ICMPV6_NEW.map(type => within('icmp6.type', type, type)))]),
    all([is(PROTOCOL.sctp), opaque(SCTP_BEGINS, SCTP_BEGINS)]),
    isSpecial === always ? never : not(isSpecial),
  ])
}
