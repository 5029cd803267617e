/**
 * Where each field lies among the variables, and how its values are coded. No code is invalid and no field is ever inconsistent with
 * another: a field that a packet lacks is one of which no set depends there, and spare codes are other spellings of a code in use.
 */

import { invariant } from '../diagnostics/diagnostic.ts'
import { ADDRESS_TYPE, CT_STATE, DEVICE_FIELDS, FIELDS, PACKET_TYPE } from '../meaning/fields.ts'
import type { DeviceField, FieldValue, NumberField } from '../meaning/fields.ts'
import type { Family } from '../net/address.ts'
import type { Bits } from './bdd-values.ts'
import type { DeviceCodes } from './device-codes.ts'

/** Variables that tell whether a packet has something that no other field tells. */
export type PresenceField = 'mac.present' | 'socket.owned'

/** Whatever lies in variables. */
export type LaidField = NumberField | DeviceField | PresenceField

/**
 * How a field is coded: the number itself; an index into a table (values may stand at several indices); a fragment offset, one variable
 * for "not 0" and 13 for offset / 8; a device, an index into the universe's devices.
 */
export type Coding =
  | { readonly kind: 'number'; readonly bits: Bits }
  | { readonly kind: 'table'; readonly bits: Bits; readonly values: readonly FieldValue[] }
  | { readonly kind: 'offset'; readonly bits: Bits }
  | { readonly kind: 'device'; readonly bits: Bits; readonly devices: DeviceCodes }

/** The variables of all fields. */
export interface Layout {
  readonly family: Family
  readonly codings: ReadonlyMap<LaidField, Coding>
  /** The field of each level. */
  readonly owners: readonly LaidField[]
}

/** First to last; measured, see README.md. What rules test together lies together, what is seldom tested lies below. */
export const FIELD_ORDER: readonly LaidField[] = [
  'ct.state', 'device.in', 'device.out', 'ip.protocol', 'ip.fragmentOffset', 'ip.src', 'ip.dst', 'l4.dport', 'l4.sport', 'icmp.type', 'icmp.code', 'icmp6.type', 'icmp6.code',
  'tcp.flags', 'mark', 'addressType.dst', 'addressType.src', 'packetType', 'ip.moreFragments', 'ip.length', 'ip.ttl', 'ip.tos', 'mac.present', 'mac.src',
  'bridge.forwarded', 'bridge.in', 'bridge.out', 'socket.exists', 'socket.owned', 'socket.uid', 'socket.gid', 'l4.spi',
  'ct.direction', 'ct.status', 'ct.mark', 'ct.expires', 'ct.protocol', 'ct.original.src', 'ct.original.dst', 'ct.original.dport', 'ct.original.sport',
  'ct.reply.src', 'ct.reply.dst', 'ct.reply.sport', 'ct.reply.dport',
  'addressType.src.in', 'addressType.dst.in', 'addressType.src.out', 'addressType.dst.out', 'tcp.mss', 'tcp.options',
]

/** Bits: connected; then new, or untracked where it is not connected; then related; then source translated, destination translated. */
const STATES: readonly number[] = Array.from({ length: 32 }, (_, code) => {
  if ((code & 16) === 0) return code & 8 ? CT_STATE.UNTRACKED : CT_STATE.INVALID
  const base = code & 8 ? CT_STATE.NEW : code & 4 ? CT_STATE.RELATED : CT_STATE.ESTABLISHED
  return base | (code & 2 ? CT_STATE.SNAT : 0) | (code & 1 ? CT_STATE.DNAT : 0)
})

/** Fields of which only some values exist. */
const TABLES: Partial<Record<LaidField, readonly FieldValue[]>> = {
  'ct.state': STATES,
  packetType: filled(Object.values(PACKET_TYPE), 8),
  ...Object.fromEntries(Object.keys(FIELDS).filter(field => field.startsWith('addressType.')).map(field => [field, filled(Object.values(ADDRESS_TYPE), 16)])),
}

/** Returns the layout for a family and the devices of a universe; `firstFields` stand before all others. */
export function makeLayout(family: Family, devices: DeviceCodes, firstFields: readonly LaidField[] = []): Layout {
  const codings = new Map<LaidField, Coding>()
  const owners: LaidField[] = []
  for (const field of new Set([...firstFields, ...FIELD_ORDER])) {
    const bits = { first: owners.length, width: widthOf(field, family, devices) }
    codings.set(field, makeCoding(field, bits, devices))
    for (let bit = 0; bit < bits.width; bit++) owners.push(field)
  }
  return { family, codings, owners }
}

/** Returns the coding of a field. */
export function codingOf(layout: Layout, field: LaidField): Coding {
  const coding = layout.codings.get(field)
  invariant(coding, 'every field has its variables')
  return coding
}

/** Tells whether a field holds a device. */
export function isDeviceField(field: LaidField): field is DeviceField {
  return field in DEVICE_FIELDS
}

/** Tells whether a field is one of `FIELDS`. */
export function isNumberField(field: LaidField): field is NumberField {
  return field in FIELDS
}

function makeCoding(field: LaidField, bits: Bits, devices: DeviceCodes): Coding {
  const values = TABLES[field]
  if (values) return { kind: 'table', bits, values }
  if (isDeviceField(field)) return { kind: 'device', bits, devices }
  return { kind: field === 'ip.fragmentOffset' ? 'offset' : 'number', bits }
}

function widthOf(field: LaidField, family: Family, devices: DeviceCodes): number {
  const values = TABLES[field]
  if (values) return Math.log2(values.length)
  if (isDeviceField(field)) return devices.width
  if (field === 'ip.fragmentOffset') return 14
  if (!isNumberField(field)) return 1
  const { width } = FIELDS[field]
  return width === 'address' ? (family === 'ipv4' ? 32 : 128) : width
}

function filled(values: readonly number[], length: number): readonly number[] {
  return Array.from({ length }, (_, index) => values[Math.min(index, values.length - 1)] ?? 0)
}
