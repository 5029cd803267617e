/** One assignment that makes several functions true at once, without building their conjunction. */

import { BOTTOM, highOf, levelOf, lowOf, ZERO } from './bdd.ts'
import type { Bdd, Edge } from './bdd.ts'
import type { Cube } from './bdd-cubes.ts'

/** How much may be searched: steps from variable to variable. */
export interface Patience {
  steps: number
}

interface Search {
  readonly bdd: Bdd
  readonly cube: Cube
  readonly patience: Patience
  /** How many functions there are. */
  readonly width: number
  /** Functions that are nowhere true together in the cube. */
  readonly failed: Set<string>
  /** The variables that are decided: literals of the cube and branches taken. */
  readonly path: number[]
}

/**
 * Returns the literals of a path on which all functions are true in the cube, those of the cube among them; undefined where they are nowhere,
 * and where the patience ended: its steps are below 0 then.
 */
export function memberOfAll(bdd: Bdd, edges: readonly Edge[], cube: Cube, patience: Patience): readonly number[] | undefined {
  const path = [...cube]
  return edges.includes(ZERO) || !find({ bdd, cube, patience, width: edges.length, failed: new Set(), path }, [...edges], 0) ? undefined : path
}

/** Goes down while there is one branch; where there are two, the lower one is tried first. `row`: the functions, which are none of them false. */
function find(search: Search, row: Edge[], from: number): boolean {
  const { bdd, cube, path, failed, patience, width } = search
  const failing: string[] = []
  const [low, high]: readonly [Edge[], Edge[]] = [[], []]
  for (let at = from; patience.steps-- >= 0; ) {
    let level = BOTTOM
    for (let place = 0; place < width; place++) level = Math.min(level, levelOf(bdd, row[place] ?? ZERO))
    if (level === BOTTOM) return true
    while (at < cube.length && (cube[at] ?? 0) >> 1 < level) at++
    const literal = cube[at] ?? -1
    const isFixed = literal >> 1 === level
    let isLow = !isFixed || (literal & 1) === 0
    let isHigh = !isFixed || (literal & 1) === 1
    for (let place = 0; place < width; place++) {
      const edge = row[place] ?? ZERO
      const isHere = levelOf(bdd, edge) === level
      low[place] = isHere ? lowOf(bdd, edge) : edge
      high[place] = isHere ? highOf(bdd, edge) : edge
      if (low[place] === ZERO) isLow = false
      if (high[place] === ZERO) isHigh = false
    }
    if (isLow && isHigh) {
      if (failed.size > 0 && failed.has(keyOf(row))) break
      const length = path.push(level * 2)
      if (find(search, [...low], at)) return true
      path.length = length - 1
      failing.push(keyOf(row))
    }
    if (!isLow && !isHigh) break
    if (!isFixed) path.push(level * 2 + (isHigh ? 1 : 0))
    for (let place = 0; place < width; place++) row[place] = (isHigh ? high[place] : low[place]) ?? ZERO
  }
  for (const key of failing) failed.add(key)
  return false
}

function keyOf(row: readonly Edge[]): string {
  return row.join(' ')
}
