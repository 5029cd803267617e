/** Chains in which no rule does anything. */

import type { Chain } from '../../ir/ruleset.ts'
import { fillsAtRunTime } from '../run-time-chains.ts'
import type { LintRule } from '../lint-rule.ts'

export const chainAlwaysReturns: LintRule = {
  id: 'chain-always-returns',
  severity: 'note',
  what: 'every rule of the chain only returns',
  why: 'packets come back from it as they were, whichever rule matches',
  help: 'remove the chain and what leads to it, or add the rule that is missing behind the returns',
  needs: ['whole', 'chains'],
  check({ ruleset, chains }, report) {
    for (const table of ruleset.tables) {
      for (const chain of table.chains) {
        if (chain.hook !== undefined || !chain.span || chain.rules.length === 0 || fillsAtRunTime(chain.name) || !onlyReturns(chain)) continue
        if (chains.hooksOf(chain).length > 0) report({ span: chain.span, message: `chain \`${chain.name}\` only returns: ${chain.rules.length === 1 ? 'its rule says' : `its ${chain.rules.length} rules say`} nothing else` })
      }
    }
  },
}

function onlyReturns({ rules }: Chain): boolean {
  return rules.every(({ target }) => target?.kind === 'target' && target.name === 'RETURN')
}
