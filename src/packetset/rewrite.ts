/**
 * What became of a packet so far, as functions of what it was: each rewritten bit is a function of the original packet. Sets of the
 * packet as it is now are read back as sets of original packets, exactly, for constants, copies, masks and sums alike.
 */

import type { AssignedField } from '../meaning/effect.ts'
import type { FieldValue, NumberField } from '../meaning/fields.ts'
import { and, choose, ONE, or, variable, ZERO } from './bdd.ts'
import type { Edge } from './bdd.ts'
import { exists, substitute } from './bdd-quantify.ts'
import { inRanges } from './bdd-values.ts'
import { codeOfValue } from './forget.ts'
import { codingOf } from './layout.ts'
import type { LaidField } from './layout.ts'
import { gateEdge, gateOf } from './space.ts'
import type { Space } from './space.ts'

/** A field that targets write and rules can ask about. */
export type RewrittenField = Exclude<AssignedField, 'priority'>

/** A rewriting; equal ones are the same object. */
export interface Rewriting {
  /** The bits that differ from the original, by level. */
  readonly bits: ReadonlyMap<number, Edge>
  /** Sets read back before. */
  readonly known: Map<Edge, Edge>
}

/** Finds equal rewritings again. */
export type Rewritings = Map<string, Rewriting>

/** Returns the rewriting that changes nothing. */
export function noRewriting(rewritings: Rewritings): Rewriting {
  return intern(rewritings, new Map())
}

/** Returns the set of original packets that are in `edge` after the rewriting. */
export function readBack(space: Space, edge: Edge, rewriting: Rewriting): Edge {
  return substitute(space.bdd, edge, rewriting.bits, rewriting.known)
}

/**
 * Returns what the packets of a set have become. Bits that are constant or turned round are so in place; of other bits the relation of
 * before and after is built, which is small for sums of 8 bits and can be too big for 32 bits copied from another field.
 */
export function imageUnder(space: Space, edge: Edge, rewriting: Rewriting): Edge {
  const { bdd } = space
  const bits = [...rewriting.bits]
  const turned = new Map(bits.filter(([level, bit]) => bit === (variable(bdd, level) ^ 1)))
  const constant = new Map(bits.filter(([, bit]) => bit >> 1 === 0))
  const related = relate(space, substitute(bdd, edge, turned), bits.filter(([level]) => !turned.has(level) && !constant.has(level)), new Set(constant.keys()))
  return [...constant].reduce((set, [level, bit]) => and(bdd, set, bit === ONE ? variable(bdd, level) : variable(bdd, level) ^ 1), related)
}

function relate(space: Space, edge: Edge, bits: readonly (readonly [number, Edge])[], forgotten: ReadonlySet<number>): Edge {
  const { bdd } = space
  const fresh = new Map(bits.map(([level]) => [level, freshLevel(space)]))
  const relation = bits.reduce((set, [level, bit]) => {
    const now = variable(bdd, fresh.get(level) ?? level)
    return and(bdd, set, choose(bdd, bit, now, now ^ 1))
  }, edge)
  const after = exists(bdd, relation, new Set([...forgotten, ...fresh.keys()]))
  return substitute(bdd, after, new Map([...fresh].map(([level, now]) => [now, variable(bdd, level)])))
}

/** Returns `first`, and `next` after it. */
export function compose(space: Space, rewritings: Rewritings, first: Rewriting, next: Rewriting): Rewriting {
  if (next.bits.size === 0 || first.bits.size === 0) return first.bits.size === 0 ? next : first
  const bits = new Map(first.bits)
  for (const [level, bit] of next.bits) bits.set(level, readBack(space, bit, first))
  return intern(rewritings, cleaned(space, bits))
}

/** Returns the rewriting "field := (field & ~clear) ^ flip", as `assignedValue` of meaning/effect.ts; shifts go to the left, negative ones to the right. */
export function assigning(space: Space, rewritings: Rewritings, field: RewrittenField, how: Assignment): Rewriting {
  const { width } = codingOf(space.layout, field).bits
  const own = bitsOf(space, field).map((bit, index) => xorBit(bitOfMask(how.clear, index) ? ZERO : bit, !how.from && bitOfMask(how.flip, index)))
  const shift = how.shift ?? 0
  const taken = how.from ? shifted(bitsOf(space, how.from.field).map((bit, index) => (bitOfMask(how.from?.mask ?? 0, index) ? bit : ZERO)), shift, 32) : undefined
  const result = taken ? own.map((bit, index) => xorEdges(space, bit, taken[index] ?? ZERO)) : shifted(own, shift, width)
  return rewritingOf(space, rewritings, field, result, how.from?.field)
}

/** See `Effect` of kind `assign`. */
export interface Assignment {
  readonly clear: number
  readonly flip: number
  readonly from?: { readonly field: RewrittenField; readonly mask: number }
  readonly shift?: number
}

/** Returns the rewriting "field := field + by, at least 0, at most its greatest value". */
export function adjusting(space: Space, rewritings: Rewritings, field: 'ip.ttl', by: number): Rewriting {
  const { bits } = codingOf(space.layout, field)
  const top = 2 ** bits.width - 1
  const after = Array.from({ length: top + 1 }, (_, value) => Math.min(top, Math.max(0, value + by)))
  const functions = Array.from({ length: bits.width }, (_, bit) => {
    const ranges = after.flatMap((value, before) => ((value >> bit) & 1 ? [{ low: BigInt(before), high: BigInt(before) }] : []))
    return inRanges(space.bdd, bits, ranges)
  })
  return rewritingOf(space, rewritings, field, functions, undefined)
}

/** Returns the rewriting "field := value" of packets that have the field. */
export function setting(space: Space, rewritings: Rewritings, field: NumberField, value: FieldValue): Rewriting {
  const code = codeOfValue(space, field, value)
  const { width } = codingOf(space.layout, field).bits
  return rewritingOf(space, rewritings, field, Array.from({ length: width }, (_, bit) => ((code >> BigInt(bit)) & 1n ? ONE : ZERO)), undefined)
}

/** A rewriting to a value that is not known: `choices` says which it may be, in variables of its own. */
export interface Choice {
  readonly rewriting: Rewriting
  readonly choices: Edge
}

/** Returns the rewriting "field := any value from low to high": each call has fresh variables. */
export function choosing(space: Space, rewritings: Rewritings, field: NumberField, low: FieldValue, high: FieldValue): Choice {
  const { width } = codingOf(space.layout, field).bits
  const first = space.nextLevel
  const levels = Array.from({ length: width }, () => freshLevel(space))
  const bits = levels.map(level => variable(space.bdd, level)).reverse()
  return { rewriting: rewritingOf(space, rewritings, field, bits, undefined), choices: inRanges(space.bdd, { first, width }, [{ low: BigInt(low), high: BigInt(high) }]) }
}

/** Returns the value that a rewriting gives to a field whatever it was, undefined where it leaves any of it. */
export function constantOf(space: Space, rewriting: Rewriting, field: NumberField): bigint | undefined {
  const { bits } = codingOf(space.layout, field)
  let value = 0n
  for (let bit = 0; bit < bits.width; bit++) {
    const edge = rewriting.bits.get(bits.first + bit)
    if (edge !== ONE && edge !== ZERO) return undefined
    value = value * 2n + (edge === ONE ? 1n : 0n)
  }
  return value
}

/** Tells whether a rewriting touches the field. */
export function rewrites(space: Space, rewriting: Rewriting, field: LaidField): boolean {
  const { first, width } = codingOf(space.layout, field).bits
  return [...rewriting.bits.keys()].some(level => first <= level && level < first + width)
}

/** Returns the packets of which the rewriting changes a bit. */
export function changedBy({ bdd }: Space, rewriting: Rewriting): Edge {
  return [...rewriting.bits].reduce<Edge>((set, [level, bit]) => or(bdd, set, choose(bdd, variable(bdd, level), bit ^ 1, bit)), ZERO)
}

/** `functions` stand lowest bit first. Packets that lack the field, or the one that it is taken from, stay as they are. */
function rewritingOf(space: Space, rewritings: Rewritings, field: LaidField, functions: readonly Edge[], from: LaidField | undefined): Rewriting {
  const { bits } = codingOf(space.layout, field)
  const gates = [gateOf(field), from === undefined ? undefined : gateOf(from)].filter(gate => gate !== undefined)
  const has = gates.reduce((set, gate) => and(space.bdd, set, gateEdge(space, gate)), ONE)
  const rewritten = new Map<number, Edge>()
  for (const [bit, edge] of functions.entries()) {
    const level = bits.first + bits.width - 1 - bit
    rewritten.set(level, choose(space.bdd, has, edge, variable(space.bdd, level)))
  }
  return intern(rewritings, cleaned(space, rewritten))
}

/** Leaves out the bits that stay as they are. */
function cleaned(space: Space, bits: ReadonlyMap<number, Edge>): Map<number, Edge> {
  return new Map([...bits].filter(([level, edge]) => edge !== variable(space.bdd, level)).sort(([one], [other]) => one - other))
}

function intern(rewritings: Rewritings, bits: ReadonlyMap<number, Edge>): Rewriting {
  const key = [...bits].flat().join(' ')
  const known = rewritings.get(key)
  if (known) return known
  const rewriting = { bits, known: new Map() }
  rewritings.set(key, rewriting)
  return rewriting
}

function freshLevel(space: Space): number {
  return space.nextLevel++
}

/** Returns a field's bits, lowest first. */
function bitsOf(space: Space, field: LaidField): Edge[] {
  const { first, width } = codingOf(space.layout, field).bits
  return Array.from({ length: width }, (_, bit) => variable(space.bdd, first + width - 1 - bit))
}

function shifted(bits: readonly Edge[], by: number, width: number): Edge[] {
  return Array.from({ length: width }, (_, index) => bits[index - by] ?? ZERO)
}

function bitOfMask(mask: number, bit: number): boolean {
  return bit < 32 && ((mask >>> bit) & 1) === 1
}

function xorBit(edge: Edge, flip: boolean): Edge {
  return flip ? edge ^ 1 : edge
}

function xorEdges(space: Space, one: Edge, other: Edge): Edge {
  return or(space.bdd, and(space.bdd, one, other ^ 1), and(space.bdd, one ^ 1, other))
}
