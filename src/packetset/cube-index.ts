/**
 * Finds among many cubes those that have something in common with one cube, without asking each: the cubes stand sorted by their literals, and
 * where a common beginning contradicts the cube all that begin so are passed over. The tree over the sorted list grows where it is walked.
 */

import type { Cube } from './bdd-cubes.ts'

/** Cubes, ready to be asked. */
export interface CubeIndex {
  readonly cubes: readonly Cube[]
  readonly root: Branch | undefined
}

/** The cubes `order[from]` to `order[to - 1]`, which have their first `depth` literals in common. */
interface Branch {
  readonly order: readonly number[]
  readonly from: number
  readonly to: number
  readonly depth: number
  /** How many of them have no more literals; they stand first. */
  readonly whole: number
  children: readonly Branch[] | undefined
}

/** Returns the index of cubes; those that are undefined are not in it. */
export function indexCubes(cubes: readonly (Cube | undefined)[]): CubeIndex {
  const known = cubes.map(cube => cube ?? [])
  const order = cubes.flatMap((cube, at) => (cube ? [at] : [])).sort((one, other) => compare(known[one] ?? [], known[other] ?? []))
  return { cubes: known, root: order.length === 0 ? undefined : makeBranch(known, order, 0, order.length) }
}

/** Returns the places of the cubes that have something in common with `cube`, in order. */
export function cubesMeeting(index: CubeIndex, cube: Cube): readonly number[] {
  const wanted = new Set(cube)
  return cubesWithout(index, literal => wanted.has(literal ^ 1))
}

/** Returns the places of the cubes that have a packet, given as the values of all variables (1 or 0, 0 where it has none), in order. */
export function cubesAt(index: CubeIndex, point: Uint8Array): readonly number[] {
  return cubesWithout(index, literal => (point[literal >> 1] ?? 0) !== (literal & 1))
}

function cubesWithout({ cubes, root }: CubeIndex, isContradicted: (literal: number) => boolean): readonly number[] {
  const found: number[] = []
  const open: { readonly branch: Branch; readonly known: number }[] = root ? [{ branch: root, known: 0 }] : []
  for (let next = open.pop(); next; next = open.pop()) {
    const { branch, known } = next
    const first = cubes[branch.order[branch.from] ?? 0] ?? []
    let at = known
    while (at < branch.depth && !isContradicted(first[at] ?? 0)) at++
    if (at < branch.depth) continue
    for (let place = branch.from; place < branch.from + branch.whole; place++) found.push(branch.order[place] ?? 0)
    for (const child of childrenOf(cubes, branch)) open.push({ branch: child, known: branch.depth })
  }
  return found.sort((one, other) => one - other)
}

function childrenOf(cubes: readonly Cube[], branch: Branch): readonly Branch[] {
  if (branch.children) return branch.children
  const { order, depth, to } = branch
  const children: Branch[] = []
  for (let from = branch.from + branch.whole; from < to; ) {
    const literal = cubes[order[from] ?? 0]?.[depth]
    let end = from + 1
    while (end < to && cubes[order[end] ?? 0]?.[depth] === literal) end++
    children.push(makeBranch(cubes, order, from, end))
    from = end
  }
  branch.children = children
  return children
}

/** Of sorted cubes the first and the last have in common what all have. */
function makeBranch(cubes: readonly Cube[], order: readonly number[], from: number, to: number): Branch {
  const [first, last] = [cubes[order[from] ?? 0] ?? [], cubes[order[to - 1] ?? 0] ?? []]
  let depth = 0
  while (depth < first.length && first[depth] === last[depth]) depth++
  let whole = 0
  while (from + whole < to && cubes[order[from + whole] ?? 0]?.length === depth) whole++
  return { order, from, to, depth, whole, children: undefined }
}

function compare(one: Cube, other: Cube): number {
  for (let at = 0; at < one.length && at < other.length; at++) {
    const difference = (one[at] ?? 0) - (other[at] ?? 0)
    if (difference !== 0) return difference
  }
  return one.length - other.length
}
