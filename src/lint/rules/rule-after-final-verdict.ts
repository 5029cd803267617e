/** Rules behind one that lets no packet go on. */

import { lineOf } from '../../diagnostics/source-file.ts'
import type { Rule } from '../../ir/ruleset.ts'
import { lineEdit } from '../line-edits.ts'
import type { LintRule } from '../lint-rule.ts'
import { isFinal, matchesAll } from '../rule-facts.ts'
import { isSaidBefore } from '../shadowed-rules.ts'

export const ruleAfterFinalVerdict: LintRule = {
  id: 'rule-after-final-verdict',
  severity: 'warning',
  what: 'no packet gets as far as this rule',
  why: 'an earlier rule of the chain ends the way of every packet',
  help: 'move it up, or remove it',
  needs: ['whole', 'chains'],
  check({ ruleset, chains }, report) {
    for (const table of ruleset.tables) {
      for (const chain of table.chains) {
        const at = chains.endOf(chain)
        const end = chain.rules[at]
        const lost = at === -1 ? [] : chain.rules.slice(at + 1)
        const [first] = lost
        if (!end || !first || chains.hooksOf(chain).length === 0) continue
        report({
          span: first.span,
          // A last rule for all that is left, where nothing can be left, is a habit of careful authors.
          ...(lost.every(rule => matchesAll(rule, ruleset.family) && isFinal(rule, ruleset.family)) ? { severity: 'note' as const } : {}),
          message: lost.length === 1 ? 'no packet gets as far as this rule' : `no packet gets as far as this rule and the ${lost.length === 2 ? 'next' : `${lost.length - 1} behind it`}`,
          related: [{ span: end.span, message: `${how(end)} of every packet that gets to line ${lineOf(end.span)}` }],
          fix: { kind: lost.every(rule => isSaidBefore(rule, [end], ruleset.family)) ? 'safe' : 'suggestion', message: lost.length === 1 ? 'remove it' : `remove the ${lost.length} rules`, edits: unique(lost).map(rule => lineEdit(rule.span, '')) },
        })
      }
    }
  },
}

function how({ target }: Rule): string {
  return target?.kind === 'target' ? (target.name === 'RETURN' ? 'RETURN ends the way through this chain' : `${target.name} ends the way`) : `chain \`${target?.chain ?? ''}\` ends the way`
}

/** A line with several addresses is several rules. */
function unique(rules: readonly Rule[]): readonly Rule[] {
  return rules.filter((rule, index) => rules[index - 1]?.span !== rule.span)
}
