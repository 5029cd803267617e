/**
 * What can be ESTABLISHED: the continuation of what was accepted as NEW, and the replies to it. From each fate of new packets follow the
 * packets of its connections in either direction, with the translation that nat gave them.
 */

import { CT_STATE, CT_STATUS } from '../meaning/fields.ts'
import type { NumberField } from '../meaning/fields.ts'
import { any, equals } from '../meaning/predicate.ts'
import { PROTOCOL } from '../net/protocol.ts'
import type { PacketSet, PacketSets, RenamedBits } from '../packetset/packet-sets.ts'
import type { Fate } from './fate.ts'
import { unionOf } from './packet-class.ts'
import type { Rewriting, Rewritings, Translation } from './rewriting.ts'
import { constantOf, constantValue, keyOfValue, maskValue, originalValue, xorValues } from './value.ts'
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
  const turned = TUPLE.map(field => ({ field, answer: answerTo(sets, field, rewriting.values.get(field.begin), rewritings.valueOf(rewritings.none, field.begin)) }))
  const parts = turned.flatMap(({ answer }) => (answer ? [answer] : []))
  if (parts.length < turned.length) {
    note('answers of connections to which nat gave addresses that were made of several fields')
    return []
  }
  const set = parts.reduce((now, { header }) => sets.intersect(now, header), sets.renameBits(answered(sets, first), parts.flatMap(({ renamed }) => renamed)))
  if (set === sets.none) return []
  const own = turned.map(({ field, answer }) => ({ field, value: originalOf(options, set, field, answer ?? NOTHING_KEPT) }))
  const restored = own.flatMap(({ field, value }) => (rewriting.values.has(field.begin) ? [[field.answer, value] as const] : []))
  return [{ set, translation: new Map<NumberField, Value>([...view(options, rewriting, 1), ...own.map(({ field, value }) => [field.original, value] as const), ...restored]) }]
}

const NOTHING_KEPT = { kept: 0n, flip: 0n }

/** What answers have of a field. */
interface AnswerField {
  /** Where the bits lie in the answer, or in the connection's tuple, that the first packet's set asks for. */
  readonly renamed: readonly RenamedBits[]
  /** What the answer's header must be. */
  readonly header: PacketSet
  /** The bits of the first packet's field that the answer's has too, those of `flip` turned over. */
  readonly kept: bigint
  readonly flip: bigint
}

/** Undefined where the value is made of more than bits of the field itself, or of what nat drew. */
function answerTo(sets: PacketSets, { begin, answer, original }: TupleField, value: Value | undefined, { width }: Value): AnswerField | undefined {
  const whole = (1n << BigInt(width)) - 1n
  if (!value) return { renamed: [{ field: begin, to: answer, mask: whole, flip: 0n }], header: sets.every, kept: whole, flip: 0n }
  const [slice, ...others] = value.slices
  if (others.length > 0 || value.adjusts.length > 0 || (slice && slice.shift !== 0)) return undefined
  const forgotten = (mask: bigint): readonly RenamedBits[] => (mask === 0n ? [] : [{ field: begin, to: original, mask, flip: 0n }])
  const isDrawn = slice?.field.startsWith('ct.reply.') === true
  if (slice && !isDrawn && slice.field !== begin) return undefined
  const mask = slice?.mask ?? 0n
  if (isDrawn && (mask !== whole || value.flip !== 0n)) return undefined
  const rest = whole ^ mask
  return {
    renamed: slice && isDrawn ? [...forgotten(whole), { field: slice.field, to: answer, mask: whole, flip: 0n }] : [...forgotten(rest), ...(mask === 0n ? [] : [{ field: begin, to: answer, mask, flip: value.flip & mask }])],
    header: sets.setOfMasked(answer, fieldValue(rest, answer, sets), fieldValue(value.flip & rest, answer, sets)),
    kept: isDrawn ? 0n : mask,
    flip: value.flip & mask,
  }
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

/** What the connection has of a field: `kept` bits are the answer's, the others one value or a field of their own. */
function originalOf({ sets, rewritings }: KnownOptions, set: PacketSet, { answer, original }: TupleField, { kept, flip }: Pick<AnswerField, 'kept' | 'flip'>): Value {
  const { width } = rewritings.valueOf(rewritings.none, original)
  const whole = (1n << BigInt(width)) - 1n
  if (kept === whole) return originalValue(answer, width)
  const [only, ...others] = sets.fieldRanges(set, original, 2) ?? []
  const remembered = only && others.length === 0 && only.low === only.high ? constantValue(width, only.low) : maskValue(originalValue(original, width), whole ^ kept)
  return [remembered, maskValue(originalValue(answer, width), kept), constantValue(width, flip)].reduce(xorValues)
}

function fieldValue(value: bigint, field: NumberField, { family }: PacketSets): number | bigint {
  return family === 'ipv6' && field.startsWith('ip.') ? value : Number(value)
}
