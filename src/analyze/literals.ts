/** Predicates as alternatives of single conditions: what a search for packets works with. */

import type { Predicate } from '../meaning/predicate.ts'

/** A condition without parts, or its opposite. */
export interface Literal {
  readonly term: Exclude<Predicate, { readonly kind: 'always' | 'never' | 'not' | 'all' | 'any' }>
  readonly negated: boolean
}

/** A predicate that must hold, or must not. */
export interface Wish {
  readonly predicate: Predicate
  readonly negated: boolean
}

/** More alternatives than these are not looked at: a search that needs them has lost its way. */
const LIMIT = 48

/** Returns lists of literals such that packets for which all of one list hold fulfil all wishes; none where nothing can. At most 48. */
export function alternativesOf(wishes: readonly Wish[]): readonly (readonly Literal[])[] {
  return product(wishes.map(({ predicate, negated }) => expand(predicate, negated)))
}

function expand(predicate: Predicate, negated: boolean): readonly (readonly Literal[])[] {
  switch (predicate.kind) {
    case 'always':
      return negated ? [] : [[]]
    case 'never':
      return negated ? [[]] : []
    case 'not':
      return expand(predicate.of, !negated)
    case 'all':
    case 'any': {
      const parts = predicate.of.map(part => expand(part, negated))
      return (predicate.kind === 'all') === negated ? parts.flat().slice(0, LIMIT) : product(parts)
    }
    default:
      return [[{ term: predicate, negated }]]
  }
}

function product(parts: readonly (readonly (readonly Literal[])[])[]): readonly (readonly Literal[])[] {
  let lists: readonly (readonly Literal[])[] = [[]]
  for (const part of parts) lists = lists.flatMap(list => part.map(more => [...list, ...more])).slice(0, LIMIT)
  return lists
}
