/**
 * Sets of packets: exact, over every header field and everything else that rules can ask about. A set is a number; equal sets are equal
 * numbers. All operations are functions of one `PacketSets`, which shares diagrams among its sets; sets of two of them never mix.
 */

import type { DeviceField, FieldValue, NumberField } from '../meaning/fields.ts'
import { packetsInWords } from '../meaning/in-words.ts'
import type { Predicate } from '../meaning/predicate.ts'
import type { Subject } from '../meaning/subject.ts'
import type { DevicePattern } from '../net/device-name.ts'
import type { Family } from '../net/address.ts'
import { and, meets, ONE, or, TooManyNodes, variable, ZERO } from './bdd.ts'
import type { Bdd, Edge } from './bdd.ts'
import { commonCube, cubeEdge, cubesOfEdge, intersectCube, joinCubes, meetInCube, meetsCube, subtractCube } from './bdd-cubes.ts'
import type { Cube } from './bdd-cubes.ts'
import { memberOfAll } from './bdd-members.ts'
import type { Patience } from './bdd-members.ts'
import { countAssignments, exists, joinAll, sizeOf, substitute, supportOf } from './bdd-quantify.ts'
import type { ValueRange } from './bdd-values.ts'
import { cubePartOf } from './cube-of.ts'
import { coverOf, fieldRangesOf } from './describe.ts'
import type { Cover } from './describe.ts'
import { nameOfDevice } from './device-codes.ts'
import { asksForAny, assignField, forgetField, levelsOf, preimageOfAssign } from './forget.ts'
import { codingOf } from './layout.ts'
import { normalEdge } from './normal.ts'
import { includesPoint, includesSubject, pointOf } from './point.ts'
import { adjusting, assigning, changedBy, choosing, compose, constantOf, imageUnder, noRewriting, readBack, rewrites, setting } from './rewrite.ts'
import type { Assignment, RewrittenField, Rewriting, Rewritings } from './rewrite.ts'
import { fieldsOf, inOrder, keepFields, slicesOf } from './slices.ts'
import type { Slice } from './slices.ts'
import { sampleOf } from './sample.ts'
import type { Sample } from './sample.ts'
import { setOfPredicate } from './set-of.ts'
import { deviceEdge, freeEdge, likeDeviceEdge, makeSpace, maskedEdge, rangesEdge } from './space.ts'
import type { PacketUniverse, Space } from './space.ts'

declare const packetSet: unique symbol

/** A set of packets: a number, equal where the sets are equal. */
export type PacketSet = number & { readonly [packetSet]: true }

/** A conjunction of single bits, for sets that are asked about once: quicker than a set. */
export type PacketCube = Cube & { readonly [packetSet]: true }

/** A set of packets and what they became: fields set to any of a range of values stand in variables of their own, which `choices` confines. */
export interface ChosenRewriting {
  readonly rewriting: Rewriting
  readonly choices: PacketSet
}

/** A packet as the values of all variables, by their level. */
export type PacketPoint = Uint8Array

/** A variable that packets do not decide. */
export interface FreeVariable {
  readonly key: string
  readonly words: string
}

/** Bits of a field (those of `mask`) that are asked of another field of the same width instead, turned over where `flip` has them. */
export interface RenamedBits {
  readonly field: NumberField
  readonly to: NumberField
  readonly mask: bigint
  readonly flip: bigint
}

/** Everything that is done with packet sets. */
export interface PacketSets {
  readonly family: Family
  /** No packet. */
  readonly none: PacketSet
  /** Every packet, with every value of the free variables. */
  readonly every: PacketSet
  union(...sets: readonly PacketSet[]): PacketSet
  intersect(...sets: readonly PacketSet[]): PacketSet
  subtract(from: PacketSet, what: PacketSet): PacketSet
  complement(set: PacketSet): PacketSet
  isSubset(inner: PacketSet, outer: PacketSet): boolean
  /** Tells whether two sets have a packet in common; quicker than intersecting them. */
  meets(one: PacketSet, other: PacketSet): boolean

  /** The packets of which the predicate holds; made once for each predicate object. */
  setOf(predicate: Predicate): PacketSet
  /** The packets that have the field with low <= value <= high. */
  setOfField(field: NumberField, low: FieldValue, high: FieldValue): PacketSet
  /** The packets that have the field with (value & mask) === wanted. */
  setOfMasked(field: NumberField, mask: FieldValue, wanted: FieldValue): PacketSet
  /** The packets that have the field with a value in one of the ranges. */
  setOfRanges(field: NumberField, ranges: readonly ValueRange[]): PacketSet
  setOfDevice(field: DeviceField, pattern: DevicePattern): PacketSet
  /** The packets whose device cannot be told from one of this name. */
  setOfLikeDevice(field: DeviceField, name: string): PacketSet
  /** One name for each device that sets can tell from the others: '' for none, names that are known, one for each kind of others. */
  deviceNames(): readonly string[]
  /** A free variable: the same for the same key. */
  setOfFree(key: string, words: string): PacketSet

  /** The cube of every packet. */
  readonly noLiterals: PacketCube
  /** The conjunction of those predicates that are a cube together, and the others; 'never' where it is empty. */
  cubePartOf(predicates: readonly Predicate[]): { readonly cube: PacketCube | 'never'; readonly rest: readonly Predicate[] }
  /** The conjunction of predicates as a cube; undefined where it is none, 'never' where it is empty. */
  cubeOf(predicates: readonly Predicate[]): PacketCube | 'never' | undefined
  subtractCube(from: PacketSet, cube: PacketCube): PacketSet
  intersectCube(set: PacketSet, cube: PacketCube): PacketSet
  meetsCube(set: PacketSet, cube: PacketCube): boolean
  /** Tells whether two sets have a packet in common of which the cube holds. */
  meetInCube(one: PacketSet, other: PacketSet, cube: PacketCube): boolean
  setOfCube(cube: PacketCube): PacketSet
  /** Cubes without common packets that together are the set; undefined where they are more than `most`. */
  cubesOf(set: PacketSet, most: number): readonly PacketCube[] | undefined
  /** What holds in both cubes; 'never' where they exclude each other. */
  joinCubes(one: PacketCube, other: PacketCube): PacketCube | 'never'
  /** Tells whether the cube asks for one of the fields, or for one that goes with it: see `exists`. */
  asksForAny(cube: PacketCube, fields: readonly (NumberField | DeviceField)[]): boolean
  /** The narrowest cube that holds of all packets of both. */
  commonCube(one: PacketCube, other: PacketCube): PacketCube

  /** The packets that differ from one of the set in this field at most. Ports and the like go with the protocol, all of `ct.` with `ct.state`. */
  exists(set: PacketSet, field: NumberField | DeviceField): PacketSet
  /** What becomes of the set when (field & mask) is overwritten with `value` in the packets that have the field; a device's value is a name. */
  assign(set: PacketSet, field: NumberField | DeviceField, mask: FieldValue, value: FieldValue | string): PacketSet
  /** The packets that such an assignment brings into the set. */
  preimage(set: PacketSet, field: NumberField | DeviceField, mask: FieldValue, value: FieldValue | string): PacketSet
  /** What becomes of the set when the field gets any value from low to high. */
  assignRange(set: PacketSet, field: NumberField, low: FieldValue, high: FieldValue): PacketSet
  /** The packets that some value from low to high brings into the set. */
  preimageRange(set: PacketSet, field: NumberField, low: FieldValue, high: FieldValue): PacketSet
  /** The packets of the set for one value of a free variable; the variable is gone from it. */
  decide(set: PacketSet, key: string, value: boolean): PacketSet
  /** The packets that are in the set for some value of these free variables. */
  forgetFree(set: PacketSet, keys: readonly string[]): PacketSet
  /** The packets that are in the set if instead of bits of fields they are asked for those of others, all at once. */
  renameBits(set: PacketSet, renamed: readonly RenamedBits[]): PacketSet
  /** The set with free variables renamed, such as for another call of the same chain. */
  renameFree(set: PacketSet, rename: (variable: FreeVariable) => FreeVariable | undefined): PacketSet

  /** The rewriting that changes nothing. Equal rewritings are the same object. */
  readonly unchanged: Rewriting
  /** `first`, and `next` after it. */
  compose(first: Rewriting, next: Rewriting): Rewriting
  /** See `Effect` of kind `assign`. */
  assigning(field: RewrittenField, how: Assignment): Rewriting
  /** TTL plus `by`, at least 0, at most 255. */
  adjusting(field: 'ip.ttl', by: number): Rewriting
  setting(field: NumberField, value: FieldValue): Rewriting
  /** To any value from low to high; each call has variables of its own. */
  choosing(field: NumberField, low: FieldValue, high: FieldValue): ChosenRewriting
  /** The original packets that are in `set` after the rewriting. */
  readBack(set: PacketSet, rewriting: Rewriting): PacketSet
  /** What the packets of a set have become. */
  imageUnder(set: PacketSet, rewriting: Rewriting): PacketSet
  /** Tells whether the rewriting writes a bit that the cube asks for. */
  touches(by: Rewriting, cube: PacketCube): boolean
  /** The packets that are not what they were after the rewriting. */
  changedBy(rewriting: Rewriting): PacketSet
  /** The value that the rewriting gives to a field whatever it was, undefined where it leaves any of it. */
  constantOf(rewriting: Rewriting, field: NumberField): bigint | undefined
  rewrites(rewriting: Rewriting, field: NumberField): boolean

  /** Tells whether the set has the packet; free variables as the subject decides, false where nobody said. */
  includes(set: PacketSet, subject: Subject): boolean
  /** A natural member, undefined of the empty set. */
  sample(set: PacketSet): Sample | undefined
  /** How many values these fields have together among the packets of the set; all fields of the packet where none are given. */
  count(set: PacketSet, fields?: readonly NumberField[]): bigint
  /** Some member, as the values of all variables: for quick questions about many sets. */
  pointOf(set: PacketSet): PacketPoint | undefined
  includesPoint(set: PacketSet, point: PacketPoint): boolean
  /** Some of the packets of a set, those of one way through its diagram; undefined of the empty set. */
  cubeIn(set: PacketSet): PacketCube | undefined
  /** Some packet that all sets have and of which the cube holds; undefined where there is none, or where the steps went below 0. */
  pointInAll(sets: readonly PacketSet[], cube: PacketCube, patience: Patience): PacketPoint | undefined
  /** Predicates whose union is the set, widest first, at most `limit` (default 12); packets with `loose` values may be in it or not, as is shorter. */
  cover(set: PacketSet, limit?: number, loose?: readonly { readonly field: NumberField; readonly set: PacketSet }[]): Cover
  /** The same in words, a line each; a last line says that there are more. */
  describe(set: PacketSet, limit?: number): readonly string[]
  /** The values that a field has among the packets of the set that have it, in order; undefined where they are more than `limit` (default 65536) ranges. */
  fieldRanges(set: PacketSet, field: NumberField, limit?: number): readonly ValueRange[] | undefined
  /** The packets that have values in these fields that some packet of the set has in them. */
  keep(set: PacketSet, fields: readonly NumberField[]): PacketSet
  /** The fields on which it depends whether a packet is in the set. */
  fields(set: PacketSet): readonly (NumberField | DeviceField)[]
  /** Fields in the order in which sets can be cut. */
  inOrder(fields: readonly NumberField[]): readonly NumberField[]
  /**
   * The values of a field in order, cut where what any of the sets says of the other fields changes; undefined where the pieces are more
   * than `limit`. The field comes first (see `inOrder`) of those on which the sets depend.
   */
  slices(sets: readonly PacketSet[], field: NumberField, limit: number): readonly Slice<PacketSet>[] | undefined
  /** The free variables on which it depends whether a packet is in the set. */
  freeVariables(set: PacketSet): readonly FreeVariable[]
  /** Returns what is computed, or undefined where that would take more new nodes than these: what was made so far stays. */
  withinBudget<T>(nodes: number, compute: () => T): T | undefined
  /** The number of nodes of the set's diagram, and of all. */
  size(set: PacketSet): number
  nodeCount(): number
}

/** Tells whether a computation ended because its sets grew beyond the limit. */
export function isTooBig(error: unknown): boolean {
  return error instanceof TooManyNodes || error instanceof RangeError
}

/** Returns the packet sets of a family over a universe of devices and kernel sets. */
export function makePacketSets(family: Family, universe: PacketUniverse): PacketSets {
  const space = makeSpace(family, universe)
  const rewritings: Rewritings = new Map()
  return { family, none: branded(ZERO), every: branded(ONE), unchanged: noRewriting(rewritings), ...algebra(space), ...making(space), ...cubes(space), ...changing(space), ...rewriting(space, rewritings), ...reading(space), ...relating(space) }
}

function branded(edge: Edge): PacketSet {
  return edge as PacketSet
}

function algebra(space: Space): Pick<PacketSets, 'union' | 'intersect' | 'subtract' | 'complement' | 'isSubset' | 'meets'> {
  const { bdd } = space
  return {
    union: (...sets) => branded(joinAll(bdd, sets, 'or')),
    intersect: (...sets) => branded(joinAll(bdd, sets, 'and')),
    subtract: (from, what) => branded(and(bdd, from, what ^ 1)),
    complement: set => branded(set ^ 1),
    isSubset: (inner, outer) => !meets(bdd, inner, outer ^ 1),
    meets: (one, other) => meets(bdd, one, other),
  }
}

function making(space: Space): Pick<PacketSets, 'setOf' | 'setOfField' | 'setOfMasked' | 'setOfRanges' | 'setOfDevice' | 'setOfLikeDevice' | 'deviceNames' | 'setOfFree'> {
  return {
    setOf: predicate => branded(setOfPredicate(space, predicate)),
    setOfField: (field, low, high) => branded(low > high ? ZERO : rangesEdge(space, field, [{ low: BigInt(low), high: BigInt(high) }])),
    setOfMasked: (field, mask, wanted) => branded(maskedEdge(space, field, mask, wanted)),
    setOfRanges: (field, ranges) => branded(rangesEdge(space, field, ranges)),
    setOfDevice: (field, pattern) => branded(deviceEdge(space, field, pattern)),
    setOfLikeDevice: (field, name) => branded(likeDeviceEdge(space, field, name)),
    deviceNames: () => namesOfDevices(space),
    setOfFree: (key, words) => branded(freeEdge(space, key, words)),
  }
}

function namesOfDevices({ layout }: Space): readonly string[] {
  const coding = codingOf(layout, 'device.out')
  return coding.kind === 'device' ? coding.devices.classes.map((_, code) => nameOfDevice(coding.devices, code)) : []
}

function cubes(space: Space): Pick<PacketSets, 'noLiterals' | 'cubePartOf' | 'cubeOf' | 'subtractCube' | 'intersectCube' | 'meetsCube' | 'meetInCube' | 'setOfCube' | 'cubesOf' | 'joinCubes' | 'asksForAny' | 'commonCube'> {
  const { bdd } = space
  return {
    noLiterals: [] as readonly number[] as PacketCube,
    cubePartOf(predicates) {
      const { cube, rest } = cubePartOf(space, predicates)
      return { cube: cube as PacketCube | 'never', rest }
    },
    cubeOf(predicates) {
      const { cube, rest } = cubePartOf(space, predicates)
      return cube !== 'never' && rest.length > 0 ? undefined : (cube as PacketCube | 'never')
    },
    subtractCube: (from, cube) => branded(subtractCube(bdd, from, cube)),
    intersectCube: (set, cube) => branded(intersectCube(bdd, set, cube)),
    meetsCube: (set, cube) => meetsCube(bdd, set, cube),
    meetInCube: (one, other, cube) => meetInCube(bdd, one, other, cube),
    setOfCube: cube => branded(cubeEdge(bdd, cube)),
    cubesOf: (set, most) => cubesOfEdge(bdd, set, most)?.map(cube => cube as PacketCube),
    joinCubes: (one, other) => joinCubes(one, other) as PacketCube | 'never',
    asksForAny: (cube, fields) => asksForAny(space, cube, fields),
    commonCube: (one, other) => commonCube(one, other) as PacketCube,
  }
}

function changing(space: Space): Pick<PacketSets, 'exists' | 'assign' | 'preimage' | 'assignRange' | 'preimageRange' | 'decide' | 'forgetFree' | 'renameBits' | 'renameFree'> {
  const { bdd } = space
  const levelOfKey = (key: string): number[] => {
    const level = space.freeLevels.get(key)
    return level === undefined ? [] : [level]
  }
  return {
    exists: (set, field) => branded(forgetField(space, set, field)),
    assign: (set, field, mask, value) => branded(assignField(space, set, field, mask, value)),
    preimage: (set, field, mask, value) => branded(preimageOfAssign(space, set, field, mask, value)),
    assignRange(set, field, low, high) {
      const values = [{ low: BigInt(low), high: BigInt(high) }]
      const having = and(bdd, set, rangesEdge(space, field, EVERY_VALUE))
      return branded(or(bdd, and(bdd, set, rangesEdge(space, field, EVERY_VALUE) ^ 1), and(bdd, forgetField(space, having, field), rangesEdge(space, field, values))))
    },
    preimageRange(set, field, low, high) {
      const has = rangesEdge(space, field, EVERY_VALUE)
      const chosen = forgetField(space, and(bdd, set, rangesEdge(space, field, [{ low: BigInt(low), high: BigInt(high) }])), field)
      return branded(or(bdd, and(bdd, set, has ^ 1), and(bdd, chosen, has)))
    },
    decide: (set, key, value) => branded(substitute(bdd, set, new Map(levelOfKey(key).map(level => [level, value ? ONE : ZERO])))),
    forgetFree: (set, keys) => branded(exists(bdd, set, new Set(keys.flatMap(levelOfKey)))),
    renameBits: (set, renamed) => branded(substitute(bdd, set, new Map(renamed.flatMap(({ field, to, mask, flip }) => {
      const [{ bits: asked }, { bits: given }] = [codingOf(space.layout, field), codingOf(space.layout, to)]
      const indices = Array.from({ length: asked.width }, (_, index) => ({ index, bit: 1n << BigInt(asked.width - 1 - index) })).filter(({ bit }) => (mask & bit) !== 0n)
      return indices.map(({ index, bit }) => [asked.first + index, variable(bdd, given.first + index) ^ ((flip & bit) === 0n ? 0 : 1)] as const)
    })))),
    renameFree: (set, rename) => branded(renameFreeVariables(space, set, rename)),
  }
}

const EVERY_VALUE: readonly ValueRange[] = [{ low: 0n, high: (1n << 256n) - 1n }]

function renameFreeVariables(space: Space, set: Edge, rename: (variable: FreeVariable) => FreeVariable | undefined): Edge {
  const functions = new Map<number, Edge>()
  for (const level of supportOf(space.bdd, set)) {
    const free = space.freeKeys.get(level)
    const renamed = free && rename(free)
    if (renamed) functions.set(level, freeEdge(space, renamed.key, renamed.words))
  }
  return substitute(space.bdd, set, functions)
}

function rewriting(space: Space, rewritings: Rewritings): Pick<PacketSets, 'compose' | 'assigning' | 'adjusting' | 'setting' | 'choosing' | 'readBack' | 'imageUnder' | 'touches' | 'changedBy' | 'constantOf' | 'rewrites'> {
  return {
    compose: (first, next) => compose(space, rewritings, first, next),
    assigning: (field, how) => assigning(space, rewritings, field, how),
    adjusting: (field, by) => adjusting(space, rewritings, field, by),
    setting: (field, value) => setting(space, rewritings, field, value),
    choosing(field, low, high) {
      const chosen = choosing(space, rewritings, field, low, high)
      return { rewriting: chosen.rewriting, choices: branded(chosen.choices) }
    },
    readBack: (set, by) => branded(readBack(space, set, by)),
    imageUnder: (set, by) => branded(imageUnder(space, set, by)),
    touches: (by, cube) => by.bits.size > 0 && cube.some(literal => by.bits.has(literal >> 1)),
    changedBy: by => branded(changedBy(space, by)),
    constantOf: (by, field) => constantOf(space, by, field),
    rewrites: (by, field) => rewrites(space, by, field),
  }
}

function reading(space: Space): Pick<PacketSets, 'includes' | 'sample' | 'pointOf' | 'includesPoint' | 'cubeIn' | 'pointInAll' | 'count' | 'cover' | 'describe' | 'fieldRanges' | 'freeVariables' | 'size' | 'nodeCount' | 'withinBudget'> {
  const { bdd } = space
  return {
    includes: (set, subject) => includesSubject(space, set, subject),
    sample: set => sampleOf(space, set),
    pointOf: set => pointOf(space, set),
    includesPoint: (set, point) => includesPoint(space, set, point),
    cubeIn: set => memberOfAll(bdd, [set], [], { steps: Infinity }) as PacketCube | undefined,
    pointInAll(sets, cube, patience) {
      const literals = memberOfAll(bdd, sets, cube, patience)
      const point = literals && new Uint8Array(space.nextLevel)
      for (const literal of literals ?? []) if (point) point[literal >> 1] = literal & 1
      return point
    },
    count: (set, fields) => countPackets(space, set, fields),
    cover: (set, limit = 12, loose = []) => coverOf(space, set, limit, loose.map(({ field, set: edge }) => ({ field, edge }))),
    describe(set, limit = 12) {
      const { predicates, isWhole } = coverOf(space, set, limit)
      if (set === ZERO) return ['no packet']
      return [...predicates.map(packetsInWords), ...(isWhole ? [] : ['and others'])]
    },
    fieldRanges: (set, field, limit = 65536) => fieldRangesOf(space, set, field, limit),
    freeVariables: set => [...supportOf(bdd, set)].flatMap(level => space.freeKeys.get(level) ?? []),
    size: set => sizeOf(bdd, set),
    nodeCount: () => bdd.count,
    withinBudget: (nodes, compute) => withinBudget(bdd, nodes, compute),
  }
}

/** The limit of all nodes stands; what ends the computation may only be this one. */
function withinBudget<T>(bdd: Bdd, nodes: number, compute: () => T): T | undefined {
  const limit = bdd.nodeLimit
  bdd.nodeLimit = Math.min(limit, bdd.count + nodes)
  try {
    return compute()
  } catch (error) {
    if (!isTooBig(error)) throw error
    return undefined
  } finally {
    bdd.nodeLimit = limit
  }
}

function relating(space: Space): Pick<PacketSets, 'keep' | 'fields' | 'inOrder' | 'slices'> {
  return {
    keep: (set, fields) => branded(keepFields(space, set, fields)),
    fields: set => fieldsOf(space, set),
    inOrder: fields => inOrder(space, fields),
    slices: (sets, field, limit) => slicesOf(space, sets, field, limit)?.map(slice => ({ ...slice, rests: slice.rests.map(branded) })),
  }
}

/** Spare codes and the fields that a packet lacks are counted once. */
function countPackets(space: Space, set: Edge, fields: readonly NumberField[] | undefined): bigint {
  const all = fields ?? [...space.layout.codings.keys()]
  const levels = levelsOf(space, all)
  const normal = and(space.bdd, set, normalEdge(space))
  const others = new Set([...supportOf(space.bdd, normal)].filter(level => !levels.has(level)))
  return countAssignments(space.bdd, exists(space.bdd, normal, others), [...levels].sort((one, other) => one - other))
}
