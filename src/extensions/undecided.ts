/** What headers do not decide: free variables called by the words of the rule. */

import { opaque } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import type { Subject, Ternary } from '../meaning/subject.ts'

/** Returns a free variable: equal words, without any `!`, are the same variable. `ofPacket` answers for one packet where it can. */
export function undecided(words: string, ofPacket?: (subject: Subject) => Ternary): Predicate {
  return opaque(words, words, ofPacket)
}
