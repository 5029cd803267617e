/** DROP where packets are changed, not judged. */

import { placeOfTarget } from '../../extensions/word-place.ts'
import type { LintRule } from '../lint-rule.ts'
import { targetNamed } from '../rule-facts.ts'

export const dropInMangleOrNat: LintRule = {
  id: 'drop-in-mangle-or-nat',
  severity: 'note',
  what: 'DROP stands in table mangle',
  why: 'who looks for what is dropped looks into table filter; table nat sees the first packet of a connection only and iptables refuses DROP there',
  help: 'drop in table filter, or in table raw where it is to cost little',
  needs: ['chains'],
  check({ ruleset, chains }, report) {
    for (const table of ruleset.tables) {
      if (table.name !== 'mangle') continue
      const drops = table.chains.filter(chain => chains.hooksOf(chain).length > 0).flatMap(chain => chain.rules.filter(rule => targetNamed(rule, ['DROP']) && !rule.matches.some(({ name }) => name === 'rpfilter')))
      const [first] = drops
      if (first) report({ span: placeOfTarget(first), message: drops.length === 1 ? 'DROP stands in table mangle' : `DROP stands in table mangle, here and in ${drops.length - 1} more ${drops.length === 2 ? 'rule' : 'rules'}` })
    }
  },
}
