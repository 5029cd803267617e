/** Sets as relations of a few fields: what is left when all others are forgotten, and cut along the values of one. */

import { invariant } from '../diagnostics/diagnostic.ts'
import type { DeviceField, NumberField } from '../meaning/fields.ts'
import { highOf, levelOf, lowOf } from './bdd.ts'
import type { Edge } from './bdd.ts'
import { exists, supportOf } from './bdd-quantify.ts'
import { levelsOf } from './forget.ts'
import { codingOf, isDeviceField, isNumberField } from './layout.ts'
import type { Space } from './space.ts'

/** A range of values of a field, and what each of some sets says of the rest where the field has such a value. */
export interface Slice<Rest> {
  readonly low: bigint
  readonly high: bigint
  readonly rests: readonly Rest[]
}

/** Returns "some packet of the set has these values in these fields": everything else, free variables too, is forgotten. */
export function keepFields(space: Space, edge: Edge, fields: readonly NumberField[]): Edge {
  const kept = levelsOf(space, fields)
  return exists(space.bdd, edge, new Set([...supportOf(space.bdd, edge)].filter(level => !kept.has(level))))
}

/** Returns the fields of which a set may depend; free variables are not among them. */
export function fieldsOf({ bdd, layout }: Space, edge: Edge): readonly (NumberField | DeviceField)[] {
  const owners = new Set([...supportOf(bdd, edge)].map(level => layout.owners[level]))
  return [...owners].filter(field => field !== undefined && (isNumberField(field) || isDeviceField(field)))
}

/** Returns fields in the order of their variables. */
export function inOrder({ layout }: Space, fields: readonly NumberField[]): readonly NumberField[] {
  return [...fields].sort((one, other) => codingOf(layout, one).bits.first - codingOf(layout, other).bits.first)
}

/**
 * Returns the values of a field from the lowest to the highest, cut where what any of the sets says of the rest changes; undefined where
 * there are more than `limit` pieces. No variable of the sets may stand before the field's own.
 */
export function slicesOf({ bdd, layout }: Space, edges: readonly Edge[], field: NumberField, limit: number): readonly Slice<Edge>[] | undefined {
  const { first, width } = codingOf(layout, field).bits
  invariant(edges.every(edge => levelOf(bdd, edge) >= first), 'the field comes before all others of the sets')
  const slices: { low: bigint; high: bigint; rests: readonly Edge[] }[] = []
  const walk = (rests: readonly Edge[], bit: number, base: bigint): void => {
    if (slices.length > limit) return
    const size = 1n << BigInt(width - bit)
    if (rests.every(rest => levelOf(bdd, rest) >= first + width)) {
      const last = slices.at(-1)
      if (last?.rests.every((rest, index) => rest === rests[index])) last.high = base + size - 1n
      else slices.push({ low: base, high: base + size - 1n, rests })
      return
    }
    const at = (rest: Edge): boolean => levelOf(bdd, rest) === first + bit
    walk(rests.map(rest => (at(rest) ? lowOf(bdd, rest) : rest)), bit + 1, base)
    walk(rests.map(rest => (at(rest) ? highOf(bdd, rest) : rest)), bit + 1, base + size / 2n)
  }
  walk(edges, 0, 0n)
  return slices.length > limit ? undefined : slices
}
