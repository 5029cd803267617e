/** Rules that say when they end, and have not been removed. */

import { eachRule } from '../../ir/ruleset.ts'
import type { LintRule } from '../lint-rule.ts'
import { commentsOf, optionOf } from '../rule-facts.ts'

const DATE = /\b(?:until|expires?|valid until|remove (?:on|after))[ :=]+(\d{4}-\d{2}-\d{2})\b/i

export const expiredRule: LintRule = {
  id: 'expired-rule',
  severity: 'warning',
  what: 'the rule was to end before today',
  why: 'a rule that was meant for a while stays in force until somebody removes it',
  help: 'remove it, or give it a new date',
  needs: [],
  check({ ruleset, today }, report) {
    eachRule(ruleset, rule => {
      let until: string | undefined
      for (const text of commentsOf(rule)) if (!text.includes('5x5-ignore')) until ??= DATE.exec(text)?.[1]
      if (until !== undefined && until < today) report({ span: rule.span, message: `the rule was to end on ${until}` })
      const stop = optionOf(rule, 'time', 'datestop')?.value
      const end = typeof stop === 'number' && stop < 0xffffffff ? new Date(stop * 1000).toISOString().slice(0, 10) : undefined
      if (end !== undefined && end < today) report({ span: rule.span, message: `the rule matches nothing since ${end}`, why: '`--datestop` is over: no packet meets its condition any more' })
    })
  },
}
