/**
 * Finds among many cubes those that have something in common with one cube, without asking each: a tree in which cubes with one beginning stand
 * together, so that where the beginning contradicts the cube all of them are passed over. It grows where it is walked.
 */

import type { Cube } from './bdd-cubes.ts'

/** Cubes, ready to be asked. */
export interface CubeIndex {
  readonly cubes: readonly Cube[]
  readonly root: Branch | undefined
  /** Room for the values of a cube that is asked about: `FREE` for each variable between questions. */
  readonly values: Uint8Array
}

/** So many cubes are asked one by one. */
const FEW = 8

/** A variable may have either value. */
const FREE = 2

/** What cubes ask of the first variables, two numbers each: which of them it asks for, and their values. Enough to pass over most at a glance. */
export interface CubeSieve {
  readonly bits: Int32Array
}

/** So many variables are looked at: as many bits as a number has. */
const SIEVED = 32

/** Cubes with a common beginning: their first `depth` literals; the branch above says so of the first `known`. */
interface Branch {
  readonly members: readonly number[]
  readonly known: number
  readonly depth: number
  parts: Parts | undefined
}

/** The cubes of a branch that have no more literals, and the others by their next one. */
interface Parts {
  readonly whole: readonly number[]
  readonly children: readonly Branch[]
}

/** Returns the index of cubes; those that are undefined are not in it. */
export function indexCubes(cubes: readonly (Cube | undefined)[]): CubeIndex {
  const known = cubes.map(cube => cube ?? [])
  const members = cubes.flatMap((cube, at) => (cube ? [at] : []))
  const levels = known.reduce((most, cube) => Math.max(most, ((cube.at(-1) ?? -2) >> 1) + 1), 0)
  return { cubes: known, root: members.length === 0 ? undefined : makeBranch(known, members, 0), values: new Uint8Array(levels).fill(FREE) }
}

/** Returns the places, from one on, of the cubes that have something in common with `cube`, in order. */
export function cubesMeeting(index: CubeIndex, cube: Cube, from: number): readonly number[] {
  for (const literal of cube) index.values[literal >> 1] = literal & 1
  const found = cubesAt(index, index.values, from)
  for (const literal of cube) index.values[literal >> 1] = FREE
  return found
}

/** Returns the places, from one on, of the cubes that have a packet, given as the values of all variables (1 or 0, 0 where it has none), in order. */
export function cubesAt({ cubes, root }: CubeIndex, values: Uint8Array, from: number): readonly number[] {
  const found: number[] = []
  const open = root ? [root] : []
  for (let branch = open.pop(); branch; branch = open.pop()) {
    const { members, known, depth } = branch
    if ((members[members.length - 1] ?? 0) < from) continue
    if (!isOpen(cubes[members[0] ?? 0] ?? [], known, depth, values)) continue
    if (members.length <= FEW) {
      for (const member of members) if (member >= from && isOpen(cubes[member] ?? [], depth, Infinity, values)) found.push(member)
      continue
    }
    const { whole, children } = (branch.parts ??= divide(cubes, branch))
    for (const member of whole) if (member >= from) found.push(member)
    for (const child of children) open.push(child)
  }
  return found.length < 2 ? found : found.sort((one, other) => one - other)
}

/** Returns the sieve of cubes; one that is undefined asks for nothing. */
export function sieveCubes(cubes: readonly (Cube | undefined)[]): CubeSieve {
  const bits = new Int32Array(cubes.length * 2)
  for (const [index, cube] of cubes.entries()) {
    for (const literal of cube ?? []) {
      if (literal >= SIEVED * 2) break
      const bit = 1 << (literal >> 1)
      bits[index * 2] = (bits[index * 2] ?? 0) | bit
      if (literal & 1) bits[index * 2 + 1] = (bits[index * 2 + 1] ?? 0) | bit
    }
  }
  return { bits }
}

/** Returns the places, in order, of the cubes that may have a packet, as far as the first variables tell; `to` is where to end. */
export function cubesSieved({ bits }: CubeSieve, values: Uint8Array, to: number): readonly number[] {
  let packet = 0
  for (let level = 0; level < SIEVED; level++) if (values[level] === 1) packet |= 1 << level
  const found: number[] = []
  for (let place = 0; place < to; place++) if (((packet & (bits[place * 2] ?? 0)) ^ (bits[place * 2 + 1] ?? 0)) === 0) found.push(place)
  return found
}

/** Tells whether no value contradicts the literals from one place of a cube up to another. */
function isOpen(cube: Cube, from: number, to: number, values: Uint8Array): boolean {
  const end = Math.min(to, cube.length)
  for (let at = from; at < end; at++) {
    const literal = cube[at] ?? 0
    if ((values[literal >> 1] ?? 0) === ((literal & 1) ^ 1)) return false
  }
  return true
}

/** Tells whether two cubes have something in common. */
export function cubesMeet(one: Cube, other: Cube): boolean {
  for (let [at, otherAt] = [0, 0]; at < one.length && otherAt < other.length; ) {
    const [literal, otherLiteral] = [one[at] ?? 0, other[otherAt] ?? 0]
    if ((literal ^ otherLiteral) === 1) return false
    if (literal <= otherLiteral) at++
    if (otherLiteral <= literal) otherAt++
  }
  return true
}

function makeBranch(cubes: readonly Cube[], members: readonly number[], known: number): Branch {
  return { members, known, depth: commonLength(cubes, members, known), parts: undefined }
}

/** Returns how many literals cubes have in common at their beginning, at least `known`. */
function commonLength(cubes: readonly Cube[], members: readonly number[], known: number): number {
  const first = cubes[members[0] ?? 0] ?? []
  let length = first.length
  for (const member of members) {
    const cube = cubes[member] ?? []
    let at = known
    while (at < length && cube[at] === first[at]) at++
    length = at
  }
  return length
}

function divide(cubes: readonly Cube[], { members, depth }: Branch): Parts {
  const whole: number[] = []
  const groups = new Map<number, number[]>()
  for (const member of members) {
    const literal = cubes[member]?.[depth]
    const group = literal === undefined ? whole : groups.get(literal)
    if (group) group.push(member)
    else if (literal !== undefined) groups.set(literal, [member])
  }
  return { whole, children: [...groups.values()].map(group => makeBranch(cubes, group, depth)) }
}
