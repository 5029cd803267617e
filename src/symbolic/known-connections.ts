/**
 * What can be ESTABLISHED: the continuation of what was accepted as NEW, and the replies to it. From each fate of new packets follow the
 * packets of its connections in either direction, with the translation that nat gave them.
 */

import { CT_STATE, CT_STATUS } from '../meaning/fields.ts'
import type { NumberField } from '../meaning/fields.ts'
import { any, equals } from '../meaning/predicate.ts'
import { PROTOCOL } from '../net/protocol.ts'
import type { PacketSet, PacketSets } from '../packetset/packet-sets.ts'
import type { Fate } from './fate.ts'
import { unionOf } from './packet-class.ts'
import type { Rewriting, Rewritings, Translation } from './rewriting.ts'
import { constantOf, keyOfValue, originalValue } from './value.ts'
import type { Value } from './value.ts'

/** Packets of known connections that nat treats alike. `translation` has what their headers become, and what is known of the connection (`ct.`). */
export interface KnownPackets {
  readonly set: PacketSet
  readonly translation: Translation
}

/** What a run through one host is made of. */
export interface KnownOptions {
  readonly sets: PacketSets
  readonly rewritings: Rewritings
  /** Takes what is not followed, in words. */
  readonly note: (words: string) => void
}

/** One field of a tuple, in the packet that begins a connection, in its answers, and as conntrack remembers it. */
interface TupleField {
  readonly begin: 'ip.src' | 'ip.dst' | 'l4.sport' | 'l4.dport'
  readonly answer: 'ip.src' | 'ip.dst' | 'l4.sport' | 'l4.dport'
  readonly original: 'ct.original.src' | 'ct.original.dst' | 'ct.original.sport' | 'ct.original.dport'
}

const TUPLE: readonly TupleField[] = [
  { begin: 'ip.src', answer: 'ip.dst', original: 'ct.original.src' }, { begin: 'l4.sport', answer: 'l4.dport', original: 'ct.original.sport' },
  { begin: 'ip.dst', answer: 'ip.src', original: 'ct.original.dst' }, { begin: 'l4.dport', answer: 'l4.sport', original: 'ct.original.dport' },
]

/** Where the connection has what nat made of a field. */
const REPLY_FIELD = { 'ip.src': 'ct.reply.dst', 'l4.sport': 'ct.reply.dport', 'ip.dst': 'ct.reply.src', 'l4.dport': 'ct.reply.sport' } as const

/** What later packets of a connection may have otherwise than the first. */
const OTHERWISE = [
  'tcp.flags', 'tcp.options', 'tcp.mss', 'ip.ttl', 'ip.tos', 'ip.length', 'ip.moreFragments', 'mark', 'mac.src', 'packetType', 'socket.uid', 'socket.gid', 'socket.exists', 'addressType.src', 'addressType.dst',
  'ct.mark', 'ct.status', 'ct.direction', 'ct.expires', 'device.in', 'device.out', 'bridge.in', 'bridge.out', 'bridge.forwarded',
] as const

/** Echo, timestamp, information and mask requests, and what answers them; the same of ICMPv6. */
const ANSWERS = [
  { field: 'icmp.type', request: 8, answer: 0 }, { field: 'icmp.type', request: 13, answer: 14 }, { field: 'icmp.type', request: 15, answer: 16 }, { field: 'icmp.type', request: 17, answer: 18 },
  { field: 'icmp6.type', request: 128, answer: 129 }, { field: 'icmp6.type', request: 139, answer: 140 },
] as const

/** More translations than this are not turned round: each costs some thirty operations on its sets. */
const MOST_TRANSLATIONS = 500

/** Returns the packets of the connections that fates of new packets began, those that got through and were translated in the same way together; undefined where these ways are too many. */
export function knownPackets(options: KnownOptions, fates: readonly Fate[]): readonly KnownPackets[] | undefined {
  const { sets } = options
  const begun = new Map<string, { readonly rewriting: Rewriting; readonly parts: PacketSet[] }>()
  for (const { kind, rewriting, set } of fates) {
    if (rewriting.connection !== 'new' || (kind !== 'local' && kind !== 'forward' && kind !== 'sent')) continue
    const key = [...TUPLE.map(({ begin }) => begin), 'ct.mark' as const, 'ct.status' as const].map(field => keyOfValue(options.rewritings.valueOf(rewriting, field))).join(' ')
    const known = begun.get(key)
    if (known) known.parts.push(set)
    else begun.set(key, { rewriting, parts: [set] })
  }
  if (begun.size > MOST_TRANSLATIONS) return undefined
  return [...begun.values()].flatMap(({ rewriting, parts }) => {
    const set = laterPackets(sets, unionOf(sets, parts))
    return [continuation(options, rewriting, set), ...replies(options, rewriting, set)].map((packets, direction) => ({ ...packets, set: sets.intersect(packets.set, ofConnection(options, rewriting, direction)) }))
  })
}

/** What tells packets apart that have equal headers and belong to connections of which nat made different things. */
function ofConnection({ sets, rewritings }: KnownOptions, rewriting: Rewriting, direction: number): PacketSet {
  const status = Number(constantOf(rewritings.valueOf(rewriting, 'ct.status')) ?? 0n)
  const nat = CT_STATUS.SRC_NAT | CT_STATUS.DST_NAT
  const tuple = TUPLE.flatMap(({ begin }) => {
    const value = rewriting.values.get(begin)
    const constant = value && constantOf(value)
    const field = REPLY_FIELD[begin]
    return constant === undefined ? [] : [sets.setOfField(field, fieldValue(constant, begin, sets), fieldValue(constant, begin, sets))]
  })
  return sets.intersect(sets.setOfField('ct.direction', direction, direction), sets.setOfMasked('ct.status', nat, status & nat), ...tuple)
}

function laterPackets(sets: PacketSets, first: PacketSet): PacketSet {
  const established = sets.assign(first, 'ct.state', 0x7f, CT_STATE.ESTABLISHED)
  const loose = OTHERWISE.reduce<PacketSet>((set, field) => sets.exists(set, field), established)
  return sets.forgetFree(loose, sets.freeVariables(loose).map(({ key }) => key))
}

/** What conntrack and rules know of the connection. */
function view({ rewritings }: KnownOptions, rewriting: Rewriting, direction: 0 | 1): readonly (readonly [NumberField, Value])[] {
  const status = Number(constantOf(rewritings.valueOf(rewriting, 'ct.status')) ?? 0n)
  const state = CT_STATE.ESTABLISHED | (status & CT_STATUS.SRC_NAT ? CT_STATE.SNAT : 0) | (status & CT_STATUS.DST_NAT ? CT_STATE.DNAT : 0)
  const mark = rewriting.values.get('ct.mark')
  return [
    ['ct.state', rewritings.constant('ct.state', state)], ['ct.direction', rewritings.constant('ct.direction', direction)],
    ...(mark && constantOf(mark) !== undefined ? [['ct.mark', mark] as const] : []),
  ]
}

/** The headers are those of the first packet, and what they become is what they became then. */
function continuation(options: KnownOptions, rewriting: Rewriting, set: PacketSet): KnownPackets {
  const { rewritings } = options
  const own = TUPLE.map(({ begin, original }) => [original, originalValue(begin, rewritings.valueOf(rewriting, begin).width)] as const)
  const changed = TUPLE.flatMap(({ begin }) => {
    const value = rewriting.values.get(begin)
    return value ? [[begin, value] as const] : []
  })
  return { set, translation: new Map<NumberField, Value>([...view(options, rewriting, 0), ...own, ...changed]) }
}

/** Answers come from where the first packet got, to what was its source by then, and are turned back into what belongs to it as it was. */
function replies(options: KnownOptions, rewriting: Rewriting, first: PacketSet): readonly KnownPackets[] {
  const { sets, rewritings, note } = options
  const names = new Map<NumberField, NumberField>()
  const headers: (readonly [NumberField, bigint])[] = []
  const back: TupleField[] = []
  for (const field of TUPLE) {
    const value = rewriting.values.get(field.begin)
    const constant = value && constantOf(value)
    const [drawn] = value?.slices ?? []
    if (!value) names.set(field.begin, field.answer)
    else if (constant !== undefined) headers.push([field.answer, constant])
    else if (drawn && value.slices.length === 1 && value.flip === 0n && drawn.field.startsWith('ct.reply.')) names.set(drawn.field, field.answer)
    else {
      note('answers of connections to which nat gave another network prefix')
      return []
    }
    if (value) {
      names.set(field.begin, field.original)
      back.push(field)
    }
  }
  const renamed = sets.renameFields(answered(sets, first), names)
  const set = headers.reduce((now, [field, value]) => sets.intersect(now, sets.setOfField(field, fieldValue(value, field, sets), fieldValue(value, field, sets))), renamed)
  if (set === sets.none) return []
  const restored = back.map(field => [field.answer, originalOf(options, set, field)] as const)
  const own = TUPLE.map(field => [field.original, back.includes(field) ? originalOf(options, set, field) : rewritings.valueOf(rewritings.none, field.answer)] as const)
  return [{ set, translation: new Map<NumberField, Value>([...view(options, rewriting, 1), ...own, ...restored]) }]
}

/** Of what is sent as a request only the answer comes back. */
function answered(sets: PacketSets, first: PacketSet): PacketSet {
  const isIcmp = sets.setOf(any([equals('ip.protocol', PROTOCOL.icmp), equals('ip.protocol', PROTOCOL.icmpv6)]))
  const answers = ANSWERS.map(({ field, request, answer }) => {
    const requests = sets.intersect(first, sets.setOfField(field, request, request))
    return sets.assign(requests, field, 0xff, answer)
  })
  return sets.union(sets.subtract(first, isIcmp), ...answers)
}

/** What the connection has of a field that nat rewrote: one value, or a field of its own. */
function originalOf({ sets, rewritings }: KnownOptions, set: PacketSet, { original }: TupleField): Value {
  const [only, ...others] = sets.fieldRanges(set, original, 2) ?? []
  const { width } = rewritings.valueOf(rewritings.none, original)
  return only && others.length === 0 && only.low === only.high ? { width, flip: only.low, slices: [], adjusts: [] } : originalValue(original, width)
}

function fieldValue(value: bigint, field: NumberField, { family }: PacketSets): number | bigint {
  return family === 'ipv6' && field.startsWith('ip.') ? value : Number(value)
}
