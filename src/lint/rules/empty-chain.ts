/** Chains without rules to which rules lead. */

import { ruleOf } from '../../ir/chain-graph.ts'
import type { Chain, Table } from '../../ir/ruleset.ts'
import { fillsAtRunTime } from '../run-time-chains.ts'
import type { LintInputs, LintRule } from '../lint-rule.ts'

export const emptyChain: LintRule = {
  id: 'empty-chain',
  severity: 'note',
  what: 'the chain has no rules',
  why: 'packets are sent to it and come back as they were',
  help: 'fill it, or remove it and what leads to it',
  needs: ['whole', 'chains'],
  check(inputs, report) {
    for (const table of inputs.ruleset.tables) {
      const empty = emptyChains(table, inputs)
      const [first] = empty
      if (!first?.span) continue
      const jumps = inputs.chains.jumpsTo(first)
      const others = empty.slice(1, 6).map(({ name }) => `\`${name}\``).join(', ')
      const more = empty.length === 1 ? '' : `, nor ${empty.length === 2 ? `has ${others}` : `have ${others}${empty.length > 6 ? ` and ${empty.length - 6} more` : ''}`}`
      report({ span: first.span, message: `chain \`${first.name}\` has no rules${more}`, related: jumps.slice(0, 1).map(jump => ({ span: ruleOf(jump).span, message: jumps.length === 1 ? 'this rule leads to it' : `${jumps.length} rules lead to it, the first here` })) })
    }
  },
}

function emptyChains({ chains }: Table, { chains: facts }: LintInputs): readonly Chain[] {
  return chains.filter(chain => chain.hook === undefined && chain.rules.length === 0 && chain.span && !fillsAtRunTime(chain.name) && facts.hooksOf(chain).length > 0)
}
