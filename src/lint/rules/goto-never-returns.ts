/** Gotos to chains that are written as if they came back. */

import { ruleOf } from '../../ir/chain-graph.ts'
import type { Chain, Rule } from '../../ir/ruleset.ts'
import type { LintRule } from '../lint-rule.ts'

export const gotoNeverReturns: LintRule = {
  id: 'goto-never-returns',
  severity: 'warning',
  what: 'after this goto packets do not come back to the rules below',
  why: 'RETURN in a chain that was reached by goto goes back to where the last jump came from, and to the chain policy where there was none',
  help: 'write `-j` in the place of `-g` where the rules below are meant to follow',
  needs: ['whole', 'chains'],
  check({ ruleset, chains }, report) {
    for (const table of ruleset.tables) {
      for (const chain of table.chains) {
        if (chains.hooksOf(chain).length === 0) continue
        chain.rules.forEach((rule, index) => {
          const to = rule.target?.kind === 'goto' ? chains.chainOf(rule, table.name) : undefined
          const back = to && returnIn(to)
          // A chain that others jump to has its RETURN for those.
          if (!to || !back || index === chain.rules.length - 1 || chains.jumpsTo(to).some(jump => ruleOf(jump).target?.kind === 'jump')) return
          report({ span: rule.span, related: [{ span: back.span, message: `this RETURN of chain \`${to.name}\` does not go back to chain \`${chain.name}\`` }] })
        })
      }
    }
  },
}

function returnIn({ rules }: Chain): Rule | undefined {
  return rules.find(({ target }) => target?.kind === 'target' && target.name === 'RETURN')
}
