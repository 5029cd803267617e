/** Why some packets between two groups of a matrix get through and others do not. */

import type { DeviceField, NumberField } from '../meaning/fields.ts'
import { any } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import type { PacketSet, PacketSets } from '../packetset/packet-sets.ts'
import type { FreeVariable } from '../symbolic/prepare-rules.ts'
import type { AddressGroup } from './matrix-groups.ts'
import type { Passage } from './matrix-passage.ts'

/**
 * A condition. `only`: exactly the packets of the predicate get through, whichever addresses of the groups they have. `mixed`: other
 * packets for other addresses of the groups; what makes the difference is one of these.
 */
export type MatrixCondition =
  | { readonly kind: 'only'; readonly when: Predicate; readonly variables: readonly FreeVariable[] }
  | { readonly kind: 'mixed'; readonly fields: readonly (NumberField | DeviceField)[]; readonly variables: readonly FreeVariable[] }

/** The rows and columns of a matrix, and the pairs for which a condition is wanted. */
export interface ConditionQuestion {
  readonly sources: readonly (readonly AddressGroup[])[]
  readonly destinations: readonly (readonly AddressGroup[])[]
  readonly isSome: (row: number, column: number) => boolean
}

/** Conditions, equal ones once; `indexOf` tells that of a pair. */
export interface MatrixConditions {
  readonly conditions: readonly MatrixCondition[]
  readonly indexOf: (row: number, column: number) => number | undefined
}

/** So many pairs are looked into. */
const MOST_PAIRS = 400

/** A condition of more alternatives is told by what it asks. */
const MOST_ALTERNATIVES = 3

/** Returns the conditions of the pairs. */
export function conditionsOf({ space: { sets }, going, through, variables }: Passage, { sources, destinations, isSome }: ConditionQuestion): MatrixConditions {
  const found = new Map<string, { readonly condition: MatrixCondition; readonly index: number }>()
  const places = new Map<string, number>()
  const columns = destinations.map(groups => addressesSet(sets, 'ip.dst', groups))
  for (const [row, groups] of sources.entries()) {
    const wanted = columns.flatMap((set, column) => (isSome(row, column) ? [{ set, column }] : []))
    if (wanted.length === 0) continue
    const from = addressesSet(sets, 'ip.src', groups)
    const [goingFrom, throughFrom] = [sets.intersect(going, from), sets.intersect(through, from)]
    for (const { set, column } of wanted) {
      if (places.size >= MOST_PAIRS) break
      const condition = conditionOf(sets, sets.intersect(goingFrom, set), sets.intersect(throughFrom, set), variables)
      const key = condition.kind === 'only' ? JSON.stringify(condition.when, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)) : `mixed ${condition.fields.join(' ')} ${condition.variables.map(variable => variable.key).join(' ')}`
      const known = found.get(key) ?? { condition, index: found.size }
      found.set(key, known)
      places.set(`${row} ${column}`, known.index)
    }
  }
  return { conditions: [...found.values()].map(({ condition }) => condition), indexOf: (row, column) => places.get(`${row} ${column}`) }
}

/** Returns the packets that have an address of these groups. */
export function addressesSet(sets: PacketSets, field: 'ip.src' | 'ip.dst', groups: readonly AddressGroup[]): PacketSet {
  return sets.setOfRanges(field, groups.flatMap(({ runs }) => runs).sort((one, other) => (one.low < other.low ? -1 : 1)))
}

function conditionOf(sets: PacketSets, going: PacketSet, through: PacketSet, variables: ReadonlyMap<string, FreeVariable>): MatrixCondition {
  const plain = sets.fields(through).reduce((now, field) => {
    const wider = sets.exists(now, field)
    return sets.isSubset(sets.intersect(wider, going), through) ? wider : now
  }, through)
  const free = sets.freeVariables(plain).map(({ key, words }) => variables.get(key) ?? { key, words, rules: [], decisions: [] })
  const asks = sets.fields(plain)
  const anywhere = sets.exists(sets.exists(plain, 'ip.src'), 'ip.dst')
  const isSame = sets.isSubset(sets.intersect(anywhere, going), through)
  const { predicates, isWhole } = isSame ? sets.cover(anywhere, MOST_ALTERNATIVES) : { predicates: [], isWhole: false }
  if (isWhole) return { kind: 'only', when: any(predicates), variables: free }
  return { kind: 'mixed', fields: asks.filter(field => field !== 'ip.src' && field !== 'ip.dst'), variables: free }
}
