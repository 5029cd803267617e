/** Fields forgotten and overwritten. A field that decides which other fields a packet has takes those with it. */

import { invariant } from '../diagnostics/diagnostic.ts'
import type { NumberField, FieldValue, DeviceField } from '../meaning/fields.ts'
import { and, choose, ONE, variable, ZERO } from './bdd.ts'
import type { Edge } from './bdd.ts'
import type { Cube } from './bdd-cubes.ts'
import { exists, substitute } from './bdd-quantify.ts'
import type { Bits } from './bdd-values.ts'
import { codeOfDevice } from './device-codes.ts'
import { codingOf, isDeviceField } from './layout.ts'
import type { LaidField } from './layout.ts'
import { gateEdge, gateOf } from './space.ts'
import type { Gate, Space } from './space.ts'

/** The gates that a field's value opens or shuts. */
const OPENS: Partial<Record<LaidField, readonly Gate[]>> = {
  'ct.state': ['connection'], 'ip.protocol': ['ports', 'spi', 'tcp', 'mss', 'icmp', 'icmp6'], 'ip.fragmentOffset': ['ports', 'spi', 'tcp', 'mss', 'icmp', 'icmp6'],
  'tcp.options': ['mss'], 'socket.exists': ['owner'], 'socket.owned': ['owner'], 'mac.present': ['mac'],
}

/** Fields that stand for "has it" go with what they are about. */
const PRESENCE: Partial<Record<LaidField, LaidField>> = { 'mac.src': 'mac.present' }

/** What is forgotten of a packet with a field: the levels of its own bits, and those of the fields that it decides about. */
interface Forgetting {
  readonly own: ReadonlySet<number>
  readonly decided: readonly { readonly gate: Gate; readonly levels: ReadonlySet<number> }[]
}

const forgettings = new WeakMap<Space, Map<LaidField, Forgetting>>()

/** Returns the packets that differ from one of the set in this field at most. */
export function forgetField(space: Space, edge: Edge, field: LaidField): Edge {
  const { own, decided } = forgettingOf(space, field)
  return decided.reduce((set, { gate, levels }) => choose(space.bdd, gateEdge(space, gate), set, exists(space.bdd, set, levels)), exists(space.bdd, edge, own))
}

/** Tells whether a cube has a literal of what is forgotten with some of the fields. */
export function asksForAny(space: Space, cube: Cube, fields: readonly LaidField[]): boolean {
  const sets = fields.flatMap(field => {
    const { own, decided } = forgettingOf(space, field)
    return [own, ...decided.map(({ levels }) => levels)]
  })
  return cube.some(literal => sets.some(levels => levels.has(literal >> 1)))
}

function forgettingOf(space: Space, field: LaidField): Forgetting {
  const bySpace = forgettings.get(space) ?? new Map<LaidField, Forgetting>()
  forgettings.set(space, bySpace)
  const known = bySpace.get(field)
  if (known) return known
  const presence = PRESENCE[field]
  const decided = (OPENS[field] ?? []).map(gate => ({ gate, levels: levelsOf(space, [...space.layout.codings.keys()].filter(one => gateOf(one) === gate)) }))
  const made = { own: levelsOf(space, presence ? [field, presence] : [field]), decided }
  bySpace.set(field, made)
  return made
}

/** Returns what becomes of the set when (field & mask) is overwritten with `value` in the packets that have the field. */
export function assignField(space: Space, edge: Edge, field: NumberField | DeviceField, mask: FieldValue, value: FieldValue | string): Edge {
  const { bdd } = space
  const bits = fixedBits(space, field, mask, value)
  const fixed = [...bits].reduce((set, [level, bit]) => and(bdd, set, variable(bdd, level) ^ (bit ? 0 : 1)), ONE)
  const isWhole = bits.size === codingOf(space.layout, field).bits.width
  const rewritten = (set: Edge): Edge => and(bdd, fixed, isWhole ? forgetField(space, set, field) : exists(bdd, set, new Set(bits.keys())))
  const gate = gateOf(field)
  if (gate === undefined) return rewritten(edge)
  const has = gateEdge(space, gate)
  return choose(bdd, has, rewritten(and(bdd, edge, has)), edge)
}

/** Returns the packets that overwriting (field & mask) with `value` brings into the set. */
export function preimageOfAssign(space: Space, edge: Edge, field: NumberField | DeviceField, mask: FieldValue, value: FieldValue | string): Edge {
  const functions = new Map([...fixedBits(space, field, mask, value)].map(([level, bit]) => [level, bit ? ONE : ZERO] as const))
  const gate = gateOf(field)
  const before = substitute(space.bdd, edge, functions)
  return gate === undefined ? before : choose(space.bdd, gateEdge(space, gate), before, edge)
}

/** Returns the levels of all variables of fields. */
export function levelsOf(space: Space, fields: readonly LaidField[]): Set<number> {
  return new Set(fields.flatMap(field => levelsOfBits(codingOf(space.layout, field).bits)))
}

function levelsOfBits({ first, width }: Bits): number[] {
  return Array.from({ length: width }, (_, bit) => first + bit)
}

/** Returns the bits that an assignment sets, by level. Fields coded by a table or as devices are assigned as a whole. */
function fixedBits(space: Space, field: NumberField | DeviceField, mask: FieldValue, value: FieldValue | string): Map<number, boolean> {
  const coding = codingOf(space.layout, field)
  const { bits } = coding
  const isWhole = coding.kind !== 'number'
  const code = codeOfValue(space, field, value)
  const taken = isWhole ? (1n << BigInt(bits.width)) - 1n : BigInt(mask)
  const fixed = new Map<number, boolean>()
  for (let bit = 0; bit < bits.width; bit++) {
    const place = 1n << BigInt(bits.width - 1 - bit)
    if ((taken & place) !== 0n) fixed.set(bits.first + bit, (code & place) !== 0n)
  }
  return fixed
}

/** Returns the code of a value that exists. */
export function codeOfValue(space: Space, field: NumberField | DeviceField, value: FieldValue | string): bigint {
  const coding = codingOf(space.layout, field)
  if (coding.kind === 'device') {
    invariant(isDeviceField(field) && typeof value === 'string', 'a device field takes a name')
    return BigInt(codeOfDevice(coding.devices, value) ?? 0)
  }
  invariant(typeof value !== 'string', 'a number field takes a number')
  if (coding.kind === 'table') {
    const index = coding.values.findIndex(one => BigInt(one) === BigInt(value))
    invariant(index !== -1, 'the value is one that the field can have')
    return BigInt(index)
  }
  return coding.kind === 'offset' ? (BigInt(value) === 0n ? 0n : 8192n + BigInt(value) / 8n) : BigInt(value)
}
