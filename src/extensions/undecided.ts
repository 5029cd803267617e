/** What headers do not decide: free variables called by the words of the rule. */

import { opaque } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'

/** Returns a free variable: equal words, without any `!`, are the same variable. */
export function undecided(words: string): Predicate {
  return opaque(words, words)
}
