/** Functions of one function: variables forgotten, replaced, found and counted. */

import { and, BOTTOM, choose, highOf, levelOf, lowOf, makeNode, ONE, or, variable, ZERO } from './bdd.ts'
import type { Bdd, Edge } from './bdd.ts'

/** Returns "for some value of the variables at these levels". */
export function exists(bdd: Bdd, edge: Edge, levels: ReadonlySet<number>): Edge {
  const last = Math.max(...levels)
  const known = new Map<Edge, Edge>()
  const forget = (f: Edge): Edge => {
    const level = levelOf(bdd, f)
    if (level > last) return f
    const seen = known.get(f)
    if (seen !== undefined) return seen
    const low = forget(lowOf(bdd, f))
    const result = !levels.has(level) ? makeNode(bdd, level, low, forget(highOf(bdd, f))) : low === ONE ? ONE : or(bdd, low, forget(highOf(bdd, f)))
    known.set(f, result)
    return result
  }
  return levels.size === 0 ? edge : forget(edge)
}

/** Returns the function with variables replaced by functions, all at once; `known` keeps results between calls with the same functions. */
export function substitute(bdd: Bdd, edge: Edge, functions: ReadonlyMap<number, Edge>, known: Map<Edge, Edge> = new Map()): Edge {
  const last = Math.max(...functions.keys())
  const replace = (f: Edge): Edge => {
    const level = levelOf(bdd, f)
    if (level > last) return f
    if (f & 1) return replace(f ^ 1) ^ 1
    const seen = known.get(f)
    if (seen !== undefined) return seen
    const result = replaceAt(level, f)
    known.set(f, result)
    return result
  }
  const replaceAt = (level: number, f: Edge): Edge => {
    const by = functions.get(level)
    if (by === ONE || by === ZERO) return replace(by === ONE ? highOf(bdd, f) : lowOf(bdd, f))
    const [low, high] = [replace(lowOf(bdd, f)), replace(highOf(bdd, f))]
    const isAbove = by === undefined && levelOf(bdd, low) > level && levelOf(bdd, high) > level
    return isAbove ? makeNode(bdd, level, low, high) : choose(bdd, by ?? variable(bdd, level), high, low)
  }
  return functions.size === 0 ? edge : replace(edge)
}

/** Returns the levels of the variables that a function depends on. */
export function supportOf(bdd: Bdd, edge: Edge): Set<number> {
  const levels = new Set<number>()
  const seen = new Set<number>()
  const stack = [edge]
  for (let f = stack.pop(); f !== undefined; f = stack.pop()) {
    if (f >> 1 === 0 || seen.has(f >> 1)) continue
    seen.add(f >> 1)
    levels.add(levelOf(bdd, f))
    stack.push(lowOf(bdd, f), highOf(bdd, f))
  }
  return levels
}

/** Returns the number of nodes of a function. */
export function sizeOf(bdd: Bdd, edge: Edge): number {
  const seen = new Set<number>()
  const stack = [edge]
  for (let f = stack.pop(); f !== undefined; f = stack.pop()) {
    if (f >> 1 === 0 || seen.has(f >> 1)) continue
    seen.add(f >> 1)
    stack.push(lowOf(bdd, f), highOf(bdd, f))
  }
  return seen.size
}

/** Returns how many assignments of the variables at `levels` (in order, all that the function depends on) make it true. */
export function countAssignments(bdd: Bdd, edge: Edge, levels: readonly number[]): bigint {
  const rank = new Map(levels.map((level, index) => [level, index]))
  const rankOf = (f: Edge): number => (levelOf(bdd, f) === BOTTOM ? levels.length : (rank.get(levelOf(bdd, f)) ?? 0))
  const known = new Map<Edge, bigint>()
  const count = (f: Edge): bigint => {
    if (f === ZERO) return 0n
    if (f === ONE) return 1n
    const seen = known.get(f)
    if (seen !== undefined) return seen
    const below = rankOf(f) + 1
    const [low, high] = [lowOf(bdd, f), highOf(bdd, f)]
    const result = (count(low) << BigInt(rankOf(low) - below)) + (count(high) << BigInt(rankOf(high) - below))
    known.set(f, result)
    return result
  }
  return count(edge) << BigInt(rankOf(edge))
}

/** Returns the conjunction of many functions, or with `or` their disjunction, joined in pairs. */
export function joinAll(bdd: Bdd, edges: readonly Edge[], join: 'and' | 'or'): Edge {
  if (edges.length === 0) return join === 'and' ? ONE : ZERO
  let row = [...edges]
  while (row.length > 1) {
    const next: Edge[] = []
    for (let at = 0; at < row.length; at += 2) {
      const [one, other] = [row[at] ?? ONE, row[at + 1]]
      next.push(other === undefined ? one : join === 'and' ? and(bdd, one, other) : or(bdd, one, other))
    }
    row = next
  }
  return row[0] ?? ONE
}
