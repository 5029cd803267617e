/** Cubes: conjunctions of variables, as most rules are. What is done with them walks one path and touches no cache. */

import { BOTTOM, highOf, levelOf, lowOf, makeNode, ONE, ZERO } from './bdd.ts'
import type { Bdd, Edge } from './bdd.ts'

/** Literals in the order of the variables: level * 2, plus one where the variable is 1. */
export type Cube = Int32Array

/** Returns the function without the cube. */
export function subtractCube(bdd: Bdd, edge: Edge, cube: Cube): Edge {
  return subtract(bdd, edge, cube, 0, new Map())
}

/** Returns the function within the cube. */
export function intersectCube(bdd: Bdd, edge: Edge, cube: Cube): Edge {
  return intersect(bdd, edge, cube, 0, new Map())
}

/** Tells whether the function is true anywhere in the cube. */
export function meetsCube(bdd: Bdd, edge: Edge, cube: Cube): boolean {
  return meetsFrom(bdd, edge, cube, 0, undefined)
}

/** Returns the cube as a function. */
export function cubeEdge(bdd: Bdd, cube: Cube): Edge {
  return cube.reduceRight<Edge>((edge, literal) => (literal & 1 ? makeNode(bdd, literal >> 1, ZERO, edge) : makeNode(bdd, literal >> 1, edge, ZERO)), ONE)
}

/** The level of a literal of a cube, `BOTTOM` after the last. */
function literalLevel(cube: Cube, at: number): number {
  const literal = cube[at]
  return literal === undefined ? BOTTOM : literal >> 1
}

/** Where the function branches above the cube's next variable, results are remembered by edge and place. */
function subtract(bdd: Bdd, edge: Edge, cube: Cube, at: number, known: Map<number, Edge>): Edge {
  if (edge === ZERO || at === cube.length) return ZERO
  const level = levelOf(bdd, edge)
  const cubeLevel = literalLevel(cube, at)
  if (level < cubeLevel) {
    const key = edge * 1024 + at
    const seen = known.get(key)
    if (seen !== undefined) return seen
    const result = makeNode(bdd, level, subtract(bdd, lowOf(bdd, edge), cube, at, known), subtract(bdd, highOf(bdd, edge), cube, at, known))
    known.set(key, result)
    return result
  }
  const low = level === cubeLevel ? lowOf(bdd, edge) : edge
  const high = level === cubeLevel ? highOf(bdd, edge) : edge
  return ((cube[at] ?? 0) & 1) === 1
    ? makeNode(bdd, cubeLevel, low, subtract(bdd, high, cube, at + 1, known))
    : makeNode(bdd, cubeLevel, subtract(bdd, low, cube, at + 1, known), high)
}

function intersect(bdd: Bdd, edge: Edge, cube: Cube, at: number, known: Map<number, Edge>): Edge {
  if (edge === ZERO || at === cube.length) return edge
  const level = levelOf(bdd, edge)
  const cubeLevel = literalLevel(cube, at)
  if (level < cubeLevel) {
    const key = edge * 1024 + at
    const seen = known.get(key)
    if (seen !== undefined) return seen
    const result = makeNode(bdd, level, intersect(bdd, lowOf(bdd, edge), cube, at, known), intersect(bdd, highOf(bdd, edge), cube, at, known))
    known.set(key, result)
    return result
  }
  return ((cube[at] ?? 0) & 1) === 1
    ? makeNode(bdd, cubeLevel, ZERO, intersect(bdd, level === cubeLevel ? highOf(bdd, edge) : edge, cube, at + 1, known))
    : makeNode(bdd, cubeLevel, intersect(bdd, level === cubeLevel ? lowOf(bdd, edge) : edge, cube, at + 1, known), ZERO)
}

function meetsFrom(bdd: Bdd, edge: Edge, cube: Cube, at: number, missed: Set<number> | undefined): boolean {
  if (edge === ZERO) return false
  if (at === cube.length) return true
  const level = levelOf(bdd, edge)
  const cubeLevel = literalLevel(cube, at)
  if (level < cubeLevel) {
    const key = edge * 1024 + at
    const misses = missed ?? new Set<number>()
    if (misses.has(key)) return false
    if (meetsFrom(bdd, highOf(bdd, edge), cube, at, misses) || meetsFrom(bdd, lowOf(bdd, edge), cube, at, misses)) return true
    misses.add(key)
    return false
  }
  if (level > cubeLevel) return meetsFrom(bdd, edge, cube, at + 1, missed)
  return meetsFrom(bdd, ((cube[at] ?? 0) & 1) === 1 ? highOf(bdd, edge) : lowOf(bdd, edge), cube, at + 1, missed)
}
