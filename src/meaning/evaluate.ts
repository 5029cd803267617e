/**
 * One packet: whether a predicate holds of a subject. A predicate becomes a function once and is asked of many packets: the
 * formula is walked when the function is made, and what is left for each packet is reading and comparing.
 */

import { deviceMatches } from '../net/device-name.ts'
import { assertNever } from '../diagnostics/diagnostic.ts'
import { DEVICE_FIELDS, fieldRow } from './fields.ts'
import type { FieldRow, FieldValue } from './fields.ts'
import type { Predicate } from './predicate.ts'
import type { Subject, Ternary } from './subject.ts'

/** Whether a predicate holds; undefined where it depends on a free variable or set that nobody decided. */
export type PredicateTest = (subject: Subject) => Ternary

const tests = new WeakMap<Predicate, PredicateTest>()

/** Returns whether the predicate holds; undefined where it depends on a free variable or set that nobody decided. */
export function evaluate(predicate: Predicate, subject: Subject): Ternary {
  return testOf(predicate)(subject)
}

/** Returns the predicate as a function, made once for each predicate. */
export function testOf(predicate: Predicate): PredicateTest {
  const known = tests.get(predicate)
  if (known) return known
  const test = makeTest(predicate)
  tests.set(predicate, test)
  return test
}

/** Tells whether the predicate is decided by fields alone: its test never answers undefined, changes nothing and asks nobody. */
export function isDecidedByFields(predicate: Predicate): boolean {
  switch (predicate.kind) {
    case 'opaque':
    case 'ipset':
      return false
    case 'not':
      return isDecidedByFields(predicate.of)
    case 'all':
    case 'any':
      return predicate.of.every(isDecidedByFields)
    default:
      return true
  }
}

function makeTest(predicate: Predicate): PredicateTest {
  switch (predicate.kind) {
    case 'always':
      return () => true
    case 'never':
      return () => false
    case 'within':
      return withinTest(fieldRow(predicate.field), predicate.low, predicate.high)
    case 'masked':
      return maskedTest(fieldRow(predicate.field), predicate.mask, predicate.value)
    case 'device': {
      const { pattern, field } = predicate
      const { read } = DEVICE_FIELDS[field]
      return subject => deviceMatches(pattern, read(subject))
    }
    case 'ipset':
      return subject => subject.inIpset(predicate.name, predicate.directions, predicate.flags)
    case 'opaque':
      return subject => subject.decide(predicate.key) ?? predicate.ofPacket?.(subject)
    case 'not':
      return notTest(testOf(predicate.of))
    case 'all':
      return allTest(predicate.of.map(testOf))
    case 'any':
      return anyTest(predicate.of.map(testOf))
    default:
      return assertNever(predicate)
  }
}

/** Numbers and bigints have functions of their own: one that saw both would be slow for either. */
function withinTest({ read }: FieldRow, low: FieldValue, high: FieldValue): PredicateTest {
  if (typeof low === 'number' && typeof high === 'number') {
    if (low === high) return subject => read(subject) === low
    return subject => {
      const value = read(subject)
      return value !== undefined && low <= value && value <= high
    }
  }
  return subject => {
    const value = read(subject)
    return value !== undefined && low <= value && value <= high
  }
}

function maskedTest({ read }: FieldRow, mask: FieldValue, wanted: FieldValue): PredicateTest {
  if (typeof mask === 'number' && typeof wanted === 'number') {
    return subject => {
      const value = read(subject)
      return typeof value === 'number' && (value & mask) >>> 0 === wanted
    }
  }
  const [bits, result] = [BigInt(mask), BigInt(wanted)]
  return subject => {
    const value = read(subject)
    return value !== undefined && (BigInt(value) & bits) === result
  }
}

function notTest(inner: PredicateTest): PredicateTest {
  return subject => {
    const value = inner(subject)
    return value === undefined ? undefined : !value
  }
}

function allTest(parts: readonly PredicateTest[]): PredicateTest {
  return subject => {
    let result: Ternary = true
    for (const part of parts) {
      const value = part(subject)
      if (value === false) return false
      if (value === undefined) result = undefined
    }
    return result
  }
}

function anyTest(parts: readonly PredicateTest[]): PredicateTest {
  return subject => {
    let result: Ternary = false
    for (const part of parts) {
      const value = part(subject)
      if (value === true) return true
      if (value === undefined) result = undefined
    }
    return result
  }
}
