/** Rules whose packets earlier rules decide, and otherwise than the rule would. */

import type { LintRule } from '../lint-rule.ts'
import { shadowedRules } from '../shadowed-rules.ts'

export const shadowedWithOtherVerdict: LintRule = {
  id: 'shadowed-with-other-verdict',
  severity: 'warning',
  what: 'this rule can never match, and earlier rules do the opposite with its packets',
  why: 'what it is to forbid is allowed, or what it is to allow is forbidden: the earlier rules come first',
  help: 'move it above them if it is meant, else remove it',
  needs: ['whole', 'dead'],
  check(inputs, report) {
    for (const one of shadowedRules(inputs)) if (one.kind === 'other') report(one.finding)
  },
}
