/** Rules that stand twice in a chain. */

import { lineOf } from '../../diagnostics/source-file.ts'
import type { Diagnostic, Fix } from '../../diagnostics/diagnostic.ts'
import { lineEdit } from '../line-edits.ts'
import type { LintRule } from '../lint-rule.ts'
import { adoptingRule } from '../adopt.ts'

const adopted = adoptingRule(
  { id: 'duplicate-rule', severity: 'warning', what: 'the rule stands twice in its chain', why: 'the second one changes nothing; where one of the two was meant to say something else, that is missing' },
  ({ code }) => code === 'duplicate-rule',
)

export const duplicateRule: LintRule = {
  ...adopted,
  check: (inputs, report) => adopted.check(inputs, finding => report({ ...finding, fix: removal(finding) })),
}

function removal({ span, related = [] }: Partial<Pick<Diagnostic, 'related'>> & Pick<Diagnostic, 'span'>): Fix {
  const first = related[0]
  return { kind: 'safe', message: first ? `remove it: line ${lineOf(first.span)} says the same` : 'remove it', edits: [lineEdit(span, '')] }
}
