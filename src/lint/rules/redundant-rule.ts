/** Rules that change nothing: were they gone, the same would become of every packet. */

import { lineOf } from '../../diagnostics/source-file.ts'
import { lineEdit } from '../line-edits.ts'
import type { LintRule } from '../lint-rule.ts'
import { isBehindEnd } from '../shadowed-rules.ts'

export const redundantRule: LintRule = {
  id: 'redundant-rule',
  severity: 'note',
  what: 'the rule changes nothing',
  why: 'without it the same would become of every packet that it matches',
  help: 'remove it, unless it is there to count or to be quick',
  needs: ['whole', 'dead'],
  check(inputs, report) {
    for (const finding of inputs.dead.findings) {
      if (finding.kind !== 'redundant' || isBehindEnd(finding.at, inputs)) continue
      const { at, instead, policyOf } = finding
      const places = [...instead.slice(0, 3).map(({ rule }) => ({ span: rule.span, message: `line ${lineOf(rule.span)} does the same with its packets` })), ...(policyOf?.span ? [{ span: policyOf.span, message: `the policy of ${policyOf.name} does the same with its packets` }] : [])]
      report({ span: at.rule.span, related: places, fix: { kind: 'suggestion', message: 'remove it', edits: [lineEdit(at.rule.span, '')] } })
    }
  },
}
