/** A packet of a set that looks like one that somebody sends: usual addresses, ports and flags wherever the set leaves the choice. */

import type { Subject } from '../meaning/subject.ts'
import { CT_STATE, PACKET_TYPE } from '../meaning/fields.ts'
import type { FieldValue, NumberField } from '../meaning/fields.ts'
import { makePacket } from '../packet/packet.ts'
import { EMPTY_TCP } from '../packet/packet-words.ts'
import type { Packet } from '../packet/packet.ts'
import { and, highOf, levelOf, lowOf, meets, ONE, ZERO } from './bdd.ts'
import type { Edge } from './bdd.ts'
import { supportOf } from './bdd-quantify.ts'
import { underMask } from './bdd-values.ts'
import { nameOfDevice } from './device-codes.ts'
import { codeOfValue } from './forget.ts'
import { codingOf, FIELD_ORDER, isNumberField } from './layout.ts'
import type { LaidField } from './layout.ts'
import { usualValues } from './usual-values.ts'
import { gateEdge, gateOf } from './space.ts'
import type { Space } from './space.ts'

/** A member of a set: a packet with its place, and what is decided about free variables. */
export interface Sample {
  readonly packet: Packet
  readonly inDevice: string
  readonly outDevice: string
  /** Bits of `CT_STATE`. */
  readonly ctState: number
  /** The values of free variables on which it depends whether the packet is in the set. */
  readonly decisions: ReadonlyMap<string, boolean>
  /** What predicates are asked about; kernel sets are as decided. */
  readonly subject: Subject
}

/** Deciding fields first: what a packet has depends on them. */
const CHOICE_ORDER: readonly LaidField[] = [
  'ip.protocol', 'ip.fragmentOffset', 'ct.state', 'device.in', 'device.out', 'ip.src', 'ip.dst', 'l4.dport', 'l4.sport', 'tcp.flags', 'icmp.type', 'icmp.code', 'icmp6.type', 'icmp6.code',
  'socket.exists', 'socket.owned', 'mac.present', 'tcp.options',
]

/** Fields that every sample fixes, because they decide what else there is. */
const ALWAYS_CHOSEN: ReadonlySet<LaidField> = new Set<LaidField>(['ip.protocol', 'ip.fragmentOffset', 'ct.state', 'socket.exists', 'socket.owned', 'mac.present', 'tcp.options'])

/** Returns a natural member of the set, undefined of the empty set. */
export function sampleOf(space: Space, edge: Edge): Sample | undefined {
  if (edge === ZERO) return undefined
  const chosen = new Map<LaidField, bigint>()
  const support = supportOf(space.bdd, edge)
  const needed = new Set([...support].map(level => space.layout.owners[level]))
  let rest = edge
  for (const field of [...CHOICE_ORDER, ...FIELD_ORDER.filter(one => !CHOICE_ORDER.includes(one))]) {
    const gate = gateOf(field)
    if (gate !== undefined && !meets(space.bdd, rest, gateEdge(space, gate))) continue
    if (!needed.has(field) && !ALWAYS_CHOSEN.has(field)) continue
    const code = chooseCode(space, rest, field, chosen)
    chosen.set(field, code)
    rest = and(space.bdd, rest, codeEdge(space, field, code))
  }
  return makeSample(space, chosen, decide(space, rest))
}

/** Free variables are false wherever the set allows it: so is each on the first path that leads to true. */
function decide(space: Space, edge: Edge): Map<string, boolean> {
  const isTrue = new Set<number>()
  for (let at = edge; at !== ONE; ) {
    const isHigh = lowOf(space.bdd, at) === ZERO
    if (isHigh) isTrue.add(levelOf(space.bdd, at))
    at = isHigh ? highOf(space.bdd, at) : lowOf(space.bdd, at)
  }
  const levels = [...supportOf(space.bdd, edge)].sort((one, other) => one - other)
  return new Map(levels.flatMap(level => {
    const free = space.freeKeys.get(level)
    return free ? [[free.key, isTrue.has(level)] as const] : []
  }))
}

function chooseCode(space: Space, rest: Edge, field: LaidField, chosen: ReadonlyMap<LaidField, bigint>): bigint {
  for (const code of usualCodes(space, field, chosen)) if (meets(space.bdd, rest, codeEdge(space, field, code))) return code
  const code = anyCode(space, rest, field)
  if (field !== 'ip.src' && field !== 'ip.dst') return code
  return [code + 10n, code + 5n, code + 2n, code + 1n].find(one => one < 1n << BigInt(codingOf(space.layout, field).bits.width) && meets(space.bdd, rest, codeEdge(space, field, one))) ?? code
}

function usualCodes(space: Space, field: LaidField, chosen: ReadonlyMap<LaidField, bigint>): readonly bigint[] {
  const coding = codingOf(space.layout, field)
  if (field === 'bridge.in' || field === 'bridge.out') return coding.kind === 'device' ? [BigInt(coding.devices.codeOfName.get('') ?? 0)] : []
  if (coding.kind === 'device') {
    const codes = coding.devices.classes.map((one, code) => ({ ...one, code: BigInt(code) })).filter(one => one.isOther || (one.name !== '' && one.name !== 'lo'))
    return [...codes.filter(one => !one.isOther), ...codes.filter(one => one.isOther)].map(one => one.code)
  }
  if (!isNumberField(field)) return [0n]
  return usualValues(field, space.layout.family, chosen).map(value => codeOfValue(space, field, value))
}

/** Returns the code of the field on some path to true. */
function anyCode(space: Space, edge: Edge, field: LaidField): bigint {
  const { first, width } = codingOf(space.layout, field).bits
  let code = 0n
  for (let at = edge; at !== ONE; ) {
    const level = levelOf(space.bdd, at)
    const isHigh = lowOf(space.bdd, at) === ZERO
    if (isHigh && level >= first && level < first + width) code |= 1n << BigInt(first + width - 1 - level)
    at = isHigh ? highOf(space.bdd, at) : lowOf(space.bdd, at)
  }
  return code
}

function codeEdge(space: Space, field: LaidField, code: bigint): Edge {
  const { bits } = codingOf(space.layout, field)
  return underMask(space.bdd, bits, (1n << BigInt(bits.width)) - 1n, code)
}

function makeSample(space: Space, chosen: ReadonlyMap<LaidField, bigint>, decisions: ReadonlyMap<string, boolean>): Sample {
  const fixed = [...ALWAYS_CHOSEN].reduce((edge, field) => and(space.bdd, edge, chosen.has(field) ? codeEdge(space, field, chosen.get(field) ?? 0n) : ONE), ONE)
  const number = (field: NumberField): FieldValue | undefined => {
    const gate = gateOf(field)
    const code = chosen.get(field)
    if (code !== undefined) return valueOfCode(space, field, code)
    return gate !== undefined && !meets(space.bdd, fixed, gateEdge(space, gate)) ? undefined : usualValues(field, space.layout.family, chosen)[0]
  }
  const small = (field: NumberField): number | undefined => {
    const value = number(field)
    return value === undefined ? undefined : Number(value)
  }
  const device = (field: LaidField, otherwise: string): string => {
    const coding = codingOf(space.layout, field)
    const code = chosen.get(field)
    return code === undefined || coding.kind !== 'device' ? otherwise : nameOfDevice(coding.devices, Number(code))
  }
  const packet = packetOf(number, small, chosen)
  const place = { inDevice: device('device.in', ''), outDevice: device('device.out', ''), bridgeIn: device('bridge.in', ''), bridgeOut: device('bridge.out', '') }
  const ctState = small('ct.state') ?? CT_STATE.NEW
  const subject = subjectOf(packet, place, ctState, number, decisions)
  return { packet, inDevice: place.inDevice, outDevice: place.outDevice, ctState, decisions, subject }
}

function packetOf(number: (field: NumberField) => FieldValue | undefined, small: (field: NumberField) => number | undefined, chosen: ReadonlyMap<LaidField, bigint>): Packet {
  const [sport, dport, flags, mss, spi] = [small('l4.sport'), small('l4.dport'), small('tcp.flags'), small('tcp.mss'), small('l4.spi')]
  const [type, code] = [small('icmp.type') ?? small('icmp6.type'), small('icmp.code') ?? small('icmp6.code')]
  const options = BigInt(number('tcp.options') ?? 0n)
  const optionKinds = Array.from({ length: 256 }, (_, kind) => kind).filter(kind => (options >> BigInt(kind)) & 1n)
  const mac = number('mac.src')
  const socket = { ...(small('socket.uid') === undefined ? {} : { uid: small('socket.uid') ?? 0 }), ...(small('socket.gid') === undefined ? {} : { gid: small('socket.gid') ?? 0 }) }
  const packetType = Object.entries(PACKET_TYPE).find(([, value]) => value === small('packetType'))?.[0]
  return makePacket({
    protocol: small('ip.protocol') ?? 6, src: number('ip.src') ?? 0, dst: number('ip.dst') ?? 0, ttl: small('ip.ttl') ?? 64, tos: small('ip.tos') ?? 0,
    fragmentOffset: small('ip.fragmentOffset') ?? 0, moreFragments: small('ip.moreFragments') === 1, mark: small('mark') ?? 0,
    ...(chosen.has('ip.length') ? { length: small('ip.length') ?? 0 } : {}),
    ...(sport === undefined ? {} : { sport }), ...(dport === undefined ? {} : { dport }), ...(spi === undefined ? {} : { spi }),
    ...(flags === undefined ? {} : { tcp: { ...EMPTY_TCP, flags, optionKinds, ...(mss === undefined ? {} : { mss }) } }),
    ...(type === undefined ? {} : { icmp: { type, code: code ?? 0 } }),
    ...(mac === undefined || chosen.get('mac.present') !== 1n ? {} : { macSource: mac.toString(16).padStart(12, '0') }),
    ...(chosen.get('socket.exists') === 1n ? { socket } : {}),
    ...(isPacketType(packetType) ? { packetType } : {}),
  })
}

function isPacketType(name: string | undefined): name is Packet['packetType'] {
  return name !== undefined && name in PACKET_TYPE
}

function valueOfCode(space: Space, field: NumberField, code: bigint): FieldValue {
  const coding = codingOf(space.layout, field)
  if (coding.kind === 'table') return coding.values[Number(code)] ?? 0
  if (coding.kind === 'offset') return code < 8192n ? 0 : Number(code === 8192n ? 1n : code - 8192n) * 8
  return coding.bits.width <= 32 ? Number(code) : code
}

type Place = Pick<Subject, 'inDevice' | 'outDevice' | 'bridgeIn' | 'bridgeOut'>

function subjectOf(packet: Packet, place: Place, ctState: number, number: (field: NumberField) => FieldValue | undefined, decisions: ReadonlyMap<string, boolean>): Subject {
  const small = (field: NumberField): number => Number(number(field) ?? 0)
  const tuple = (side: 'original' | 'reply') => ({ src: number(`ct.${side}.src`) ?? 0, dst: number(`ct.${side}.dst`) ?? 0, sport: small(`ct.${side}.sport`), dport: small(`ct.${side}.dport`) })
  const isConnected = (ctState & (CT_STATE.NEW | CT_STATE.ESTABLISHED | CT_STATE.RELATED)) !== 0
  const direction = small('ct.direction') === 1 && !(ctState & CT_STATE.NEW) ? 1 : 0
  return {
    packet, ...place, ctState, bridged: small('bridge.forwarded') === 1,
    connection: isConnected ? { protocol: small('ct.protocol'), original: tuple('original'), reply: tuple('reply'), status: small('ct.status'), direction, mark: small('ct.mark'), expires: small('ct.expires') } : undefined,
    connectionWatch: () => ({ key: '', isConfirmed: isConnected, isAssured: isConnected, state: () => (isConnected ? 'open' : 'gone'), moment: 0 }),
    addressType: (address, where) => {
      const side = address === packet.src ? 'src' : 'dst'
      return small(where === 'any' ? `addressType.${side}` : `addressType.${side}.${where}`)
    },
    inIpset: (name, directions) => decisions.get(`ipset ${name} ${directions.join(',')}`) ?? false,
    routeRealm: () => 0,
    deviceGroup: () => 0,
    hasReversePath: () => true,
    decide: key => decisions.get(key) ?? false,
  }
}
