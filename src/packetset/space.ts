/** What all operations of a collection of packet sets share: the diagrams, the layout, what was computed before, and how fields become sets. */

import { invariant } from '../diagnostics/diagnostic.ts'
import { CT_STATE, FIELDS, fieldRow } from '../meaning/fields.ts'
import type { DeviceField, FieldValue, NumberField } from '../meaning/fields.ts'
import type { Predicate } from '../meaning/predicate.ts'
import type { DevicePattern } from '../net/device-name.ts'
import { PROTOCOL } from '../net/protocol.ts'
import { and, makeBdd, ONE, or, variable, ZERO } from './bdd.ts'
import type { Bdd, Edge } from './bdd.ts'
import { inRanges, inTable, joinRanges, underMask } from './bdd-values.ts'
import type { ValueRange } from './bdd-values.ts'
import { codeOfDevice, codesOfPattern, makeDeviceCodes } from './device-codes.ts'
import type { DeviceUniverse } from './device-codes.ts'
import { codingOf, makeLayout } from './layout.ts'
import type { LaidField, Layout } from './layout.ts'

/** What there is besides packets. */
export interface PacketUniverse {
  readonly devices: DeviceUniverse
  /** What a kernel set means where its content is known; undefined makes it a free variable. */
  readonly ipsetMeaning?: (use: Extract<Predicate, { kind: 'ipset' }>) => Predicate | undefined
  /** Fields whose variables stand first, where another order than the usual one serves better. */
  readonly firstFields?: readonly LaidField[]
  /** How many nodes the sets may take; default 60 million (about 1.2 GB). */
  readonly nodeLimit?: number
  /** How many nodes to expect: room for them is made at once. */
  readonly expectedNodes?: number
}

/** See the file's header. */
export interface Space {
  readonly bdd: Bdd
  readonly layout: Layout
  readonly universe: PacketUniverse
  readonly sets: Map<Predicate, Edge>
  /** By the pattern's name: full names, and beginnings. */
  readonly deviceSets: Readonly<Record<'names' | 'prefixes', Map<string, Partial<Record<DeviceField, Edge>>>>>
  /** Free variables: level by key, and back. */
  readonly freeLevels: Map<string, number>
  readonly freeKeys: Map<number, { readonly key: string; readonly words: string }>
  readonly gates: Map<Gate, Edge>
  readonly cubeDraft: CubeDraft
  /** The next free level. */
  nextLevel: number
}

/** Why a packet may lack a field. */
export type Gate = 'ports' | 'spi' | 'tcp' | 'mss' | 'icmp' | 'icmp6' | 'mac' | 'owner' | 'connection'

/** Protocols with ports. */
export const PORT_PROTOCOLS: readonly number[] = [PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.dccp, PROTOCOL.sctp, PROTOCOL.udplite]

/** The protocols whose first fragments have what is behind a gate. */
export const GATE_PROTOCOLS: Readonly<Partial<Record<Gate, readonly number[]>>> = {
  ports: PORT_PROTOCOLS, spi: [PROTOCOL.esp, PROTOCOL.ah], tcp: [PROTOCOL.tcp], icmp: [PROTOCOL.icmp], icmp6: [PROTOCOL.icmpv6],
}

const GATES: Partial<Record<LaidField, Gate>> = {
  'l4.sport': 'ports', 'l4.dport': 'ports', 'l4.spi': 'spi', 'tcp.flags': 'tcp', 'tcp.options': 'tcp', 'tcp.mss': 'mss', 'icmp.type': 'icmp', 'icmp.code': 'icmp',
  'icmp6.type': 'icmp6', 'icmp6.code': 'icmp6', 'mac.src': 'mac', 'socket.uid': 'owner', 'socket.gid': 'owner',
  ...Object.fromEntries(Object.keys(FIELDS).filter(field => field.startsWith('ct.') && field !== 'ct.state').map(field => [field, 'connection'] as const)),
}

/** Literals collected so far: by level 0 = none, 1 = the bit is 0, 2 = it is 1; the first `count` of `levels` are those that have one. One for all cubes. */
export interface CubeDraft {
  literals: Uint8Array
  readonly levels: number[]
  count: number
}

/** Returns an empty draft. */
function makeCubeDraft(): CubeDraft {
  return { literals: new Uint8Array(1 << 12), levels: [], count: 0 }
}

/** Returns an empty space. */
export function makeSpace(family: Layout['family'], universe: PacketUniverse): Space {
  const layout = makeLayout(family, makeDeviceCodes(universe.devices), universe.firstFields)
  return {
    bdd: makeBdd(universe.nodeLimit ?? 60_000_000, universe.expectedNodes ?? 0), layout, universe, sets: new Map(), deviceSets: { names: new Map(), prefixes: new Map() }, freeLevels: new Map(), freeKeys: new Map(), gates: new Map(), cubeDraft: makeCubeDraft(), nextLevel: layout.owners.length,
  }
}

/** Returns what decides whether a packet has a field; undefined where every packet has it. */
export function gateOf(field: LaidField): Gate | undefined {
  return GATES[field]
}

/** Returns the packets that have what is behind a gate. */
export function gateEdge(space: Space, gate: Gate): Edge {
  const known = space.gates.get(gate)
  if (known !== undefined) return known
  const edge = makeGate(space, gate)
  space.gates.set(gate, edge)
  return edge
}

function makeGate(space: Space, gate: Gate): Edge {
  const { bdd } = space
  switch (gate) {
    case 'mac':
      return variable(bdd, codingOf(space.layout, 'mac.present').bits.first)
    case 'owner':
      return and(bdd, variable(bdd, codingOf(space.layout, 'socket.exists').bits.first), variable(bdd, codingOf(space.layout, 'socket.owned').bits.first))
    case 'connection':
      return rawField(space, 'ct.state', value => (Number(value) & (CT_STATE.NEW | CT_STATE.ESTABLISHED | CT_STATE.RELATED)) !== 0)
    case 'mss':
      return and(bdd, gateEdge(space, 'tcp'), underMask(bdd, codingOf(space.layout, 'tcp.options').bits, 4n, 4n))
    default: {
      const protocols = inRanges(bdd, codingOf(space.layout, 'ip.protocol').bits, joinRanges((GATE_PROTOCOLS[gate] ?? []).map(one => ({ low: BigInt(one), high: BigInt(one) }))))
      return and(bdd, protocols, variable(bdd, codingOf(space.layout, 'ip.fragmentOffset').bits.first) ^ 1)
    }
  }
}

/** Returns the packets that have the field, with a value in one of the ranges. */
export function rangesEdge(space: Space, field: NumberField, ranges: readonly ValueRange[]): Edge {
  return gated(space, field, rawRanges(space, field, joinRanges(ranges)))
}

/** Returns the packets that have the field, with (value & mask) === wanted. */
export function maskedEdge(space: Space, field: NumberField, mask: FieldValue, wanted: FieldValue): Edge {
  const coding = codingOf(space.layout, field)
  if (coding.kind === 'number' && field !== 'ct.direction') return gated(space, field, underMask(space.bdd, coding.bits, BigInt(mask), BigInt(wanted)))
  const isWanted = (value: FieldValue): boolean => (BigInt(value) & BigInt(mask)) === BigInt(wanted)
  if (coding.kind === 'table') return gated(space, field, rawField(space, field, isWanted))
  const { width } = fieldRow(field)
  const values = typeof width === 'number' ? Array.from({ length: 2 ** width }, (_, value) => value).filter(isWanted) : []
  return rangesEdge(space, field, values.map(value => ({ low: BigInt(value), high: BigInt(value) })))
}

/** Returns the packets whose device fits the pattern. */
export function deviceEdge(space: Space, field: DeviceField, pattern: DevicePattern): Edge {
  const sets = space.deviceSets[pattern.prefix ? 'prefixes' : 'names']
  const known = sets.get(pattern.name)?.[field]
  if (known !== undefined) return known
  const coding = codingOf(space.layout, field)
  invariant(coding.kind === 'device', 'a device field holds a device')
  const { devices } = coding
  const isKnown = pattern.prefix ? devices.codeOfPrefix.has(pattern.name) || devices.codeOfName.has(pattern.name) : devices.codeOfName.has(pattern.name)
  invariant(isKnown || space.universe.devices.isClosed || pattern.name.length > 15, `the universe knows the device pattern ${pattern.name}`)
  const edge = inTable(space.bdd, coding.bits, codesOfPattern(devices, pattern))
  sets.set(pattern.name, { ...sets.get(pattern.name), [field]: edge })
  return edge
}

/** Returns the packets whose device cannot be told from one of a name. */
export function likeDeviceEdge(space: Space, field: DeviceField, name: string): Edge {
  const coding = codingOf(space.layout, field)
  invariant(coding.kind === 'device', 'a device field holds a device')
  const { devices, bits } = coding
  const wanted = codeOfDevice(devices, name)
  return inTable(space.bdd, bits, Array.from({ length: 1 << bits.width }, (_, code) => Math.min(code, devices.classes.length - 1) === wanted))
}

/** Returns a free variable: the same for the same key. */
export function freeEdge(space: Space, key: string, words: string): Edge {
  const known = space.freeLevels.get(key)
  if (known !== undefined) return variable(space.bdd, known)
  const level = space.nextLevel++
  space.freeLevels.set(key, level)
  space.freeKeys.set(level, { key, words })
  return variable(space.bdd, level)
}

function gated(space: Space, field: LaidField, edge: Edge): Edge {
  const gate = gateOf(field)
  return gate === undefined ? edge : and(space.bdd, gateEdge(space, gate), edge)
}

function rawRanges(space: Space, field: NumberField, ranges: readonly ValueRange[]): Edge {
  const coding = codingOf(space.layout, field)
  const { bdd } = space
  if (field === 'ct.direction') return directionEdge(space, ranges)
  if (coding.kind === 'table') return rawField(space, field, value => ranges.some(({ low, high }) => low <= BigInt(value) && BigInt(value) <= high))
  if (coding.kind === 'offset') return offsetEdge(space, ranges)
  const top = (1n << BigInt(coding.bits.width)) - 1n
  return inRanges(bdd, coding.bits, ranges.filter(({ low, high }) => low <= top && high >= 0n).map(({ low, high }) => ({ low: low < 0n ? 0n : low, high: high > top ? top : high })))
}

function rawField(space: Space, field: NumberField, isIn: (value: FieldValue) => boolean): Edge {
  const coding = codingOf(space.layout, field)
  invariant(coding.kind === 'table', 'the field has a table')
  return inTable(space.bdd, coding.bits, coding.values.map(isIn))
}

/** Kernel: a NEW connection has only seen its original direction, so there the direction is no variable. */
function directionEdge(space: Space, ranges: readonly ValueRange[]): Edge {
  const { bdd } = space
  const isNew = rawField(space, 'ct.state', value => (Number(value) & CT_STATE.NEW) !== 0)
  const isReply = and(bdd, isNew ^ 1, variable(bdd, codingOf(space.layout, 'ct.direction').bits.first))
  const has = (value: bigint): boolean => ranges.some(({ low, high }) => low <= value && value <= high)
  return or(bdd, has(1n) ? isReply : ZERO, has(0n) ? isReply ^ 1 : ZERO)
}

/** Offsets are multiples of 8; after the first variable, 13 bits hold offset / 8, of which 0 is another spelling of 1. */
function offsetEdge(space: Space, ranges: readonly ValueRange[]): Edge {
  const { bits } = codingOf(space.layout, 'ip.fragmentOffset')
  const later = { first: bits.first + 1, width: bits.width - 1 }
  const units = joinRanges(ranges.flatMap(({ low, high }) => {
    const first = low <= 8n ? 1n : (low + 7n) / 8n
    const last = high > 65528n ? 8191n : high / 8n
    if (first > last) return []
    return [{ low: first === 1n ? 0n : first, high: last }]
  }))
  const isLater = variable(space.bdd, bits.first)
  const hasZero = ranges.some(({ low, high }) => low <= 0n && high >= 0n)
  return or(space.bdd, hasZero ? isLater ^ 1 : ZERO, and(space.bdd, isLater, inRanges(space.bdd, later, units)))
}

/** Returns every packet: all codes are in use. */
export const EVERY: Edge = ONE
