/** Source NAT that an earlier rule of the table does already. */

import type { LintRule } from '../lint-rule.ts'
import { shadowedRules } from '../shadowed-rules.ts'

export const snatShadowsLater: LintRule = {
  id: 'snat-shadows-later',
  severity: 'warning',
  what: 'an earlier rule gives all its connections another source',
  why: 'the first translation that matches holds: this one is never made',
  help: 'move it above the rules that take its connections',
  needs: ['whole', 'dead'],
  check(inputs, report) {
    for (const one of shadowedRules(inputs)) if (one.kind === 'nat') report(one.finding)
  },
}
