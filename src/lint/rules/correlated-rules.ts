/** Rules that cross: each has packets of its own, some are of both, and they disagree about these. Only on demand: most good rulesets have such rules. */

import { lineOf } from '../../diagnostics/source-file.ts'
import type { LintInputs, LintRule } from '../lint-rule.ts'
import type { Rule } from '../../ir/ruleset.ts'
import { verdictOf } from '../rule-facts.ts'

/** Chains with more rules are not asked: every pair is compared. */
const MOST_RULES = 500

export const correlatedRules: LintRule = {
  id: 'correlated-rules',
  severity: 'note',
  what: 'two rules disagree about some packets, and only their order decides',
  why: 'whoever exchanges them, or sorts the chain, changes what becomes of the packets that both match',
  help: 'tell in a comment that the order is meant',
  needs: ['whole', 'dead'],
  isOnDemand: true,
  check(inputs, report) {
    const { sets, tables } = inputs.dead.reach
    for (const run of tables) {
      for (const here of run.runs.values()) {
        const { rules } = here.chain
        if (rules.length > MOST_RULES) continue
        const parts = rules.map((rule, index) => ({ rule, index, verdict: decides(rule, inputs) })).filter(({ verdict }) => verdict !== undefined)
        for (const [place, later] of parts.entries()) {
          const own = here.matches[later.index]?.set()
          const earlier = parts.slice(0, place).find(({ index, verdict }) => {
            const other = verdict !== later.verdict && own !== undefined ? here.matches[index]?.set() : undefined
            return own !== undefined && other !== undefined && sets.meets(own, other) && !sets.isSubset(own, other) && !sets.isSubset(other, own)
          })
          if (earlier) report({ span: later.rule.span, message: `this rule and line ${lineOf(earlier.rule.span)} disagree about some packets: there the earlier one decides`, related: [{ span: earlier.rule.span, message: 'the earlier one' }] })
        }
      }
    }
  },
}

function decides(rule: Rule, { family }: LintInputs): 'accept' | 'drop' | undefined {
  const verdict = verdictOf(rule, family)
  return verdict === 'accept' || verdict === 'drop' ? verdict : undefined
}
