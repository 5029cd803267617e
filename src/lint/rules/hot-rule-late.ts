/** Rules that most packets match, far down in their chain, as the counters of a save tell. */

import type { Chain, Rule } from '../../ir/ruleset.ts'
import type { LintRule } from '../lint-rule.ts'
import { verdictOf } from '../rule-facts.ts'

/** So many rules may stand before it, and so many packets say nothing yet. */
const FEW = 20
const TOO_FEW_PACKETS = 10_000n

export const hotRuleLate: LintRule = {
  id: 'hot-rule-late',
  severity: 'note',
  what: 'the rule that matches most packets stands late in its chain',
  why: 'each of these packets is compared with all rules above first',
  help: 'move it up where the rules above do not decide the same packets otherwise',
  needs: ['whole'],
  check({ ruleset, family }, report) {
    for (const table of ruleset.tables) {
      for (const chain of table.chains) {
        const hot = hottest(chain)
        const index = hot ? chain.rules.indexOf(hot) : -1
        const verdict = hot && verdictOf(hot, family)
        if (!hot || index <= FEW || index === chain.rules.length - 1 || (verdict !== 'accept' && verdict !== 'drop')) continue
        const all = total(chain)
        const share = ((hot.counters?.packets ?? 0n) * 100n) / all
        if (all >= TOO_FEW_PACKETS && share >= 50n) report({ span: hot.span, message: `${share}% of the packets counted in ${chain.name} are decided by rule ${index + 1} of ${chain.rules.length}` })
      }
    }
  },
}

function total({ rules }: Chain): bigint {
  return rules.reduce((sum, { counters }) => sum + (counters?.packets ?? 0n), 0n)
}

function hottest({ rules }: Chain): Rule | undefined {
  let best: Rule | undefined
  for (const rule of rules) if ((rule.counters?.packets ?? 0n) > (best?.counters?.packets ?? 0n)) best = rule
  return best
}
