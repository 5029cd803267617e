/** Cubes: conjunctions of variables, as most rules are. What is done with them walks one path and touches no cache. */

import { beginCube, BOTTOM, highOf, levelOf, lowOf, makeNode, meets, ONE, recallCube, rememberCube, ZERO } from './bdd.ts'
import type { Bdd, Edge } from './bdd.ts'

/** Literals in the order of the variables: level * 2, plus one where the variable is 1. */
export type Cube = readonly number[]

/** Returns the function without the cube. */
export function subtractCube(bdd: Bdd, edge: Edge, cube: Cube): Edge {
  beginCube(bdd)
  return subtract(bdd, edge, cube, 0)
}

/** Returns the function within the cube. */
export function intersectCube(bdd: Bdd, edge: Edge, cube: Cube): Edge {
  beginCube(bdd)
  return intersect(bdd, edge, cube, 0)
}

/** Tells whether the function is true anywhere in the cube. */
export function meetsCube(bdd: Bdd, edge: Edge, cube: Cube): boolean {
  beginCube(bdd)
  return meetsFrom(bdd, edge, cube, 0)
}

/** Tells whether two functions are true together anywhere in the cube, without building anything. */
export function meetInCube(bdd: Bdd, one: Edge, other: Edge, cube: Cube): boolean {
  beginCube(bdd)
  return meetFrom(bdd, one, other, cube, 0)
}

/** Returns the cube as a function. */
export function cubeEdge(bdd: Bdd, cube: Cube): Edge {
  return cube.reduceRight<Edge>((edge, literal) => (literal & 1 ? makeNode(bdd, literal >> 1, ZERO, edge) : makeNode(bdd, literal >> 1, edge, ZERO)), ONE)
}

/** Returns the paths on which the function is true, each as a cube; undefined where they are more than `most`. */
export function cubesOfEdge(bdd: Bdd, edge: Edge, most: number): readonly Cube[] | undefined {
  const found: Cube[] = []
  const open: { readonly edge: Edge; readonly path: Cube }[] = [{ edge, path: [] }]
  for (let next = open.pop(); next; next = open.pop()) {
    const { edge: at, path } = next
    if (at === ZERO) continue
    if (found.length === most) return undefined
    if (at === ONE) {
      found.push(path)
      continue
    }
    const level = levelOf(bdd, at)
    open.push({ edge: highOf(bdd, at), path: [...path, level * 2 + 1] }, { edge: lowOf(bdd, at), path: [...path, level * 2] })
  }
  return found
}

/** Returns the literals of both cubes in order, 'never' where one has the opposite of another. */
export function joinCubes(one: Cube, other: Cube): Cube | 'never' {
  const joined: number[] = []
  let [at, otherAt] = [0, 0]
  while (at < one.length && otherAt < other.length) {
    const [literal, otherLiteral] = [one[at] ?? 0, other[otherAt] ?? 0]
    if ((literal ^ otherLiteral) === 1) return 'never'
    joined.push(literal < otherLiteral ? literal : otherLiteral)
    if (literal <= otherLiteral) at++
    if (otherLiteral <= literal) otherAt++
  }
  while (at < one.length) joined.push(one[at++] ?? 0)
  while (otherAt < other.length) joined.push(other[otherAt++] ?? 0)
  return joined
}

/** Returns the literals that both cubes have, in order. */
export function commonCube(one: Cube, other: Cube): Cube {
  const common: number[] = []
  for (let [at, otherAt] = [0, 0]; at < one.length && otherAt < other.length; ) {
    const [literal, otherLiteral] = [one[at] ?? 0, other[otherAt] ?? 0]
    if (literal === otherLiteral) common.push(literal)
    if (literal <= otherLiteral) at++
    if (otherLiteral <= literal) otherAt++
  }
  return common
}

/** The level of a literal of a cube, `BOTTOM` after the last. */
function literalLevel(cube: Cube, at: number): number {
  const literal = cube[at]
  return literal === undefined ? BOTTOM : literal >> 1
}

/** Branches often lead to one place. */
function subtractOnce(bdd: Bdd, edge: Edge, cube: Cube, at: number): Edge {
  const seen = recallCube(bdd, edge, at)
  if (seen !== undefined) return seen
  const result = subtract(bdd, edge, cube, at)
  rememberCube(bdd, edge, at, result)
  return result
}

function subtract(bdd: Bdd, edge: Edge, cube: Cube, at: number): Edge {
  if (edge === ZERO || at === cube.length) return ZERO
  const level = levelOf(bdd, edge)
  const cubeLevel = literalLevel(cube, at)
  if (level < cubeLevel) return makeNode(bdd, level, subtractOnce(bdd, lowOf(bdd, edge), cube, at), subtractOnce(bdd, highOf(bdd, edge), cube, at))
  const low = level === cubeLevel ? lowOf(bdd, edge) : edge
  const high = level === cubeLevel ? highOf(bdd, edge) : edge
  return ((cube[at] ?? 0) & 1) === 1
    ? makeNode(bdd, cubeLevel, low, subtract(bdd, high, cube, at + 1))
    : makeNode(bdd, cubeLevel, subtract(bdd, low, cube, at + 1), high)
}

/** Branches often lead to one place. */
function intersectOnce(bdd: Bdd, edge: Edge, cube: Cube, at: number): Edge {
  const seen = recallCube(bdd, edge, at)
  if (seen !== undefined) return seen
  const result = intersect(bdd, edge, cube, at)
  rememberCube(bdd, edge, at, result)
  return result
}

function intersect(bdd: Bdd, edge: Edge, cube: Cube, at: number): Edge {
  if (edge === ZERO || at === cube.length) return edge
  const level = levelOf(bdd, edge)
  const cubeLevel = literalLevel(cube, at)
  if (level < cubeLevel) return makeNode(bdd, level, intersectOnce(bdd, lowOf(bdd, edge), cube, at), intersectOnce(bdd, highOf(bdd, edge), cube, at))
  return ((cube[at] ?? 0) & 1) === 1
    ? makeNode(bdd, cubeLevel, ZERO, intersect(bdd, level === cubeLevel ? highOf(bdd, edge) : edge, cube, at + 1))
    : makeNode(bdd, cubeLevel, intersect(bdd, level === cubeLevel ? lowOf(bdd, edge) : edge, cube, at + 1), ZERO)
}

function meetsOnce(bdd: Bdd, edge: Edge, cube: Cube, at: number): boolean {
  if (recallCube(bdd, edge, at) === ZERO) return false
  if (meetsFrom(bdd, edge, cube, at)) return true
  rememberCube(bdd, edge, at, ZERO)
  return false
}

function meetsFrom(bdd: Bdd, edge: Edge, cube: Cube, at: number): boolean {
  if (edge === ZERO) return false
  if (at === cube.length) return true
  const level = levelOf(bdd, edge)
  const cubeLevel = literalLevel(cube, at)
  if (level < cubeLevel) return meetsOnce(bdd, highOf(bdd, edge), cube, at) || meetsOnce(bdd, lowOf(bdd, edge), cube, at)
  if (level > cubeLevel) return meetsFrom(bdd, edge, cube, at + 1)
  return meetsFrom(bdd, ((cube[at] ?? 0) & 1) === 1 ? highOf(bdd, edge) : lowOf(bdd, edge), cube, at + 1)
}

/** Remembers by the first function the second one that it does not meet; `meetsOnce` remembers that the first is true nowhere. */
function meetOnce(bdd: Bdd, one: Edge, other: Edge, cube: Cube, at: number): boolean {
  if (one === ZERO || other === ZERO) return false
  const apart = recallCube(bdd, one, at)
  if (apart === other || apart === ZERO) return false
  if (meetFrom(bdd, one, other, cube, at)) return true
  rememberCube(bdd, one, at, other)
  return false
}

function meetFrom(bdd: Bdd, one: Edge, other: Edge, cube: Cube, at: number): boolean {
  if (one === ZERO || other === ZERO || one === (other ^ 1)) return false
  if (one === ONE || one === other) return meetsFrom(bdd, other, cube, at)
  if (other === ONE) return meetsFrom(bdd, one, cube, at)
  if (at === cube.length) return meets(bdd, one, other)
  const [oneLevel, otherLevel, cubeLevel] = [levelOf(bdd, one), levelOf(bdd, other), literalLevel(cube, at)]
  const level = Math.min(oneLevel, otherLevel)
  if (level > cubeLevel) return meetFrom(bdd, one, other, cube, at + 1)
  const isHigh = level < cubeLevel || ((cube[at] ?? 0) & 1) === 1
  const isLow = level < cubeLevel || !isHigh
  const next = level < cubeLevel ? at : at + 1
  if (isHigh && meetOnce(bdd, oneLevel === level ? highOf(bdd, one) : one, otherLevel === level ? highOf(bdd, other) : other, cube, next)) return true
  return isLow && meetOnce(bdd, oneLevel === level ? lowOf(bdd, one) : one, otherLevel === level ? lowOf(bdd, other) : other, cube, next)
}
