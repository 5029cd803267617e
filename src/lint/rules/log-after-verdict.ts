/** LOG behind the rule that ends the way of the same packets. */

import { useInWords } from '../../extensions/option-words.ts'
import type { Rule } from '../../ir/ruleset.ts'
import type { Family } from '../../net/address.ts'
import { swapLines } from '../line-edits.ts'
import type { LintRule } from '../lint-rule.ts'
import { hasMemory, isFinal, targetNamed } from '../rule-facts.ts'

export const logAfterVerdict: LintRule = {
  id: 'log-after-verdict',
  severity: 'warning',
  what: 'nothing is ever logged here',
  why: 'an earlier rule has the same conditions and ends the way of every packet that meets them',
  help: 'move the LOG rule before it',
  needs: ['whole', 'chains'],
  check({ ruleset, family, chains }, report) {
    for (const table of ruleset.tables) {
      for (const chain of table.chains) {
        if (!chain.rules.some(rule => targetNamed(rule, ['LOG', 'NFLOG'])) || chains.hooksOf(chain).length === 0) continue
        const ended = new Map<string, Rule>()
        for (const [index, rule] of chain.rules.entries()) {
          const key = conditions(rule, family)
          const earlier = ended.get(key) ?? ended.get('')
          if (earlier && targetNamed(rule, ['LOG', 'NFLOG'])) {
            const isNext = chain.rules[index - 1] === earlier
            report({
              span: rule.span, related: [{ span: earlier.span, message: 'this rule ends their way' }],
              ...(isNext ? { fix: { kind: 'suggestion', message: 'exchange the two', edits: swapLines(earlier.span, rule.span) } } : {}),
            })
          }
          if (isFinal(rule, family) && !hasMemory(rule, family) && !ended.has(key)) ended.set(key, rule)
        }
      }
    }
  },
}

/** Conditions in the words of a save; a rate limit of the LOG itself is none. */
function conditions(rule: Rule, family: Family): string {
  const isLog = targetNamed(rule, ['LOG', 'NFLOG']) !== undefined
  return rule.matches.filter(({ name }) => name !== 'comment' && !(isLog && name === 'limit')).map(use => useInWords(use, family)).filter(words => words !== '').join(' ')
}
