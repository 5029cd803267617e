/** What else belongs to known connections: their senders' next packets while nobody has answered, and ICMP errors about them. */

import { CT_STATE } from '../meaning/fields.ts'
import { any, equals, within } from '../meaning/predicate.ts'
import { PROTOCOL } from '../net/protocol.ts'
import type { PacketSets } from '../packetset/packet-sets.ts'
import type { KnownPackets } from './known-connections.ts'
import type { Rewritings } from './rewriting.ts'
import { constantOf } from './value.ts'

/** What sets and values are made with. */
export interface LaterOptions {
  readonly sets: PacketSets
  readonly rewritings: Rewritings
}

const NAT_BITS = BigInt(CT_STATE.SNAT | CT_STATE.DNAT)

/** Destination unreachable, source quench, redirect, time exceeded, parameter problem. Source: nf_conntrack_proto_icmp.c nf_conntrack_icmpv4_error(). */
const ERRORS = [3, 4, 5, 11, 12]

/** Source: nf_conntrack_proto_icmpv6.c nf_conntrack_icmpv6_error(). */
const LAST_ERROR6 = 127

/** Returns the packets that follow the first one while the connection is still new: nat's rules are not asked, it translates them as it did the first. */
export function unansweredPackets(options: LaterOptions, known: readonly KnownPackets[]): readonly KnownPackets[] {
  return known.filter(packets => !isAnswer(packets)).map(packets => inState(options, packets, CT_STATE.NEW))
}

/**
 * Returns the ICMP errors about packets of connections: from any host on the way, to the sender, whose address nat turns back as it does that of an
 * answer. Source: net/netfilter/nf_nat_proto.c nf_nat_icmp_reply_translation().
 */
export function relatedErrors(options: LaterOptions, known: readonly KnownPackets[]): readonly KnownPackets[] {
  const { sets } = options
  const isError = sets.family === 'ipv4' ? any(ERRORS.map(type => equals('icmp.type', type))) : within('icmp6.type', 0, LAST_ERROR6)
  const errors = sets.intersect(sets.setOf(equals('ip.protocol', sets.family === 'ipv4' ? PROTOCOL.icmp : PROTOCOL.icmpv6)), sets.setOf(isError))
  return known.map(packets => {
    const { set, translation } = inState(options, packets, CT_STATE.RELATED)
    const fromAnywhere = sets.exists(sets.exists(set, 'ip.protocol'), 'ip.src')
    return { set: sets.intersect(fromAnywhere, errors), translation: new Map([...translation].filter(([field]) => !field.startsWith('l4.'))) }
  })
}

/** Returns what REJECT sends in place of an answer where no connection came about: it belongs to the packet's connection all the same, as RELATED. */
export function relatedAnswers(options: LaterOptions, known: readonly KnownPackets[]): readonly KnownPackets[] {
  return known.filter(isAnswer).map(packets => inState(options, packets, CT_STATE.RELATED))
}

/** Tells whether packets go back to where their connection began. */
export function isAnswer({ translation }: KnownPackets): boolean {
  const direction = translation.get('ct.direction')
  return direction !== undefined && constantOf(direction) === 1n
}

function inState({ sets, rewritings }: LaterOptions, { set, translation }: KnownPackets, state: number): KnownPackets {
  const now = translation.get('ct.state')
  const bits = ((now && constantOf(now)) ?? 0n) & NAT_BITS
  return { set: sets.assign(set, 'ct.state', 0x7f, state), translation: new Map([...translation, ['ct.state', rewritings.constant('ct.state', BigInt(state) | bits)]]) }
}
