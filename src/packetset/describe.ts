/**
 * A set as a few predicates whose union it is: each as wide as it can be, so that a reader finds few. A box is a product: for each field
 * that it restricts, the values that it allows.
 */

import { always, all, any, equals, hasAnyBit, masked, not, onDevice, opaque, within } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import { CT_STATE } from '../meaning/fields.ts'
import type { DeviceField, FieldValue, NumberField } from '../meaning/fields.ts'
import { and, highOf, levelOf, lowOf, ONE, or, variable, ZERO } from './bdd.ts'
import type { Edge } from './bdd.ts'
import { exists } from './bdd-quantify.ts'
import { rangesOf } from './bdd-values.ts'
import type { ValueRange } from './bdd-values.ts'
import type { DeviceClass, DeviceCodes } from './device-codes.ts'
import { levelsOf } from './forget.ts'
import { codingOf, isDeviceField, isNumberField } from './layout.ts'
import type { Coding, LaidField } from './layout.ts'
import { gateEdge, gateOf } from './space.ts'
import type { Space } from './space.ts'

/** One field of a box: the packets that have the field with one of the values. Free variables are keyed by their level. */
interface Side {
  readonly on: LaidField | number
  readonly levels: ReadonlySet<number>
  /** One value of each bit that the path to the box goes by: what the box was before it was widened. */
  readonly path: { mask: bigint; value: bigint }
  edge: Edge
}

/** A side of more ranges than this stays as narrow as its path. */
const MOST_RANGES = 64

/** Predicates that cover the set, and whether they are all: the union is the set where `isWhole`, a part of it elsewhere. */
export interface Cover {
  readonly predicates: readonly Predicate[]
  readonly isWhole: boolean
}

/** Values of a field that a reader does not mind: predicates may hold of packets that have them, as is shorter. */
export interface LooseValues {
  readonly field: NumberField
  /** The packets that have the field with such a value. */
  readonly edge: Edge
}

/** Returns predicates whose union is the set, but for packets with `loose` values, at most `limit`. */
export function coverOf(space: Space, edge: Edge, limit: number, loose: readonly LooseValues[] = []): Cover {
  const predicates: Predicate[] = []
  const { bdd } = space
  const allowed = loose.reduce((now, one) => or(bdd, now, and(bdd, exists(bdd, now, levelsOf(space, [one.field])), one.edge)), edge)
  let rest = edge
  while (rest !== ZERO && predicates.length < limit) {
    const sides = widen(space, allowed, pathOf(space, rest))
    rest = and(bdd, rest, joined(space, sides) ^ 1)
    predicates.push(all(sides.map(side => predicateOfSide(space, tidied(space, side, loose)))))
  }
  return { predicates, isWhole: rest === ZERO }
}

/** Returns the side without its loose values where it is said in fewer ranges so. */
function tidied(space: Space, side: Side, loose: readonly LooseValues[]): Side {
  const odd = loose.find(({ field }) => field === side.on)
  const without = odd === undefined ? ZERO : and(space.bdd, side.edge, odd.edge ^ 1)
  return without !== ZERO && rangeCount(space, side.on, without) < rangeCount(space, side.on, side.edge) ? { ...side, edge: without } : side
}

/** Returns by how many ranges a set of values is said: its own, or those that it leaves out. */
function rangeCount(space: Space, on: Side['on'], edge: Edge): number {
  if (typeof on === 'number') return 1
  const { bits } = codingOf(space.layout, on)
  const ranges = rangesOf(space.bdd, bits, edge)
  return Math.min(ranges.length, invert(ranges, (1n << BigInt(bits.width)) - 1n).length)
}

/** Returns one path to true, as a box: through the shorter way at each branch, which is the wider. */
function pathOf(space: Space, edge: Edge): Side[] {
  const sides = new Map<LaidField | number, Side>()
  for (let at = edge; at !== ONE; ) {
    const level = levelOf(space.bdd, at)
    const [low, high] = [lowOf(space.bdd, at), highOf(space.bdd, at)]
    const isHigh = low === ZERO || (high !== ZERO && levelOf(space.bdd, high) > levelOf(space.bdd, low))
    const on = space.layout.owners[level] ?? level
    const side = sides.get(on) ?? { on, levels: typeof on === 'number' ? new Set([on]) : levelsOf(space, [on]), path: { mask: 0n, value: 0n }, edge: ONE }
    const place = typeof on === 'number' ? 1n : placeOf(space, on, level)
    side.path.mask |= place
    side.path.value |= isHigh ? place : 0n
    side.edge = and(space.bdd, side.edge, variable(space.bdd, level) ^ (isHigh ? 0 : 1))
    sides.set(on, side)
    at = isHigh ? high : low
  }
  return [...sides.values()]
}

/** Drops fields that need not be restricted, those of least interest first; then allows each of the others all values that it may have. */
function widen(space: Space, set: Edge, given: readonly Side[]): Side[] {
  const { bdd } = space
  let sides = [...given]
  for (const side of [...given].reverse().sort((one, other) => interest(one) - interest(other))) {
    const others = sides.filter(other => other !== side)
    if (and(bdd, joined(space, others), set ^ 1) === ZERO) sides = others
  }
  for (const side of sides) {
    const others = joined(space, sides.filter(other => other !== side))
    const wrong = exists(bdd, and(bdd, others, set ^ 1), new Set(sides.flatMap(other => (other === side ? [] : [...other.levels]))))
    const kept = exists(bdd, wrong, outside(space, wrong, side.levels))
    if (isReadable(space, side, kept ^ 1)) side.edge = kept ^ 1
  }
  return sides
}

/** Ranges can be said; of a set that a mask with many holes makes there are too many. */
function isReadable(space: Space, { on }: Side, edge: Edge): boolean {
  return typeof on === 'number' || rangesOf(space.bdd, codingOf(space.layout, on).bits, edge, MOST_RANGES).length <= MOST_RANGES
}

function placeOf(space: Space, field: LaidField, level: number): bigint {
  const { first, width } = codingOf(space.layout, field).bits
  return 1n << BigInt(first + width - 1 - level)
}

function joined(space: Space, sides: readonly Side[]): Edge {
  return sides.reduce((box, side) => and(space.bdd, box, side.edge), ONE)
}

function outside(space: Space, edge: Edge, levels: ReadonlySet<number>): Set<number> {
  const found = new Set<number>()
  const seen = new Set<Edge>()
  const stack = [edge]
  for (let f = stack.pop(); f !== undefined; f = stack.pop()) {
    if (f >> 1 === 0 || seen.has(f >> 1)) continue
    seen.add(f >> 1)
    if (!levels.has(levelOf(space.bdd, f))) found.add(levelOf(space.bdd, f))
    stack.push(lowOf(space.bdd, f), highOf(space.bdd, f))
  }
  return found
}

/** Fields by which readers know packets are kept longest. */
const KEPT: readonly LaidField[] = ['ct.state', 'ip.protocol', 'l4.sport', 'device.out', 'device.in', 'l4.dport', 'ip.src', 'ip.dst']

function interest({ on }: Side): number {
  return typeof on === 'number' ? -1 : KEPT.indexOf(on) + 1
}

/** Returns the predicate of a side: the packets that have the field with one of its values. */
function predicateOfSide(space: Space, side: Side): Predicate {
  const { on, edge } = side
  if (typeof on === 'number') {
    const free = space.freeKeys.get(on)
    const predicate = free ? opaque(free.key, free.words) : always
    return edge === variable(space.bdd, on) ? predicate : not(predicate)
  }
  const coding = codingOf(space.layout, on)
  if (isNumberField(on) && coding.kind === 'number' && !isReadable(space, side, edge)) return masked(on, narrow(side.path.mask, coding.bits.width), narrow(side.path.value, coding.bits.width))
  const ranges = rangesOf(space.bdd, coding.bits, edge)
  if (isDeviceField(on) && coding.kind === 'device') return devicePredicate(on, coding.devices, ranges)
  if (!isNumberField(on)) return presencePredicate(on === 'mac.present' ? 'mac.src' : 'socket.uid', edge === variable(space.bdd, coding.bits.first))
  return on === 'ct.state' ? statePredicate(valuesOf(coding, ranges)) : numberPredicate(on, coding, ranges)
}

function presencePredicate(field: 'mac.src' | 'socket.uid', isPresent: boolean): Predicate {
  const has = field === 'mac.src' ? within(field, 0n, (1n << 48n) - 1n) : within(field, 0, 0xffffffff)
  return isPresent ? has : not(has)
}

function numberPredicate(field: NumberField, coding: Coding, ranges: readonly ValueRange[]): Predicate {
  const { bits } = coding
  if (coding.kind === 'table') return any(valuesOf(coding, ranges).map(value => equals(field, value)))
  if (coding.kind === 'offset') return any(offsetRanges(ranges).map(({ low, high }) => within(field, Number(low), Number(high))))
  const inverted = invert(ranges, (1n << BigInt(bits.width)) - 1n)
  const list = (of: readonly ValueRange[]): Predicate => any(of.map(({ low, high }) => within(field, narrow(low, bits.width), narrow(high, bits.width))))
  return inverted.length < ranges.length || (ranges.length > 1 && inverted.length === 1) ? not(list(inverted)) : list(ranges)
}

/** Returns the predicate of a set of states: bits that each stands for alone. */
function statePredicate(values: readonly FieldValue[]): Predicate {
  const plain = values.map(Number)
  const bases = [CT_STATE.INVALID, CT_STATE.NEW, CT_STATE.ESTABLISHED, CT_STATE.RELATED, CT_STATE.UNTRACKED]
  const whole = bases.filter(base => plain.includes(base) && (base === CT_STATE.INVALID || base === CT_STATE.UNTRACKED || [32, 64, 96].every(more => plain.includes(base | more))))
  const mask = whole.reduce((sum, base) => sum | base, 0)
  const more = plain.filter(value => (value & mask) === 0)
  return any([...(mask === 0 ? [] : [hasAnyBit('ct.state', mask)]), ...more.map(value => equals('ct.state', value))])
}

function devicePredicate(field: DeviceField, { classes }: DeviceCodes, ranges: readonly ValueRange[]): Predicate {
  const marked = classes.map(({ name, isOther }, code) => ({ name, isOther, isIn: ranges.some(({ low, high }) => low <= BigInt(code) && BigInt(code) <= high) }))
  const rest = marked.find(({ name, isOther }) => isOther && name === '')
  const others = marked.filter(one => one !== rest)
  return rest?.isIn === true ? all(devicesThat(field, others, false).map(not)) : any(devicesThat(field, others, true))
}

interface MarkedClass extends DeviceClass {
  readonly isIn: boolean
}

/** Returns the devices of the classes that are in the set, or of those that are not: a prefix less what begins so and does not belong to them. */
function devicesThat(field: DeviceField, classes: readonly MarkedClass[], chosen: boolean): readonly Predicate[] {
  const isUnder = ({ name }: MarkedClass, prefix: MarkedClass): boolean => name.startsWith(prefix.name)
  const prefixes = classes.filter(({ isOther }) => isOther)
  const top = prefixes.filter(one => !prefixes.some(other => other !== one && isUnder(one, other)))
  const names = classes.filter(one => !one.isOther && one.isIn === chosen && !top.some(prefix => isUnder(one, prefix)))
  const ofPrefixes = top.flatMap(prefix => {
    const inner = classes.filter(one => one !== prefix && isUnder(one, prefix))
    return prefix.isIn === chosen ? [all([onDevice(field, { name: prefix.name, prefix: true }), ...devicesThat(field, inner, !chosen).map(not)])] : devicesThat(field, inner, chosen)
  })
  return [...ofPrefixes, ...names.map(({ name }) => onDevice(field, { name, prefix: false }))]
}

function valuesOf(coding: Coding, ranges: readonly ValueRange[]): FieldValue[] {
  if (coding.kind !== 'table') return []
  return [...new Set(coding.values.filter((_, code) => ranges.some(({ low, high }) => low <= BigInt(code) && BigInt(code) <= high)))]
}

function invert(ranges: readonly ValueRange[], top: bigint): ValueRange[] {
  const gaps: ValueRange[] = []
  let next = 0n
  for (const { low, high } of ranges) {
    if (low > next) gaps.push({ low: next, high: low - 1n })
    next = high + 1n
  }
  return next <= top ? [...gaps, { low: next, high: top }] : gaps
}

function narrow(value: bigint, width: number): FieldValue {
  return width <= 32 ? Number(value) : value
}

/** Returns the values that a field has among the packets of the set that have it, as ranges of numbers; undefined where they are more than `limit`. */
export function fieldRangesOf(space: Space, edge: Edge, field: NumberField, limit: number): readonly ValueRange[] | undefined {
  const gate = gateOf(field)
  const having = gate === undefined ? edge : and(space.bdd, edge, gateEdge(space, gate))
  const coding = codingOf(space.layout, field)
  const ranges = rangesOf(space.bdd, coding.bits, exists(space.bdd, having, outside(space, having, levelsOf(space, [field]))), limit)
  if (ranges.length > limit) return undefined
  if (coding.kind === 'number') return ranges
  if (coding.kind === 'table') return valuesOf(coding, ranges).map(value => ({ low: BigInt(value), high: BigInt(value) }))
  return offsetRanges(ranges)
}

/** Returns codes of fragment offsets as bytes. */
function offsetRanges(ranges: readonly ValueRange[]): ValueRange[] {
  return ranges.flatMap(({ low, high }) => [
    ...(low < 8192n ? [{ low: 0n, high: 0n }] : []),
    ...(high >= 8192n ? [{ low: low <= 8193n ? 8n : (low - 8192n) * 8n, high: high === 8192n ? 8n : (high - 8192n) * 8n }] : []),
  ])
}
