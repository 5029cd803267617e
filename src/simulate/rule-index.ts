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

/** Returns the index of a chain of so many rules, of each of which `leadingAt` tells the condition that it begins with; undefined where it would spare too little. */
export function indexRules(count: number, leadingAt: (place: number) => Predicate): RuleIndex | undefined {
  if (count < SHORTEST) return undefined
  const columns = FIELDS_ASKED.map((field): Column => ({ field, byValue: new Map(), others: [], last: -1 }))
  for (let place = 0; place < count; place++) {
    const leading = leadingAt(place)
    if (leading.kind === 'all') for (const part of leading.of) note(columns, part, place)
    else note(columns, leading, place)
    for (const column of columns) if (column.last !== place) column.others.push(place)
  }
  const [best] = columns.map(({ field, byValue, others }): RuleIndex => ({ read: fieldRow(field).read, byValue, others, shown: new Map() })).sort((one, other) => cost(one) - cost(other))
  return best && cost(best) < count / 2 ? best : undefined
}

/** The rules of a chain by one field, while it is read; `last` is the last place whose rule asks for a value. */
interface Column {
  readonly field: NumberField
  readonly byValue: Map<FieldValue, number[]>
  readonly others: number[]
  last: number
}

/** A rule that asks for two values of a field is kept by the first. */
function note(columns: readonly Column[], part: Predicate, place: number): void {
  if (part.kind !== 'within' && part.kind !== 'masked') return
  const column = columns.find(({ field }) => field === part.field)
  const value = column && column.last !== place ? onlyValue(part) : undefined
  if (!column || value === undefined) return
  column.last = place
  const places = column.byValue.get(value)
  if (places) places.push(place)
  else column.byValue.set(value, [place])
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

/** How many rules an average packet is shown. */
function cost({ byValue, others }: RuleIndex): number {
  let indexed = 0
  for (const places of byValue.values()) indexed += places.length
  return others.length + indexed / Math.max(1, byValue.size)
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
