/**
 * Which rules of a long chain a packet can match at all. Generated chains ask for one value of one field in rule after rule (a
 * service's address, a published port); their rules are kept by that value, and a packet is shown the rules of its own value and
 * those that do not ask, in the order of the chain. Rules left out are rules whose first match fails: nothing else can tell.
 */

import { fieldRow } from '../meaning/fields.ts'
import type { FieldRow, FieldValue, NumberField } from '../meaning/fields.ts'
import type { Predicate } from '../meaning/predicate.ts'
import type { Subject } from '../meaning/subject.ts'

/** The rules of a chain by the value of one field that they ask for; all lists ascend. */
export interface RuleIndex {
  readonly read: FieldRow['read']
  readonly byValue: ReadonlyMap<FieldValue, readonly number[]>
  /** Rules that do not ask for one value. */
  readonly others: readonly number[]
  /** The lists that were shown so far, by value. */
  readonly shown: Map<FieldValue, readonly number[]>
}

/** Where a packet is in the rules of a chain that it is shown. */
export interface Shown {
  value: FieldValue | undefined
  rules: readonly number[] | undefined
  next: number
}

/** Chains shorter than this are walked rule by rule. */
const SHORTEST = 12

/** Fields that generated rules ask for one value of. */
const FIELDS_ASKED: readonly NumberField[] = ['ip.dst', 'ip.src', 'l4.dport', 'l4.sport', 'ip.protocol', 'mark', 'icmp.type']

/** Returns the index of a chain whose rules begin with these conditions; undefined where it would spare too little. */
export function indexRules(leading: readonly Predicate[]): RuleIndex | undefined {
  if (leading.length < SHORTEST) return undefined
  const asked = leading.map(askedValues)
  let best: RuleIndex | undefined
  for (const field of FIELDS_ASKED) {
    const index = indexBy(field, asked)
    if (!best || cost(index) < cost(best)) best = index
  }
  return best && cost(best) < leading.length / 2 ? best : undefined
}

/** Returns the place of the first rule from `from` on that the subject can match, undefined where there is none. The rules before may have changed the subject. */
export function nextShown(index: RuleIndex, subject: Subject, shown: Shown, from: number): number | undefined {
  const value = index.read(subject)
  if (!shown.rules || value !== shown.value) {
    shown.value = value
    shown.rules = rulesFor(index, value)
    shown.next = from === 0 ? 0 : firstFrom(shown.rules, from)
  }
  return shown.rules[shown.next++]
}

/** Lists are kept that have about so many rules together. */
const MOST_SHOWN = 1_000_000

function rulesFor(index: RuleIndex, value: FieldValue | undefined): readonly number[] {
  const own = value === undefined ? undefined : index.byValue.get(value)
  if (value === undefined || !own) return index.others
  if (index.others.length === 0) return own
  const known = index.shown.get(value)
  if (known) return known
  const rules = [...own, ...index.others].sort((one, other) => one - other)
  if (index.shown.size * rules.length > MOST_SHOWN) index.shown.clear()
  index.shown.set(value, rules)
  return rules
}

function indexBy(field: NumberField, asked: readonly ReadonlyMap<NumberField, FieldValue>[]): RuleIndex {
  const byValue = new Map<FieldValue, number[]>()
  const others: number[] = []
  for (const [place, values] of asked.entries()) {
    const value = values.get(field)
    if (value === undefined) others.push(place)
    else if (byValue.get(value)?.push(place) === undefined) byValue.set(value, [place])
  }
  return { read: fieldRow(field).read, byValue, others, shown: new Map() }
}

/** How many rules an average packet is shown. */
function cost({ byValue, others }: RuleIndex): number {
  let indexed = 0
  for (const places of byValue.values()) indexed += places.length
  return others.length + indexed / Math.max(1, byValue.size)
}

/** The fields that must have one value for the condition to hold. */
function askedValues(leading: Predicate): ReadonlyMap<NumberField, FieldValue> {
  const values = new Map<NumberField, FieldValue>()
  for (const part of leading.kind === 'all' ? leading.of : [leading]) {
    const value = onlyValue(part)
    if (value !== undefined && (part.kind === 'within' || part.kind === 'masked') && !values.has(part.field)) values.set(part.field, value)
  }
  return values
}

function onlyValue(part: Predicate): FieldValue | undefined {
  if (part.kind === 'within') return part.low === part.high ? part.low : undefined
  if (part.kind !== 'masked') return undefined
  const { width } = fieldRow(part.field)
  const bits = width === 'address' ? (typeof part.mask === 'number' ? 32 : 128) : width
  return BigInt(part.mask) === (1n << BigInt(bits)) - 1n ? part.value : undefined
}

/** Returns where in an ascending list the first place is that is not before `from`. */
function firstFrom(places: readonly number[], from: number): number {
  let low = 0
  let high = places.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((places[middle] ?? from) < from) low = middle + 1
    else high = middle
  }
  return low
}
