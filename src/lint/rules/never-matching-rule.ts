/** Rules that no packet can match: their conditions exclude each other, or no such packet comes to their chain. */

import { lineOf } from '../../diagnostics/source-file.ts'
import { lineEdit } from '../line-edits.ts'
import type { LintRule } from '../lint-rule.ts'
import { isWrittenByEngine } from '../run-time-chains.ts'
import { isBehindEnd } from '../shadowed-rules.ts'

export const neverMatchingRule: LintRule = {
  id: 'never-matching-rule',
  severity: 'warning',
  what: 'no packet can match this rule',
  why: 'its conditions exclude each other',
  help: 'correct its conditions, or remove it',
  needs: ['whole', 'dead'],
  check(inputs, report) {
    for (const finding of inputs.dead.findings) {
      if ((finding.kind !== 'contradiction' && finding.kind !== 'misplaced') || isBehindEnd(finding.at, inputs)) continue
      const { at } = finding
      const brings = finding.kind === 'misplaced' ? finding.brings : []
      if (isWrittenByEngine(at.chain) && brings.length > 0 && brings.every(({ chain }) => isWrittenByEngine(chain))) continue
      report({
        span: at.rule.span,
        ...(finding.kind === 'misplaced' ? { why: brings.length === 0 ? `packets in ${at.chain.name} are never like that` : `what leads to chain \`${at.chain.name}\` brings no packet that it would match` } : {}),
        related: brings.slice(0, 3).map(({ rule }) => ({ span: rule.span, message: `line ${lineOf(rule.span)} leads here` })),
        fix: { kind: 'suggestion', message: 'remove it', edits: [lineEdit(at.rule.span, '')] },
      })
    }
  },
}
