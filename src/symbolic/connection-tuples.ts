/** Tuples of connections as values: what a packet's addresses and ports are and were, and where two tuples are the same. */

import { all } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import { TUPLE_HEADERS, widthOfField } from './rewriting.ts'
import type { Rewriting, Rewritings, TupleHeader, TupleValues } from './rewriting.ts'
import { originalValue, valuesEqual } from './value.ts'
import type { Value } from './value.ts'

const ORIGINAL = { 'ip.src': 'ct.original.src', 'ip.dst': 'ct.original.dst', 'l4.sport': 'ct.original.sport', 'l4.dport': 'ct.original.dport' } as const

/** Returns the tuple that a packet has now. */
export function headerTuple(rewritings: Rewritings, rewriting: Rewriting): TupleValues {
  return tupleOf(header => rewritings.valueOf(rewriting, header))
}

/** Returns the tuple with which a packet that begins a connection came to the host. */
export function originalTuple(rewritings: Rewritings, rewriting: Rewriting): TupleValues {
  return tupleOf(header => rewriting.values.get(ORIGINAL[header]) ?? originalValue(header, widthOfField(header, rewritings.family)))
}

/** Returns the tuple of answers to packets of a tuple. */
export function invertTuple(tuple: TupleValues): TupleValues {
  return { 'ip.src': tuple['ip.dst'], 'ip.dst': tuple['ip.src'], 'l4.sport': tuple['l4.dport'], 'l4.dport': tuple['l4.sport'] }
}

/** Returns the packets, as they were at first, for which two tuples are the same. */
export function tuplesEqual(one: TupleValues, other: TupleValues): Predicate {
  return all(TUPLE_HEADERS.map(header => valuesEqual(one[header], other[header])))
}

function tupleOf(valueOf: (header: TupleHeader) => Value): TupleValues {
  return { 'ip.src': valueOf('ip.src'), 'ip.dst': valueOf('ip.dst'), 'l4.sport': valueOf('l4.sport'), 'l4.dport': valueOf('l4.dport') }
}
