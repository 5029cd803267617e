/** Sets as a reader wants them: of usual packets, without what goes without saying. */

import { ADDRESS_TYPE, CT_STATE, PACKET_TYPE } from '../meaning/fields.ts'
import type { DeviceField, NumberField } from '../meaning/fields.ts'
import { all, always, any, equals, hasAnyBit, masked, not, onDevice, within } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import { packetsInWords } from '../meaning/in-words.ts'
import { mapTerms } from '../symbolic/map-terms.ts'
import { PROTOCOL } from '../net/protocol.ts'
import { TCP_FLAG } from '../packet/packet.ts'
import type { PacketSet, PacketSets } from '../packetset/packet-sets.ts'

/** Fields that are left out of a description where they make no difference among the packets in question; what is said last goes first. */
const LEFT_OUT: readonly (NumberField | DeviceField)[] = [
  'ip.moreFragments', 'packetType', 'ip.ttl', 'ip.length', 'tcp.flags', 'tcp.options', 'socket.exists', 'socket.uid', 'socket.gid', 'mac.src', 'ct.state', 'bridge.in', 'bridge.out', 'bridge.forwarded',
  'addressType.dst', 'addressType.src', 'ip.tos', 'mark', 'device.out', 'icmp.type', 'icmp.code', 'icmp6.type', 'icmp6.code', 'l4.sport', 'device.in', 'ip.src', 'ip.dst', 'l4.dport',
]

/** For the host itself: delivered, or over lo. */
const isKeptHere = any([onDevice('device.out', { name: '', prefix: false }), onDevice('device.out', { name: 'lo', prefix: false })])

/** What the host takes for itself has an address of its own, and only that. */
export const isConsistent: Predicate = any([
  all([isKeptHere, hasAnyBit('addressType.dst', ADDRESS_TYPE.LOCAL)]),
  all([not(isKeptHere), equals('addressType.dst', ADDRESS_TYPE.UNICAST)]),
])

/** What arrives comes from somebody else. */
const isFromOthers: Predicate = any([onDevice('device.in', { name: '', prefix: false }), equals('addressType.src', ADDRESS_TYPE.UNICAST)])

/** Addresses that no single host on the net has. */
const NOBODYS: Readonly<Record<PacketSets['family'], (field: 'ip.src' | 'ip.dst') => Predicate>> = { ipv4: (field: 'ip.src' | 'ip.dst') => any([within(field, 0, 0x00ffffff), masked(field, 0xff000000, 0x7f000000), within(field, 0xe0000000, 0xffffffff)]), ipv6: (field: 'ip.src' | 'ip.dst') => any([within(field, 0n, 1n), masked(field, 0xffn << 120n, 0xffn << 120n)]) }

/** Whole unicast packets of usual ttl between hosts: the first of their connection, or where it is `known` one in its midst. */
export function usualPacket(family: PacketSets['family'], state: 'new' | 'known'): Predicate {
  return all([usualHeaders(state), not(NOBODYS[family]('ip.src')), not(NOBODYS[family]('ip.dst'))])
}

/** Usual packets, from and to any address. */
function usualHeaders(state: 'new' | 'known'): Predicate {
  return all([wholePacket(state), equals('packetType', PACKET_TYPE.unicast), within('ip.ttl', 32, 255), onDevice('bridge.in', { name: '', prefix: false }), onDevice('bridge.out', { name: '', prefix: false })])
}

/** Packets that are whole, of tcp with the flags that go with the state. */
function wholePacket(state: 'new' | 'known'): Predicate {
  return all([
    equals('ip.fragmentOffset', 0), equals('ip.moreFragments', 0), ...(state === 'known' ? [equals('ct.state', CT_STATE.ESTABLISHED)] : []),
    any([not(equals('ip.protocol', PROTOCOL.tcp)), equals('tcp.flags', state === 'new' ? TCP_FLAG.SYN : TCP_FLAG.ACK)]),
  ])
}

/** Returns the packets of a set that are usual, and of those the `likely` ones; where it has none such, as of loopback addresses, that does not count. */
export function usualAmong(sets: PacketSets, set: PacketSet, state: 'new' | 'known', likely: Predicate): PacketSet {
  const whole = sets.intersect(sets.setOf(usualHeaders(state)), set)
  return [usualPacket(sets.family, state), likely].reduce((now, predicate) => {
    const narrower = sets.intersect(now, sets.setOf(predicate))
    return narrower === sets.none ? now : narrower
  }, whole)
}

/** Returns a set in at most `limit` lines, as a part of the packets `of`. What makes no difference among these is left out. */
export function describePlainly(sets: PacketSets, set: PacketSet, of: PacketSet, limit: number, state: 'new' | 'known' = 'new'): readonly string[] {
  const usual = [usualPacket(sets.family, state), usualHeaders(state), wholePacket(state)].map(one => sets.intersect(sets.setOf(one), of)).find(one => sets.meets(one, set)) ?? of
  const view = sets.intersect(set, usual)
  const delivered = sets.setOf(isKeptHere)
  const isForHost = sets.isSubset(view, delivered)
  const fromOthers = sets.intersect(usual, sets.setOf(isFromOthers))
  const likely = [sets.intersect(fromOthers, sets.setOf(isConsistent)), fromOthers].find(one => sets.meets(one, view)) ?? usual
  const among = isForHost ? sets.intersect(likely, delivered) : sets.meets(view, delivered) ? likely : sets.subtract(likely, delivered)
  const plain = LEFT_OUT.filter(field => state === 'new' || field !== 'ct.state').reduce((now, field) => {
    const wider = sets.exists(now, field)
    return sets.isSubset(sets.intersect(wider, among), view) ? wider : now
  }, view)
  const isForOthers = !sets.meets(view, delivered) && sets.meets(of, delivered) && isOfAnyDestination(sets, plain)
  const forms = (sets.meets(view, delivered) ? [plain] : [plain, sets.union(plain, sets.intersect(sets.exists(plain, 'device.out'), sets.setOf(isKeptHere)))]).map(form => inLines(sets, form, limit))
  const [shortest = []] = forms.sort((one, other) => one.join().length - other.join().length)
  return shortest.map(line => line.replace(/(?=, (?:if|unless) )|$/, isForHost ? ', for this host' : isForOthers ? ', for other hosts' : ''))
}

function inLines(sets: PacketSets, set: PacketSet, limit: number): readonly string[] {
  const loose = (['ip.src', 'ip.dst'] as const).map(field => ({ field, set: sets.setOf(NOBODYS[sets.family](field)) })).filter(({ set: odd }) => !sets.isSubset(set, odd))
  const { predicates, isWhole } = sets.cover(set, limit, loose)
  return [...withoutParts(sets, predicates).map(predicate => packetsInWords(mapTerms(predicate, readable))), ...(isWhole ? [] : ['and others'])]
}

/** Leaves out predicates that another one covers: packets without a source MAC do not have a certain one either. */
function withoutParts(sets: PacketSets, predicates: readonly Predicate[]): readonly Predicate[] {
  const named = predicates.map(predicate => ({ predicate, set: sets.setOf(predicate) }))
  const isCovered = (set: PacketSet, index: number): boolean => named.some((other, at) => (other.set === set ? at < index : sets.isSubset(set, other.set)))
  return named.filter(({ set }, index) => !isCovered(set, index)).map(({ predicate }) => predicate)
}

/** Whole packets are meant anyway; ranges that are prefixes are written so. */
function readable(term: Predicate): Predicate {
  if (term.kind !== 'within') return term
  if (term.field === 'ip.fragmentOffset' || (term.field === 'ct.state' && term.low === CT_STATE.ESTABLISHED)) return always
  if (term.field !== 'ip.src' && term.field !== 'ip.dst') return term
  const size = BigInt(term.high) - BigInt(term.low) + 1n
  if ((size & (size - 1n)) !== 0n || BigInt(term.low) % size !== 0n) return term
  const mask = (typeof term.low === 'number' ? 1n << 32n : 1n << 128n) - size
  return masked(term.field, typeof term.low === 'number' ? Number(mask) : mask, term.low)
}

/** Tells whether the destination makes no difference, nobody's addresses aside. */
function isOfAnyDestination(sets: PacketSets, set: PacketSet): boolean {
  const wider = sets.exists(set, 'ip.dst')
  return sets.isSubset(sets.subtract(wider, set), sets.setOf(NOBODYS[sets.family]('ip.dst')))
}
