/** Values of a field for which literals hold. */

import type { FieldValue, NumberField } from '../meaning/fields.ts'
import type { Literal } from './literals.ts'

/** A literal about a number field. */
export interface FieldLiteral {
  readonly negated: boolean
  readonly low?: FieldValue
  readonly high?: FieldValue
  readonly mask?: FieldValue
  readonly value?: FieldValue
}

/** Returns the literals about one field. */
export function literalsOn(literals: readonly Literal[], field: NumberField): readonly FieldLiteral[] {
  return literals.flatMap(({ term, negated }): readonly FieldLiteral[] => {
    if (term.kind === 'within' && term.field === field) return [{ negated, low: term.low, high: term.high }]
    return term.kind === 'masked' && term.field === field ? [{ negated, mask: term.mask, value: term.value }] : []
  })
}

/** Tells whether all literals hold of a value; undefined is a packet without the field, of which no term holds. */
export function allHold(literals: readonly FieldLiteral[], value: FieldValue | undefined): boolean {
  return literals.every(literal => holds(literal, value) !== literal.negated)
}

/**
 * Returns values for which all literals hold, at most `count`, each once: usual ones first, then such as the literals themselves speak of.
 * `turn` moves on within ranges of addresses, so that packets with different turns have different ones.
 */
export function valuesFor(literals: readonly FieldLiteral[], usual: readonly FieldValue[], { turn, count }: { readonly turn: number; readonly count: number }): readonly FieldValue[] {
  const spoken = literals.flatMap(literal => spokenOf(literal, usual, turn))
  return [...new Set([...usual, ...spoken])].filter(value => allHold(literals, value)).slice(0, count)
}

function holds({ low, high, mask, value: wanted }: FieldLiteral, value: FieldValue | undefined): boolean {
  if (value === undefined) return false
  if (low !== undefined && high !== undefined) return low <= value && value <= high
  return mask !== undefined && wanted !== undefined && (BigInt(value) & BigInt(mask)) === BigInt(wanted)
}

function spokenOf({ low, high, mask, value }: FieldLiteral, usual: readonly FieldValue[], turn: number): readonly FieldValue[] {
  if (low !== undefined && high !== undefined) return [low, add(low, turn % 250), high, add(low, -1), add(high, 1), add(low, 1)].filter(isNatural)
  if (mask === undefined || value === undefined) return []
  const free = typeof value === 'number' ? ~Number(mask) >>> 0 : ~BigInt(mask) & ((1n << 128n) - 1n)
  const filled = [turn % 250, 1, 2].map(host => or(value, and(free, host)))
  const lowest = BigInt(mask) & -BigInt(mask)
  const turned = typeof value === 'number' ? Number((BigInt(value) ^ lowest) & 0xffffffffn) : value ^ lowest
  return [...usual.map(one => or(value, and(free, one))), ...filled, value, turned]
}

function add(value: FieldValue, by: number): FieldValue {
  return typeof value === 'number' ? value + by : value + BigInt(by)
}

function and(one: FieldValue, other: FieldValue): FieldValue {
  return typeof one === 'number' ? Number(BigInt(one) & BigInt(other)) : one & BigInt(other)
}

function or(one: FieldValue, other: FieldValue): FieldValue {
  return typeof one === 'number' ? Number(BigInt(one) | BigInt(other)) : one | BigInt(other)
}

function isNatural(value: FieldValue): boolean {
  return value >= 0
}
