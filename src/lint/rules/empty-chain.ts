/** Chains without rules to which rules lead. */

import { fillsAtRunTime } from '../run-time-chains.ts'
import type { LintRule } from '../lint-rule.ts'

export const emptyChain: LintRule = {
  id: 'empty-chain',
  severity: 'note',
  what: 'the chain has no rules',
  why: 'packets are sent to it and come back as they were',
  help: 'fill it, or remove it and what leads to it; 5x5-ignore it where a program fills it at run time',
  needs: ['whole', 'chains'],
  check({ ruleset, chains }, report) {
    for (const table of ruleset.tables) {
      for (const chain of table.chains) {
        if (chain.hook !== undefined || chain.rules.length > 0 || !chain.span || fillsAtRunTime(chain.name) || chains.hooksOf(chain).length === 0) continue
        const jumps = chains.jumpsTo(chain)
        report({ span: chain.span, message: `chain \`${chain.name}\` has no rules`, related: jumps.slice(0, 1).map(({ rule }) => ({ span: rule.span, message: jumps.length === 1 ? 'this rule leads to it' : `${jumps.length} rules lead to it, the first here` })) })
      }
    }
  },
}
