/** The drop of invalid packets before the accept of established ones. */

import { CT_STATE } from '../../meaning/fields.ts'
import type { Rule } from '../../ir/ruleset.ts'
import { swapLines } from '../line-edits.ts'
import type { LintRule } from '../lint-rule.ts'
import { statesOf, verdictOf } from '../rule-facts.ts'

export const invalidBeforeEstablished: LintRule = {
  id: 'invalid-before-established',
  severity: 'note',
  what: 'every packet of an established connection is first compared with INVALID',
  why: 'no packet is both, so the order changes nothing but the work: nearly all packets belong to established connections',
  needs: ['whole'],
  check({ ruleset, family }, report) {
    for (const table of ruleset.tables) {
      for (const chain of table.chains) {
        chain.rules.forEach((rule, index) => {
          const next = chain.rules[index + 1]
          if (!next || !isOnly(rule, CT_STATE.INVALID) || verdictOf(rule, family) !== 'drop') return
          if (!isOnly(next, CT_STATE.ESTABLISHED | CT_STATE.RELATED) || verdictOf(next, family) !== 'accept') return
          report({ span: rule.span, related: [{ span: next.span, message: 'established connections are accepted here' }], fix: { kind: 'safe', message: 'exchange the two', edits: swapLines(rule.span, next.span) } })
        })
      }
    }
  },
}

/** Tells whether a rule asks for some of these states and for nothing else. */
function isOnly(rule: Rule, states: number): boolean {
  const asked = statesOf(rule)
  const others = rule.matches.filter(({ name }) => name !== 'comment')
  return asked !== undefined && (asked & ~states) === 0 && others.length === 1 && Object.keys(others[0]?.infos ?? {}).length === 1
}
