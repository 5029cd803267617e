/** Rebuilds a predicate with its terms replaced. */

import { all, any, not } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'

/** Returns the predicate with each term replaced; the same object where no term changed. */
export function mapTerms(predicate: Predicate, replace: (term: Predicate) => Predicate): Predicate {
  switch (predicate.kind) {
    case 'not': {
      const inner = mapTerms(predicate.of, replace)
      return inner === predicate.of ? predicate : not(inner)
    }
    case 'all':
    case 'any': {
      const parts = predicate.of.map(part => mapTerms(part, replace))
      if (parts.every((part, index) => part === predicate.of[index])) return predicate
      return predicate.kind === 'all' ? all(parts) : any(parts)
    }
    default:
      return replace(predicate)
  }
}
