/** Rules that other tables leave without packets: nat has rewritten what they ask for, or another table ends their packets. */

import { acrossInWords } from '../../analyze/across-words.ts'
import type { LintRule } from '../lint-rule.ts'
import { isBehindEnd } from '../shadowed-rules.ts'

export const neverArrives: LintRule = {
  id: 'never-arrives',
  severity: 'warning',
  what: 'no packet that this rule asks for comes to it',
  why: 'other tables are asked before, and what they rewrite or end is gone',
  needs: ['whole', 'dead'],
  check(inputs, report) {
    for (const finding of inputs.dead.findings) {
      if (finding.kind !== 'acrossTables' || isBehindEnd(finding.at, inputs)) continue
      report({ span: finding.at.rule.span, ...acrossInWords(finding, inputs.family) })
    }
  },
}
