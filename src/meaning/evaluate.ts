/** One packet: whether a predicate holds of a subject. */

import { deviceMatches } from '../net/device-name.ts'
import { assertNever } from '../diagnostics/diagnostic.ts'
import { DEVICE_FIELDS, fieldRow } from './fields.ts'
import type { FieldValue } from './fields.ts'
import type { Predicate } from './predicate.ts'
import type { Subject, Ternary } from './subject.ts'

/** Returns whether the predicate holds; undefined where it depends on a free variable or set that nobody decided. */
export function evaluate(predicate: Predicate, subject: Subject): Ternary {
  switch (predicate.kind) {
    case 'always':
      return true
    case 'never':
      return false
    case 'within': {
      const value = fieldRow(predicate.field).read(subject)
      return value !== undefined && predicate.low <= value && value <= predicate.high
    }
    case 'masked': {
      const value = fieldRow(predicate.field).read(subject)
      return value !== undefined && andValues(value, predicate.mask) === predicate.value
    }
    case 'device':
      return deviceMatches(predicate.pattern, DEVICE_FIELDS[predicate.field].read(subject))
    case 'ipset':
      return subject.inIpset(predicate.name, predicate.directions, predicate.flags)
    case 'opaque':
      return subject.decide(predicate.key) ?? predicate.ofPacket?.(subject)
    case 'not': {
      const inner = evaluate(predicate.of, subject)
      return inner === undefined ? undefined : !inner
    }
    case 'all':
      return evaluateAll(predicate.of, subject)
    case 'any':
      return evaluateAny(predicate.of, subject)
    default:
      return assertNever(predicate)
  }
}

function evaluateAll(parts: readonly Predicate[], subject: Subject): Ternary {
  let result: Ternary = true
  for (const part of parts) {
    const value = evaluate(part, subject)
    if (value === false) return false
    if (value === undefined) result = undefined
  }
  return result
}

function evaluateAny(parts: readonly Predicate[], subject: Subject): Ternary {
  let result: Ternary = false
  for (const part of parts) {
    const value = evaluate(part, subject)
    if (value === true) return true
    if (value === undefined) result = undefined
  }
  return result
}

function andValues(value: FieldValue, mask: FieldValue): FieldValue {
  return typeof value === 'number' && typeof mask === 'number' ? (value & mask) >>> 0 : BigInt(value) & BigInt(mask)
}
