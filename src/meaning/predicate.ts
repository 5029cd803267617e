/**
 * What a match means, as data. A predicate is a formula over fields; it is built by the smart constructors below, which keep it
 * small (no empty `all`, no double `not`), and read by evaluate.ts, in-words.ts and, as a set, by the analyses.
 */

import type { DevicePattern } from '../net/device-name.ts'
import type { DeviceField, FieldValue, NumberField } from './fields.ts'
import type { Subject, Ternary } from './subject.ts'

/** One of the directions in which a kernel set looks at a packet. */
export type IpsetDirection = 'src' | 'dst'

/** A formula over the fields of a packet, its connection and its place. A field that a packet lacks satisfies no term. */
export type Predicate =
  | { readonly kind: 'always' }
  | { readonly kind: 'never' }
  /** low <= field <= high. */
  | { readonly kind: 'within'; readonly field: NumberField; readonly low: FieldValue; readonly high: FieldValue }
  /** (field & mask) === value. */
  | { readonly kind: 'masked'; readonly field: NumberField; readonly mask: FieldValue; readonly value: FieldValue }
  | { readonly kind: 'device'; readonly field: DeviceField; readonly pattern: DevicePattern }
  /** The packet's addresses, ports or marks are in a kernel set; what is in it comes from outside the ruleset. */
  | { readonly kind: 'ipset'; readonly name: string; readonly directions: readonly IpsetDirection[]; readonly flags: readonly string[] }
  /**
   * What fields cannot say: a free variable. Equal keys are the same variable; `words` say it in messages. `ofPacket` answers for one
   * packet where that can be known; what is decided about the variable goes before it.
   */
  | { readonly kind: 'opaque'; readonly key: string; readonly words: string; readonly ofPacket?: (subject: Subject) => Ternary }
  | { readonly kind: 'not'; readonly of: Predicate }
  | { readonly kind: 'all'; readonly of: readonly Predicate[] }
  | { readonly kind: 'any'; readonly of: readonly Predicate[] }

/** True of every packet. */
export const always: Predicate = { kind: 'always' }

/** True of no packet. */
export const never: Predicate = { kind: 'never' }

/** Returns `low <= field <= high`; `never` where low is above high. */
export function within(field: NumberField, low: FieldValue, high: FieldValue): Predicate {
  return low > high ? never : { kind: 'within', field, low, high }
}

/** Returns `field === value`. */
export function equals(field: NumberField, value: FieldValue): Predicate {
  return { kind: 'within', field, low: value, high: value }
}

/** Returns `(field & mask) === value`, compared as the kernel does: `never` where value has bits outside mask. */
export function masked(field: NumberField, mask: FieldValue, value: FieldValue): Predicate {
  if (hasBitsOutside(value, mask)) return never
  return mask === 0 || mask === 0n ? always : { kind: 'masked', field, mask, value }
}

function hasBitsOutside(value: FieldValue, mask: FieldValue): boolean {
  if (typeof value === 'number' && typeof mask === 'number' && value <= 0xffffffff && mask <= 0xffffffff) return (value & ~mask) !== 0
  return (BigInt(value) & ~BigInt(mask)) !== 0n
}

/** Returns `(field & mask) !== 0`, for fields whose bits are a choice of several. */
export function hasAnyBit(field: NumberField, mask: number): Predicate {
  return not(masked(field, mask, 0))
}

/** Returns "the device's name fits the pattern". */
export function onDevice(field: DeviceField, pattern: DevicePattern): Predicate {
  return pattern.prefix && pattern.name === '' ? always : { kind: 'device', field, pattern }
}

/** Returns a free variable; see `Predicate`. */
export function opaque(key: string, words: string, ofPacket?: (subject: Subject) => Ternary): Predicate {
  return { kind: 'opaque', key, words, ...(ofPacket ? { ofPacket } : {}) }
}

/** Returns the negation. */
export function not(of: Predicate): Predicate {
  if (of.kind === 'always') return never
  if (of.kind === 'never') return always
  return of.kind === 'not' ? of.of : { kind: 'not', of }
}

/** Returns the conjunction; of nothing: always. */
export function all(of: readonly Predicate[]): Predicate {
  const parts: Predicate[] = []
  for (const part of of) {
    if (part.kind === 'never') return never
    if (part.kind === 'all') parts.push(...part.of)
    else if (part.kind !== 'always') parts.push(part)
  }
  // An array of just their number: every rule keeps one.
  return parts.length === 0 ? always : parts.length === 1 && parts[0] ? parts[0] : { kind: 'all', of: parts.slice() }
}

/** Returns the disjunction; of nothing: never. */
export function any(of: readonly Predicate[]): Predicate {
  const parts = of.flatMap(part => (part.kind === 'any' ? part.of : part.kind === 'never' ? [] : [part]))
  if (parts.some(part => part.kind === 'always')) return always
  return parts.length === 0 ? never : parts.length === 1 && parts[0] ? parts[0] : { kind: 'any', of: parts }
}
