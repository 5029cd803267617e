/** Marks that routing rules ask for, set where routing is over. */

import { effectsOf } from '../../extensions/meaning-of.ts'
import { eachRule } from '../../ir/ruleset.ts'
import type { Rule } from '../../ir/ruleset.ts'
import type { Hook } from '../../ir/hooks.ts'
import { assignedValue } from '../../meaning/effect.ts'
import type { LintInputs, LintRule } from '../lint-rule.ts'

/** What comes behind the routing decision: a mark that is set there has no say in it. */
const BEHIND: ReadonlySet<Hook> = new Set<Hook>(['INPUT', 'FORWARD', 'POSTROUTING'])

export const markAfterRouting: LintRule = {
  id: 'mark-after-routing',
  severity: 'warning',
  what: 'the mark is set when the packet is routed already',
  why: 'routing comes between PREROUTING and FORWARD: the routing rule never sees this mark, and the packet takes the way of all others',
  help: 'set it in table mangle, in PREROUTING for what arrives and in OUTPUT for what this host sends',
  needs: ['topology', 'chains'],
  check({ ruleset, family, chains, topology }, report) {
    const wanted = topology?.namespaces[0]?.rules.flatMap(({ mark }) => (mark && mark.value !== 0 ? [mark] : [])) ?? []
    if (wanted.length === 0) return
    const late: { readonly rule: Rule; readonly mark: Wanted }[] = []
    const early = new Set<Wanted>()
    let isKept = false
    eachRule(ruleset, (rule, _number, chain) => {
      const effects = rule.target ? effectsOf(rule.target, family) : []
      const hooks = chains.hooksOf(chain)
      // What is kept with the connection may come back in PREROUTING, for its later packets.
      isKept ||= effects.some(effect => effect.kind === 'assign' && effect.field === 'ct.mark')
      for (const mark of wanted) {
        if (hooks.length === 0 || !effects.some(effect => effect.kind === 'assign' && effect.field === 'mark' && !effect.from && (assignedValue(effect, 0) & mark.mask) >>> 0 === mark.value)) continue
        if (hooks.every(hook => BEHIND.has(hook))) late.push({ rule, mark })
        else early.add(mark)
      }
    })
    for (const { rule, mark } of isKept ? [] : late) if (!early.has(mark)) report({ span: rule.span, message: `the mark 0x${mark.value.toString(16)} is set when the packet is routed already` })
  },
}

type Wanted = NonNullable<NonNullable<LintInputs['topology']>['namespaces'][number]['rules'][number]['mark']>
