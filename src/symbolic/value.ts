/** What a field holds at some point of a packet's way, said by what the packet's fields held when it began. */

import { all, always, any, masked, never, not, within } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import type { FieldValue, NumberField } from '../meaning/fields.ts'

/** Bits of a field as it was at first: `(field & mask) << shift`; a negative shift goes to the right. */
export interface Slice {
  readonly field: NumberField
  readonly mask: bigint
  readonly shift: number
}

/**
 * A value: `flip` xor all slices, then each of `adjusts` added in turn and kept within 0..255 (only ttl has them). A constant has no
 * slices; a field that nobody touched is one slice of itself.
 */
export interface Value {
  readonly width: number
  readonly flip: bigint
  readonly slices: readonly Slice[]
  readonly adjusts: readonly number[]
}

const TTL_MOST = 255

/** Returns the value that a field had at first. */
export function originalValue(field: NumberField, width: number): Value {
  return { width, flip: 0n, slices: [{ field, mask: maskOfWidth(width), shift: 0 }], adjusts: [] }
}

/** Returns a value that is the same for every packet. */
export function constantValue(width: number, value: FieldValue): Value {
  return { width, flip: BigInt(value) & maskOfWidth(width), slices: [], adjusts: [] }
}

/** Returns the constant that a value is, undefined where it depends on the packet. */
export function constantOf(value: Value): bigint | undefined {
  return value.slices.length === 0 ? value.adjusts.reduce((sum, by) => clampTtl(sum + BigInt(by)), value.flip) : undefined
}

/** Returns `value & mask`. Only for values without adjusts. */
export function maskValue(value: Value, mask: bigint): Value {
  if ((mask & maskOfWidth(value.width)) === 0n) return constantValue(value.width, 0)
  const slices = value.slices.flatMap(slice => {
    const kept = slice.mask & shiftBits(mask, -slice.shift)
    return kept === 0n ? [] : [{ ...slice, mask: kept }]
  })
  return { ...value, flip: value.flip & mask, slices }
}

/** Returns the bitwise exclusive or of two values. Only for values without adjusts. */
export function xorValues(one: Value, other: Value): Value {
  const slices = [...one.slices]
  for (const slice of other.slices) {
    const at = slices.findIndex(known => known.field === slice.field && known.shift === slice.shift)
    const known = slices[at]
    if (!known) slices.push(slice)
    else if (known.mask === slice.mask) slices.splice(at, 1)
    else slices[at] = { ...known, mask: known.mask ^ slice.mask }
  }
  return { ...one, flip: one.flip ^ other.flip, slices }
}

/** Returns a value shifted to the left (negative: to the right), what leaves its width being lost. */
export function shiftValue(value: Value, by: number): Value {
  const mask = maskOfWidth(value.width)
  const slices = value.slices.flatMap(slice => {
    const shift = slice.shift + by
    const kept = slice.mask & shiftBits(mask, -shift)
    return kept === 0n ? [] : [{ ...slice, mask: kept, shift }]
  })
  return { ...value, flip: shiftBits(value.flip, by) & mask, slices }
}

/** Returns a ttl plus `by`, at least 0 and at most 255. */
export function adjustValue(value: Value, by: number): Value {
  if (by === 0) return value
  const constant = constantOf(value)
  return constant === undefined ? { ...value, adjusts: [...value.adjusts, by] } : constantValue(value.width, clampTtl(constant + BigInt(by)))
}

/** Returns a text that is equal for equal values only. */
export function keyOfValue(value: Value): string {
  const constant = constantOf(value)
  if (constant !== undefined) return constant.toString(16)
  return `${value.flip.toString(16)}${value.slices.map(({ field, mask, shift }) => `^${field}&${mask.toString(16)}<${shift}`).join('')}${value.adjusts.map(by => `+${by}`).join('')}`
}

/** Returns what a value is for one packet, `read` telling its fields as they were at first; undefined where it lacks one. */
export function valueFor(value: Value, read: (field: NumberField) => FieldValue | undefined): bigint | undefined {
  let result = value.flip
  for (const { field, mask, shift } of value.slices) {
    const from = read(field)
    if (from === undefined) return undefined
    result ^= shiftBits(BigInt(from) & mask, shift)
  }
  return value.adjusts.reduce((sum, by) => clampTtl(sum + BigInt(by)), result)
}

/** Returns what must hold of the packet at first so that the value lies between two numbers, both included. */
export function valueWithin(value: Value, low: bigint, high: bigint): Predicate {
  const constant = constantOf(value)
  if (constant !== undefined) return low <= constant && constant <= high ? always : never
  const [from, to] = value.adjusts.reduceRight(([least, most], by) => [least <= 0n ? 0n : least - BigInt(by), most >= BigInt(TTL_MOST) ? BigInt(TTL_MOST) : most - BigInt(by)], [low, high] as readonly [bigint, bigint])
  if (to < 0n || from > to) return never
  const [slice] = value.slices
  if (slice && value.slices.length === 1 && value.flip === 0n && slice.shift === 0 && slice.mask === maskOfWidth(value.width)) return within(slice.field, fieldNumber(from < 0n ? 0n : from, value.width), fieldNumber(to, value.width))
  return any(prefixesOf(from < 0n ? 0n : from, to, value.width).map(({ mask, bits }) => valueMasked({ ...value, adjusts: [] }, mask, bits)))
}

/** Returns what must hold of the packet at first so that `value & mask === bits`. */
export function valueMasked(value: Value, mask: bigint, bits: bigint): Predicate {
  const constant = constantOf(value)
  if (constant !== undefined) return (constant & mask) === bits ? always : never
  if (value.adjusts.length > 0) return any(adjustedMasked(value, mask, bits))
  const covered = value.slices.reduce((sum, slice) => sum | (shiftBits(slice.mask, slice.shift) & mask), 0n)
  const wanted = bits ^ (value.flip & mask)
  if ((wanted & ~covered) !== 0n) return never
  const once = value.slices.map(slice => shiftBits(slice.mask, slice.shift) & mask)
  const shared = sharedBits(once)
  const parts = value.slices.map((slice, index) => {
    const own = (once[index] ?? 0n) & ~shared
    return own === 0n ? always : masked(slice.field, fieldNumber(shiftBits(own, -slice.shift), value.width), fieldNumber(shiftBits(wanted & own, -slice.shift), value.width))
  })
  return all([...parts, ...bitsOf(shared).map(bit => parityIs(value.slices, bit, (wanted & bit) !== 0n))])
}

/**
 * Returns what must hold of the packet at first so that two values are equal. Values that come from different fields, such as an
 * address that nat draws and the packet's own, are taken to differ: that all their bits agree is no set that a diagram can hold.
 */
export function valuesEqual(one: Value, other: Value): Predicate {
  if (keyOfValue(one) === keyOfValue(other)) return always
  if (one.slices.some(slice => other.slices.some(from => from.field !== slice.field))) return never
  const [left, right] = [constantOf(one), constantOf(other)]
  if (left !== undefined) return valueMaskedOrWithin(other, left)
  if (right !== undefined) return valueMaskedOrWithin(one, right)
  if (one.adjusts.length > 0 || other.adjusts.length > 0) return any(Array.from({ length: TTL_MOST + 1 }, (_, ttl) => all([valueWithin(one, BigInt(ttl), BigInt(ttl)), valueWithin(other, BigInt(ttl), BigInt(ttl))])))
  return valueMasked(xorValues(one, other), maskOfWidth(one.width), 0n)
}

function valueMaskedOrWithin(value: Value, constant: bigint): Predicate {
  return value.adjusts.length > 0 ? valueWithin(value, constant, constant) : valueMasked(value, maskOfWidth(value.width), constant)
}

function adjustedMasked(value: Value, mask: bigint, bits: bigint): readonly Predicate[] {
  const fitting = Array.from({ length: TTL_MOST + 1 }, (_, ttl) => BigInt(ttl)).filter(ttl => (ttl & mask) === bits)
  return fitting.map(ttl => valueWithin(value, ttl, ttl))
}

/** A bit that several slices make is their exclusive or. */
function parityIs(slices: readonly Slice[], bit: bigint, isSet: boolean): Predicate {
  const tests = slices.flatMap(slice => {
    const source = shiftBits(bit, -slice.shift) & slice.mask
    return source === 0n ? [] : [not(masked(slice.field, fieldNumber(source, 32), 0))]
  })
  const parity = tests.reduce<Predicate>((sum, test) => any([all([sum, not(test)]), all([not(sum), test])]), never)
  return isSet ? parity : not(parity)
}

function sharedBits(masks: readonly bigint[]): bigint {
  let seen = 0n
  let shared = 0n
  for (const mask of masks) {
    shared |= seen & mask
    seen |= mask
  }
  return shared
}

function bitsOf(mask: bigint): readonly bigint[] {
  const bits: bigint[] = []
  for (let rest = mask; rest !== 0n; rest &= rest - 1n) bits.push(rest & -rest)
  return bits
}

/** The fewest prefixes that make up a range. */
function prefixesOf(low: bigint, high: bigint, width: number): readonly { readonly mask: bigint; readonly bits: bigint }[] {
  const prefixes: { mask: bigint; bits: bigint }[] = []
  const full = maskOfWidth(width)
  for (let at = low; at <= high; ) {
    let size = at === 0n ? full + 1n : at & -at
    while (at + size - 1n > high) size >>= 1n
    prefixes.push({ mask: full & ~(size - 1n), bits: at })
    at += size
  }
  return prefixes
}

function clampTtl(value: bigint): bigint {
  return value < 0n ? 0n : value > BigInt(TTL_MOST) ? BigInt(TTL_MOST) : value
}

function shiftBits(value: bigint, by: number): bigint {
  return by >= 0 ? value << BigInt(by) : value >> BigInt(-by)
}

function maskOfWidth(width: number): bigint {
  return (1n << BigInt(width)) - 1n
}

/** Numbers up to 32 bits are numbers, wider ones bigints, as fields have them. */
function fieldNumber(value: bigint, width: number): FieldValue {
  return width > 32 ? value : Number(value)
}
