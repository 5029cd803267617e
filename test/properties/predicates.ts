/** Random predicates over every field: fast-check arbitraries. */

import fc from 'fast-check'
import { DEVICE_FIELDS, FIELDS, fieldRow } from '../../src/meaning/fields.ts'
import type { DeviceField, FieldValue, NumberField } from '../../src/meaning/fields.ts'
import { all, always, any, masked, never, not, onDevice, opaque, within } from '../../src/meaning/predicate.ts'
import type { Predicate } from '../../src/meaning/predicate.ts'
import type { Family } from '../../src/net/address.ts'
import { addresses, DEVICES, numbers } from './subjects.ts'

/** The prefixes that random device patterns use. */
export const PREFIXES = ['eth', 'eth1', 'br-', 'w'] as const

const fields = Object.keys(FIELDS) as NumberField[]
const deviceFields = Object.keys(DEVICE_FIELDS) as DeviceField[]

/** Returns single terms, each field as often as any other. */
export function terms(family: Family): fc.Arbitrary<Predicate> {
  const number = fc.constantFrom(...fields).chain(field => {
    const values = valuesOf(field, family)
    return fc.oneof(
      fc.tuple(values, values).map(([one, other]) => (one <= other ? within(field, one, other) : within(field, other, one))),
      values.map(value => within(field, value, value)),
      fc.tuple(values, values).map(([mask, value]) => masked(field, mask, andValues(mask, value))),
    )
  })
  return fc.oneof(
    { weight: 8, arbitrary: number },
    { weight: 2, arbitrary: fc.constantFrom(...deviceFields).chain(deviceTerms) },
    { weight: 1, arbitrary: fc.constantFrom('-m string a', '-m bpf b', '-m limit ccc').map(words => opaque(words, words)) },
    { weight: 1, arbitrary: fc.constantFrom<Predicate>({ kind: 'ipset', name: 'blocked', directions: ['src'], flags: [] }, always, never) },
  )
}

/** Returns terms about one device of a packet. */
export function deviceTerms(field: DeviceField): fc.Arbitrary<Predicate> {
  const patterns = fc.oneof(fc.constantFrom(...DEVICES).map(name => ({ name, prefix: false })), fc.constantFrom(...PREFIXES).map(name => ({ name, prefix: true })))
  return patterns.map(pattern => onDevice(field, pattern))
}

/** Returns formulas of some depth. */
export function predicates(family: Family): fc.Arbitrary<Predicate> {
  return formulasOf(terms(family))
}

/** Returns formulas of some depth about such terms. */
export function formulasOf(term: fc.Arbitrary<Predicate>): fc.Arbitrary<Predicate> {
  return fc.letrec<{ formula: Predicate }>(tie => ({
    formula: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      term,
      tie('formula').map(not),
      fc.array(tie('formula'), { maxLength: 4 }).map(all),
      fc.array(tie('formula'), { maxLength: 4 }).map(any),
    ),
  })).formula
}

function valuesOf(field: NumberField, family: Family): fc.Arbitrary<FieldValue> {
  const { width } = fieldRow(field)
  if (width === 'address') return addresses(family)
  if (width <= 32) return numbers(width)
  const top = (1n << BigInt(width)) - 1n
  return fc.oneof(fc.bigInt({ min: 0n, max: top }), fc.constantFrom(4n, 2n, 0x020000000001n, top))
}

function andValues(one: FieldValue, other: FieldValue): FieldValue {
  return typeof one === 'number' && typeof other === 'number' ? (one & other) >>> 0 : BigInt(one) & BigInt(other)
}
