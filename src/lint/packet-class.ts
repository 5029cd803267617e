/**
 * A class of packets: of each field it is known that the packet lacks it, that it lies in a range, or nothing. Whether a predicate
 * holds is then true of the whole class, false of the whole class, or undefined; so what follows holds of every packet in it.
 */

import { assertNever } from '../diagnostics/diagnostic.ts'
import type { DeviceField, FieldValue, NumberField } from '../meaning/fields.ts'
import type { Predicate } from '../meaning/predicate.ts'
import type { Ternary } from '../meaning/subject.ts'
import type { Family } from '../net/address.ts'
import { deviceMatches } from '../net/device-name.ts'

/** What is known of a number field: the packet has none, or it lies between two values, both inclusive. */
export type Known = 'absent' | { readonly low: FieldValue; readonly high: FieldValue }

/** What is known of a device: its name, '' for "no device", or only which names it does not have. */
export type KnownDevice = string | { readonly not: readonly string[] }

/** A class of packets. A field or device that is not there is unknown. */
export interface PacketClass {
  readonly family: Family
  readonly fields: Readonly<Partial<Record<NumberField, Known>>>
  readonly devices: Readonly<Partial<Record<DeviceField, KnownDevice>>>
}

/** Returns "this value and no other". */
export function exactly(value: FieldValue): Known {
  return { low: value, high: value }
}

/** Returns the class with some fields known otherwise. */
export function withFields(packets: PacketClass, fields: PacketClass['fields'], devices: PacketClass['devices'] = {}): PacketClass {
  return { ...packets, fields: { ...packets.fields, ...fields }, devices: { ...packets.devices, ...devices } }
}

/** Returns a text that equal classes have and others have not. */
export function keyOfClass({ fields, devices }: PacketClass): string {
  return JSON.stringify([fields, devices], (_name, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))
}

/** Tells whether a predicate holds: of all packets of a class, of none, or undefined. */
export function holds(predicate: Predicate, packets: PacketClass): Ternary {
  switch (predicate.kind) {
    case 'always':
      return true
    case 'never':
      return false
    case 'within':
      return isWithin(packets.fields[predicate.field], predicate.low, predicate.high)
    case 'masked':
      return isMasked(packets.fields[predicate.field], predicate.mask, predicate.value)
    case 'device': {
      const device = packets.devices[predicate.field]
      if (device === undefined) return undefined
      if (typeof device !== 'string') return !predicate.pattern.prefix && device.not.includes(predicate.pattern.name) ? false : undefined
      return deviceMatches(predicate.pattern, device)
    }
    case 'ipset':
    case 'opaque':
      return undefined
    case 'not': {
      const inner = holds(predicate.of, packets)
      return inner === undefined ? undefined : !inner
    }
    case 'all':
      return joined(predicate.of, packets, false)
    case 'any':
      return joined(predicate.of, packets, true)
    default:
      return assertNever(predicate)
  }
}

/** A part that is `settling` settles the whole. */
function joined(parts: readonly Predicate[], packets: PacketClass, settling: boolean): Ternary {
  let result: Ternary = !settling
  for (const part of parts) {
    const value = holds(part, packets)
    if (value === settling) return settling
    if (value === undefined) result = undefined
  }
  return result
}

function isWithin(known: Known | undefined, low: FieldValue, high: FieldValue): Ternary {
  if (known === undefined) return undefined
  if (known === 'absent' || known.high < low || known.low > high) return false
  return known.low >= low && known.high <= high ? true : undefined
}

/** A mask of leading ones is a range; other masks are answered for single values. */
function isMasked(known: Known | undefined, mask: FieldValue, value: FieldValue): Ternary {
  if (known === undefined) return undefined
  if (known === 'absent') return false
  if (known.low === known.high) return typeof known.low === 'number' && typeof mask === 'number' ? (known.low & mask) >>> 0 === value : (BigInt(known.low) & BigInt(mask)) === BigInt(value)
  if (typeof mask === 'number' && typeof value === 'number') {
    const rest = ~mask >>> 0
    return (rest & (rest + 1)) === 0 ? isWithin(known, value, (value | rest) >>> 0) : undefined
  }
  const rest = ~BigInt(mask) & ((1n << 128n) - 1n)
  return (rest & (rest + 1n)) === 0n ? isWithin(known, BigInt(value), BigInt(value) | rest) : undefined
}

/** Returns the class of those packets of a class of which predicates hold, as far as ranges and names can say it: never too small a class. */
export function narrowed({ family, fields, devices }: PacketClass, predicates: readonly Predicate[]): PacketClass {
  const draft: Draft = { fields: { ...fields }, devices: { ...devices } }
  for (const predicate of predicates) narrow(draft, predicate)
  return { family, ...draft }
}

interface Draft {
  readonly fields: Partial<Record<NumberField, Known>>
  readonly devices: Partial<Record<DeviceField, KnownDevice>>
}

function narrow(draft: Draft, predicate: Predicate): void {
  switch (predicate.kind) {
    case 'all':
      for (const part of predicate.of) narrow(draft, part)
      return
    case 'within':
      draft.fields[predicate.field] = { low: predicate.low, high: predicate.high }
      return
    case 'masked': {
      const range = rangeOf(predicate.mask, predicate.value)
      if (range) draft.fields[predicate.field] = range
      return
    }
    case 'device':
      if (!predicate.pattern.prefix) draft.devices[predicate.field] = predicate.pattern.name
      return
    case 'not':
      if (predicate.of.kind === 'device' && !predicate.of.pattern.prefix) draft.devices[predicate.of.field] = withoutName(draft.devices[predicate.of.field], predicate.of.pattern.name)
      return
    default:
  }
}

function withoutName(known: KnownDevice | undefined, name: string): KnownDevice {
  return typeof known === 'string' ? known : { not: [...(known?.not ?? []), name] }
}

/** The range of the values under a mask of leading ones. */
function rangeOf(mask: FieldValue, value: FieldValue): Known | undefined {
  if (typeof mask === 'number' && typeof value === 'number') {
    const rest = ~mask >>> 0
    return (rest & (rest + 1)) === 0 ? { low: value, high: value + rest } : undefined
  }
  const rest = ~BigInt(mask) & ((1n << 128n) - 1n)
  return (rest & (rest + 1n)) === 0n ? { low: value, high: BigInt(value) + rest } : undefined
}
