/** A predicate as a set of packets: the twin of meaning/evaluate.ts. */

import { assertNever } from '../diagnostics/diagnostic.ts'
import type { NumberField } from '../meaning/fields.ts'
import type { Predicate } from '../meaning/predicate.ts'
import { ONE, ZERO } from './bdd.ts'
import type { Edge } from './bdd.ts'
import { joinAll } from './bdd-quantify.ts'
import { deviceEdge, freeEdge, maskedEdge, rangesEdge } from './space.ts'
import type { Space } from './space.ts'

type Within = Extract<Predicate, { kind: 'within' }>

/** Returns the packets of which the predicate holds; made once for each predicate. Free variables are variables of the set. */
export function setOfPredicate(space: Space, predicate: Predicate): Edge {
  const known = space.sets.get(predicate)
  if (known !== undefined) return known
  const edge = makeSet(space, predicate)
  space.sets.set(predicate, edge)
  return edge
}

function makeSet(space: Space, predicate: Predicate): Edge {
  switch (predicate.kind) {
    case 'always':
      return ONE
    case 'never':
      return ZERO
    case 'within':
      return rangesEdge(space, predicate.field, [rangeOf(predicate)])
    case 'masked':
      return maskedEdge(space, predicate.field, predicate.mask, predicate.value)
    case 'device':
      return deviceEdge(space, predicate.field, predicate.pattern)
    case 'ipset': {
      const meaning = space.universe.ipsetMeaning?.(predicate)
      const words = `-m set --match-set ${predicate.name} ${predicate.directions.join(',')}`
      return meaning ? setOfPredicate(space, meaning) : freeEdge(space, ipsetVariable(predicate), words)
    }
    case 'opaque':
      return freeEdge(space, predicate.key, predicate.words)
    case 'not':
      return setOfPredicate(space, predicate.of) ^ 1
    case 'all':
      return joinAll(space.bdd, predicate.of.map(part => setOfPredicate(space, part)), 'and')
    case 'any':
      return anyOf(space, predicate.of)
    default:
      return assertNever(predicate)
  }
}

/** Returns the key of the free variable for a kernel set of unknown content; the simulator asks for the same. */
export function ipsetVariable({ name, directions }: Extract<Predicate, { kind: 'ipset' }>): string {
  return `ipset ${name} ${directions.join(',')}`
}

/** Long lists of values of one field (of addresses, ports) are built at once. */
function anyOf(space: Space, parts: readonly Predicate[]): Edge {
  const lists = new Map<NumberField, Within[]>()
  for (const part of parts) {
    if (part.kind !== 'within') continue
    const list = lists.get(part.field)
    if (list) list.push(part)
    else lists.set(part.field, [part])
  }
  const isListed = (part: Predicate): boolean => part.kind === 'within' && (lists.get(part.field)?.length ?? 0) > 1
  const listed = [...lists].filter(([, list]) => list.length > 1).map(([field, list]) => rangesEdge(space, field, list.map(rangeOf)))
  return joinAll(space.bdd, [...listed, ...parts.filter(part => !isListed(part)).map(part => setOfPredicate(space, part))], 'or')
}

function rangeOf({ low, high }: Within) {
  return { low: BigInt(low), high: BigInt(high) }
}
