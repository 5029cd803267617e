/** The rule for established connections far down in its chain. */

import { CT_STATE } from '../../meaning/fields.ts'
import type { Chain } from '../../ir/ruleset.ts'
import type { LintRule } from '../lint-rule.ts'
import { statesOf, verdictOf } from '../rule-facts.ts'

/** So many rules may stand before it. */
const FEW = 25

export const establishedAfterExpensiveRules: LintRule = {
  id: 'established-after-expensive-rules',
  severity: 'note',
  what: 'established connections are accepted late',
  why: 'nearly all packets belong to established connections: each of them is compared with every rule above',
  help: 'move it up, unless the rules above are meant for established connections too',
  needs: ['whole'],
  check({ ruleset, family }, report) {
    for (const table of ruleset.tables) {
      if (table.name !== 'filter') continue
      for (const chain of table.chains) {
        const at = chain.hook === undefined ? -1 : chain.rules.findIndex(rule => ((statesOf(rule) ?? 0) & CT_STATE.ESTABLISHED) !== 0 && verdictOf(rule, family) === 'accept' && onlyState(rule))
        const rule = chain.rules[at]
        if (rule && at > FEW) report({ span: rule.span, message: `established connections are accepted only after ${at} rules`, ...counted(chain, at) })
      }
    }
  },
}

function onlyState({ matches }: { readonly matches: readonly { readonly name: string }[] }): boolean {
  return matches.every(({ name }) => name === 'state' || name === 'conntrack' || name === 'comment')
}

function counted(chain: Chain, at: number): { readonly why?: string } {
  const packets = chain.rules.map(rule => rule.counters?.packets ?? 0n)
  const all = packets.reduce((sum, one) => sum + one, 0n)
  const own = packets[at] ?? 0n
  return all === 0n ? {} : { why: `${(own * 100n) / all}% of the packets that rules of the chain counted are accepted here, each compared with ${at} rules first` }
}
