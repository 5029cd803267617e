/** Predicates as sentences want them: no `not` but at single terms, values of one field together, nothing that goes without saying. */

import { assertNever } from '../diagnostics/diagnostic.ts'
import type { DevicePattern } from '../net/device-name.ts'
import { CT_STATE, fieldRow } from './fields.ts'
import type { DeviceField, FieldValue, NumberField } from './fields.ts'
import type { IpsetDirection, Predicate } from './predicate.ts'

/** One value that a field may have: a range, or bits under a mask. */
export type FieldTerm = Extract<Predicate, { kind: 'within' | 'masked' }>

/** One condition. `negated` turns it round: no value, no bit, no pattern of the list fits. */
export type Condition =
  | { readonly kind: 'values'; readonly field: NumberField; readonly of: readonly FieldTerm[]; readonly negated: boolean }
  /** One of the bits is set, for fields whose bits are a choice of several. */
  | { readonly kind: 'bits'; readonly field: NumberField; readonly bits: number; readonly negated: boolean }
  | { readonly kind: 'icmp'; readonly type: FieldTerm; readonly code: FieldTerm; readonly negated: boolean }
  | { readonly kind: 'device'; readonly field: DeviceField; readonly of: readonly DevicePattern[]; readonly negated: boolean }
  | { readonly kind: 'ipset'; readonly name: string; readonly directions: readonly IpsetDirection[]; readonly negated: boolean }
  | { readonly kind: 'opaque'; readonly words: string; readonly negated: boolean }

/** A formula for reading. */
export type Term = Condition | { readonly kind: 'all'; readonly of: readonly Term[] } | { readonly kind: 'any'; readonly of: readonly Term[] }

const NO_CONNECTION = CT_STATE.INVALID | CT_STATE.UNTRACKED
const NOTHING: Term = { kind: 'all', of: [] }

/** Returns the plain form: `all` of nothing is true of every packet, `any` of nothing of none. */
export function plainForm(predicate: Predicate): Term {
  const term = termOf(predicate, false)
  const parts = term.kind === 'all' ? term.of : [term]
  const isConnected = parts.some(part => part.kind === 'bits' && part.field === 'ct.state' && !part.negated && (part.bits & NO_CONNECTION) === 0)
  return withoutImplied(isConnected ? joined('all', parts.map(assumeConnected)) : term)
}

function termOf(predicate: Predicate, negated: boolean): Term {
  switch (predicate.kind) {
    case 'always':
    case 'never':
      return { kind: (predicate.kind === 'always') === negated ? 'any' : 'all', of: [] }
    case 'within':
    case 'masked':
      return fieldTerm(predicate, negated)
    case 'device':
      return { kind: 'device', field: predicate.field, of: [predicate.pattern], negated }
    case 'ipset':
      return { kind: 'ipset', name: predicate.name, directions: predicate.directions, negated }
    case 'opaque':
      return { kind: 'opaque', words: predicate.words, negated }
    case 'not':
      return termOf(predicate.of, !negated)
    case 'all':
    case 'any':
      return joined((predicate.kind === 'all') === negated ? 'any' : 'all', partsOf(predicate, negated))
    default:
      return assertNever(predicate)
  }
}

/** Type and code of an ICMP message are one thing to a reader. */
function partsOf({ kind, of }: Extract<Predicate, { kind: 'all' | 'any' }>, negated: boolean): Term[] {
  const fieldOf = (name: RegExp) => of.find((part): part is FieldTerm => part.kind === 'within' && name.test(part.field))
  const type = fieldOf(/^icmp6?\.type$/)
  const code = fieldOf(/^icmp6?\.code$/)
  if (kind === 'any' || !type || !code) return of.map(part => termOf(part, negated))
  return [{ kind: 'icmp', type, code, negated }, ...of.filter(part => part !== type && part !== code).map(part => termOf(part, negated))]
}

function fieldTerm(term: FieldTerm, negated: boolean): Term {
  const { value } = fieldRow(term.field)
  const isChoice = value === 'ctState' || value === 'ctStatus' || value === 'addressType'
  if (term.kind === 'masked' && isChoice && Number(term.value) === 0) return { kind: 'bits', field: term.field, bits: Number(term.mask), negated: !negated }
  if (value === 'port' && isEveryValue(term) && !negated) return NOTHING
  return { kind: 'values', field: term.field, of: [term], negated }
}

/** Returns the conjunction or disjunction; terms of one field that make a list become one. */
function joined(kind: 'all' | 'any', parts: readonly Term[]): Term {
  const flat: Term[] = []
  for (const part of parts.flatMap(one => (one.kind === kind ? one.of : [one]))) {
    const at = flat.findIndex(other => isListWith(kind, other, part))
    const other = flat[at]
    if (other && 'of' in other && 'of' in part) flat[at] = { ...other, of: [...other.of, ...part.of] } as Term
    else if (!flat.some(known => keyOf(known) === keyOf(part))) flat.push(part)
  }
  const isSettled = flat.some(part => part.kind !== kind && 'of' in part && part.of.length === 0) || flat.some(part => 'negated' in part && flat.some(other => keyOf(other) === keyOf({ ...part, negated: !part.negated })))
  if (isSettled) return { kind: kind === 'all' ? 'any' : 'all', of: [] }
  return flat.length === 1 && flat[0] ? flat[0] : { kind, of: flat }
}

/** "none of these values" adds up in a conjunction, "one of these values" in a disjunction. */
function isListWith(kind: 'all' | 'any', left: Term, right: Term): boolean {
  if ((left.kind !== 'values' && left.kind !== 'device') || left.kind !== right.kind) return false
  return left.field === right.field && left.negated === right.negated && left.negated === (kind === 'all') && keyOf(left) !== keyOf(right)
}

function keyOf(term: Term): string {
  return JSON.stringify(term, (_name, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))
}

/** Leaves out what a connection state says already: that there is a connection. */
function assumeConnected(term: Term): Term {
  if (term.kind === 'bits' && term.field === 'ct.state' && term.bits === NO_CONNECTION) return { kind: term.negated ? 'all' : 'any', of: [] }
  return term.kind === 'all' || term.kind === 'any' ? joined(term.kind, term.of.map(assumeConnected)) : term
}

/** Leaves out what other terms of a conjunction say: a packet with ports is no later fragment, a named device is a device. */
function withoutImplied(term: Term): Term {
  if (term.kind !== 'all') return term
  const fields = term.of.flatMap(fieldsOf)
  const hasHeader = fields.some(field => /^(l4|tcp|icmp6?)\./.test(field))
  const isConnected = fields.some(field => /^ct\.(?!state)/.test(field))
  return joined('all', term.of.filter(part => {
    if (part.kind === 'values' && part.field === 'ip.fragmentOffset' && part.of[0]?.kind === 'within' && part.of[0].high === 0) return !hasHeader || part.negated
    if (part.kind === 'bits' && part.field === 'ct.state' && part.bits === NO_CONNECTION) return !isConnected || !part.negated
    if (part.kind === 'values' && !part.negated && part.of.every(isEveryValue)) return !term.of.some(other => other !== part && other.kind === 'values' && !other.negated && other.field === part.field)
    return !(isAnyDevice(part) && term.of.some(other => other.kind === 'device' && !other.negated && 'field' in part && other.field === part.field))
  }))
}

function fieldsOf(term: Term): readonly string[] {
  if (term.kind === 'all' || term.kind === 'any') return term.of.flatMap(fieldsOf)
  return term.kind === 'icmp' ? [term.type.field] : 'field' in term ? [term.field] : []
}

function isAnyDevice(term: Term): boolean {
  return term.kind === 'device' && term.negated && term.of.every(({ name, prefix }) => name === '' && !prefix)
}

/** Tells whether a term holds of every packet that has the field. */
export function isEveryValue(term: FieldTerm): boolean {
  const { width } = fieldRow(term.field)
  return term.kind === 'within' && typeof width === 'number' && BigInt(term.low) === 0n && BigInt(term.high) === (1n << BigInt(width)) - 1n
}

/** Returns the only value of a list, undefined of ranges, masks and several. */
export function onlyValue(of: readonly FieldTerm[]): FieldValue | undefined {
  const [term] = of
  return of.length === 1 && term?.kind === 'within' && term.low === term.high ? term.low : undefined
}
