/**
 * Boolean functions as binary decision diagrams in typed arrays. An edge is a node number times two, plus one where it is negated:
 * equal functions are equal numbers, and negation costs nothing. Nodes are never freed; see README.md for why.
 */

import { invariant } from '../diagnostics/diagnostic.ts'

/** An edge: a Boolean function. */
export type Edge = number

/** The function that is true everywhere. */
export const ONE: Edge = 0

/** The function that is true nowhere. */
export const ZERO: Edge = 1

/** The level of the two constants: below every variable. */
export const BOTTOM = 0x3fffffff

/** The nodes, the table that finds them again, and what was computed before. */
export interface Bdd {
  count: number
  /** Three numbers for each node: its level, the edge for 0, the edge for 1. Together, since they are read together. */
  nodes: Int32Array
  /** Open addressing: node numbers, 0 = free. */
  table: Int32Array
  /** Results of `and`, three numbers each: one edge, the other, the result. */
  cache: Int32Array
  /** Results of `meets`: pairs that are known to have nothing in common. */
  apart: Int32Array
  cacheMask: number
  apartMask: number
  /** Results of operations with cubes, three numbers each: the edge, operation and place in the cube, the result. */
  cubeCache: Int32Array
  cubeMask: number
  /** The operation with a cube that is under way. */
  cubeRun: number
  nodeLimit: number
}

/** Places of the table in which a node is looked for beside its later child, before those of its hash: a power of 2. */
const NEAR = 4

/** Caches grow with the nodes up to so many. */
const CACHED = 1 << 21

/** Thrown where a computation needs more nodes than the limit: analyses catch it and answer with what they have. */
export class TooManyNodes extends Error {}

/** Returns an empty collection of functions. 20 million nodes take about 400 MB. */
export function makeBdd(nodeLimit: number, expected: number): Bdd {
  const size = 1 << Math.min(23, Math.max(12, Math.ceil(Math.log2(expected + 1))))
  const bdd: Bdd = {
    count: 1,
    nodes: new Int32Array(size * 3),
    table: new Int32Array(size * 2),
    cache: new Int32Array(0),
    apart: new Int32Array(0),
    cacheMask: 0,
    apartMask: 0,
    cubeCache: new Int32Array(0),
    cubeMask: 0,
    cubeRun: 0,
    nodeLimit,
  }
  bdd.nodes[0] = BOTTOM
  growCaches(bdd, Math.min(size, CACHED))
  return bdd
}

/** Returns the level of the first variable that a function depends on, `BOTTOM` for the constants. */
export function levelOf(bdd: Bdd, edge: Edge): number {
  return bdd.nodes[(edge >> 1) * 3]!
}

/** Returns the function with its first variable 0. */
export function lowOf(bdd: Bdd, edge: Edge): Edge {
  return bdd.nodes[(edge >> 1) * 3 + 1]! ^ (edge & 1)
}

/** Returns the function with its first variable 1. */
export function highOf(bdd: Bdd, edge: Edge): Edge {
  return bdd.nodes[(edge >> 1) * 3 + 2]! ^ (edge & 1)
}

/** Returns the function "if the variable at `level` then `high` else `low`"; both depend on later variables only. */
export function makeNode(bdd: Bdd, level: number, low: Edge, high: Edge): Edge {
  if (low === high) return low
  return high & 1 ? findNode(bdd, level, low ^ 1, high ^ 1) ^ 1 : findNode(bdd, level, low, high)
}

function findNode(bdd: Bdd, level: number, low: Edge, high: Edge): Edge {
  const { table, nodes } = bdd
  const home = homeOf(table, low, high)
  for (let slot = home; slot < home + NEAR; slot++) {
    const node = table[slot]!
    if (node === 0) return addNode(bdd, slot, level, low, high)
    const at = node * 3
    if (nodes[at + 1] === low && nodes[at + 2] === high && nodes[at] === level) return node << 1
  }
  const mask = table.length - 1
  for (let slot = hash(level, low, high) & mask; ; slot = (slot + 1) & mask) {
    const node = table[slot]!
    if (node === 0) return addNode(bdd, slot, level, low, high)
    const at = node * 3
    if (nodes[at + 1] === low && nodes[at + 2] === high && nodes[at] === level) return node << 1
  }
}

/** Most nodes are made right after a child of theirs: they are looked for beside its number first, in memory that was just used. */
function homeOf(table: Int32Array, low: Edge, high: Edge): number {
  return (low > high ? low : high) & (table.length - NEAR)
}

function hash(level: number, low: Edge, high: Edge): number {
  const mixed = Math.imul(Math.imul(low, 0x9e3779b1) ^ (high + 0x7f4a7c15), 0x85ebca6b) ^ Math.imul(level, 0xc2b2ae35)
  return mixed ^ (mixed >>> 15)
}

function addNode(bdd: Bdd, slot: number, level: number, low: Edge, high: Edge): Edge {
  const node = bdd.count
  if (node >= bdd.nodeLimit) throw new TooManyNodes(`more than ${bdd.nodeLimit} nodes`)
  const at = node * 3
  if (at === bdd.nodes.length) {
    grow(bdd)
    return findNode(bdd, level, low, high)
  }
  bdd.count = node + 1
  bdd.nodes[at] = level
  bdd.nodes[at + 1] = low
  bdd.nodes[at + 2] = high
  bdd.table[slot] = node
  return node << 1
}

function grow(bdd: Bdd): void {
  const size = (bdd.nodes.length / 3) * 2
  const nodes = new Int32Array(size * 3)
  nodes.set(bdd.nodes)
  bdd.nodes = nodes
  bdd.table = new Int32Array(size * 2)
  const mask = bdd.table.length - 1
  for (let node = 1; node < bdd.count; node++) {
    const [level, low, high] = [nodes[node * 3]!, nodes[node * 3 + 1]!, nodes[node * 3 + 2]!]
    let slot = homeOf(bdd.table, low, high)
    const behind = slot + NEAR
    while (slot < behind && bdd.table[slot] !== 0) slot++
    if (slot === behind) slot = hash(level, low, high) & mask
    while (bdd.table[slot] !== 0) slot = (slot + 1) & mask
    bdd.table[slot] = node
  }
  if (size <= CACHED) growCaches(bdd, size)
}

function growCaches(bdd: Bdd, size: number): void {
  bdd.cacheMask = (size >> 1) - 1
  bdd.apartMask = (size >> 2) - 1
  bdd.cubeMask = (size >> 2) - 1
  bdd.cache = new Int32Array(3 * (size >> 1)).fill(-1)
  bdd.apart = new Int32Array(2 * (size >> 2)).fill(-1)
  bdd.cubeCache = new Int32Array(3 * (size >> 2)).fill(-1)
}

/** Returns the conjunction. */
export function and(bdd: Bdd, one: Edge, other: Edge): Edge {
  if (one === other || other === ONE) return one
  if (one === ONE) return other
  if (one === ZERO || other === ZERO || one === (other ^ 1)) return ZERO
  const f = one < other ? one : other
  const g = one < other ? other : one
  const mixed = mix(f, g)
  const known = 3 * (mixed & bdd.cacheMask)
  if (bdd.cache[known] === f && bdd.cache[known + 1] === g) return bdd.cache[known + 2]!
  const fLevel = levelOf(bdd, f)
  const gLevel = levelOf(bdd, g)
  const level = fLevel < gLevel ? fLevel : gLevel
  const low = and(bdd, fLevel === level ? lowOf(bdd, f) : f, gLevel === level ? lowOf(bdd, g) : g)
  const high = and(bdd, fLevel === level ? highOf(bdd, f) : f, gLevel === level ? highOf(bdd, g) : g)
  const result = makeNode(bdd, level, low, high)
  const place = 3 * (mixed & bdd.cacheMask)
  bdd.cache[place] = f
  bdd.cache[place + 1] = g
  bdd.cache[place + 2] = result
  return result
}

/** Begins an operation with a cube: what earlier ones left in the cache is not its own. */
export function beginCube(bdd: Bdd): void {
  bdd.cubeRun = (bdd.cubeRun + 1) & 0xfffff
  if (bdd.cubeRun === 0) bdd.cubeCache.fill(-1)
}

/** Returns what the operation under way made of an edge at a place of its cube, undefined where that is not known. */
export function recallCube(bdd: Bdd, edge: Edge, at: number): Edge | undefined {
  const run = (bdd.cubeRun << 11) | at
  const slot = 3 * (mix(edge, run) & bdd.cubeMask)
  return bdd.cubeCache[slot] === edge && bdd.cubeCache[slot + 1] === run ? bdd.cubeCache[slot + 2] : undefined
}

/** Remembers what the operation under way made of an edge at a place of its cube. */
export function rememberCube(bdd: Bdd, edge: Edge, at: number, result: Edge): void {
  const run = (bdd.cubeRun << 11) | at
  const slot = 3 * (mix(edge, run) & bdd.cubeMask)
  bdd.cubeCache[slot] = edge
  bdd.cubeCache[slot + 1] = run
  bdd.cubeCache[slot + 2] = result
}

function mix(f: Edge, g: Edge): number {
  const mixed = Math.imul(f, 0x9e3779b1) ^ Math.imul(g, 0x85ebca6b)
  return mixed ^ (mixed >>> 15)
}

/** Returns the disjunction. */
export function or(bdd: Bdd, one: Edge, other: Edge): Edge {
  return and(bdd, one ^ 1, other ^ 1) ^ 1
}

/** Returns "if `condition` then `one` else `other`". */
export function choose(bdd: Bdd, condition: Edge, one: Edge, other: Edge): Edge {
  return or(bdd, and(bdd, condition, one), and(bdd, condition ^ 1, other))
}

/** Tells whether two functions are true somewhere together, without building their conjunction. */
export function meets(bdd: Bdd, one: Edge, other: Edge): boolean {
  if (one === ZERO || other === ZERO || one === (other ^ 1)) return false
  if (one === ONE || other === ONE || one === other) return true
  const f = one < other ? one : other
  const g = one < other ? other : one
  const { apart } = bdd
  const slot = 2 * (mix(f, g) & bdd.apartMask)
  if (apart[slot] === f && apart[slot + 1] === g) return false
  const fLevel = levelOf(bdd, f)
  const gLevel = levelOf(bdd, g)
  const level = Math.min(fLevel, gLevel)
  if (meets(bdd, fLevel === level ? highOf(bdd, f) : f, gLevel === level ? highOf(bdd, g) : g)) return true
  if (meets(bdd, fLevel === level ? lowOf(bdd, f) : f, gLevel === level ? lowOf(bdd, g) : g)) return true
  apart[slot] = f
  apart[slot + 1] = g
  return false
}

/** Returns the variable at a level as a function. */
export function variable(bdd: Bdd, level: number): Edge {
  invariant(level >= 0 && level < BOTTOM, 'a variable has a level')
  return makeNode(bdd, level, ZERO, ONE)
}
