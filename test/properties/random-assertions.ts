/** Random assertions about a random policy, as text and as data. */

import type { Chance } from '../chance.ts'
import { SERVICES } from './random-policies.ts'
import type { RandomPolicy } from './random-policies.ts'
import { EVERYBODY, joinWords, makeEnds, waysText } from './random-universe.ts'
import type { RandomEnds, RandomServices } from './random-universe.ts'

/** An assertion. `never ...` is the outcome `refused`. */
export interface RandomAssertion {
  readonly text: string
  readonly outcome: 'refused' | 'accepted' | 'dropped' | 'rejected'
  readonly services?: RandomServices
  readonly from: RandomEnds
  readonly to: RandomEnds
}

/** Returns a random assertion; half of them are about the ends of a sentence of the policy, which it may have decided. */
export function makeAssertion(chance: Chance, { zones, lists, sentences }: RandomPolicy): RandomAssertion {
  const making = { chance, zones, lists, managesAll: false }
  const rules = sentences.filter(sentence => sentence.kind === 'rule')
  const rule = rules.length > 0 && chance.once(2) ? chance.pick(rules) : undefined
  const outcome = chance.pick(['refused', 'refused', 'accepted', 'dropped', 'rejected'] as const)
  const from = rule?.from ?? (chance.once(6) ? EVERYBODY : makeEnds(making, 'from'))
  const to = rule?.to ?? (chance.once(6) ? EVERYBODY : makeEnds(making, 'to'))
  const services = chance.once(3) ? undefined : chance.pick(SERVICES)
  const flow = joinWords([services?.text, waysText(from, to)])
  const text = outcome === 'refused' ? joinWords(['never', flow]) : joinWords(['expect', flow, outcome])
  return { text, outcome, from, to, ...(services ? { services } : {}) }
}
