/** Rules whose packets earlier rules decide, all of them. */

import type { LintRule } from '../lint-rule.ts'
import { shadowedRules } from '../shadowed-rules.ts'

export const shadowedRule: LintRule = {
  id: 'shadowed-rule',
  severity: 'warning',
  what: 'this rule can never match',
  why: 'earlier rules decide every packet that it would match, so it neither allows nor forbids anything',
  help: 'remove it, or move it above them',
  needs: ['whole', 'dead'],
  check(inputs, report) {
    for (const one of shadowedRules(inputs)) if (one.kind === 'same' && !one.isOfEngine) report(one.finding)
  },
}
