/** Chain policies that decide nothing, and say the opposite of what does. */

import { lineOf } from '../../diagnostics/source-file.ts'
import type { LintRule } from '../lint-rule.ts'
import { verdictOf } from '../rule-facts.ts'

export const unreachablePolicy: LintRule = {
  id: 'unreachable-policy',
  severity: 'note',
  what: 'the chain policy decides nothing',
  why: 'rules decide every packet before it, and it says the opposite of the last of them: who reads it is misled',
  help: 'let the policy say what the last rule does',
  needs: ['whole', 'dead'],
  check({ dead, family }, report) {
    for (const finding of dead.findings) {
      if (finding.kind !== 'unusedPolicy' || !finding.chain.span) continue
      const { chain, by } = finding
      const verdict = by && verdictOf(by.rule, family)
      const isOpposite = chain.policy === 'ACCEPT' ? verdict === 'drop' : verdict === 'accept'
      if (by && isOpposite && chain.span) report({ span: chain.span, message: `the policy of ${chain.name} decides nothing`, related: [{ span: by.rule.span, message: `line ${lineOf(by.rule.span)} decides what is left` }] })
    }
  },
}
