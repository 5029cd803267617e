/** Rules that stand twice in a chain. */

import { effectsOf } from '../../extensions/meaning-of.ts'
import { lineOf } from '../../diagnostics/source-file.ts'
import type { Fix } from '../../diagnostics/diagnostic.ts'
import type { Span } from '../../diagnostics/source-file.ts'
import { eachRule } from '../../ir/ruleset.ts'
import type { Chain, Rule, Ruleset } from '../../ir/ruleset.ts'
import type { Effect } from '../../meaning/effect.ts'
import { adoptingRule } from '../adopt.ts'
import { lineEdit } from '../line-edits.ts'
import type { LintRule } from '../lint-rule.ts'
import { commentsOf, isFinal } from '../rule-facts.ts'
import { isWrittenByEngine } from '../run-time-chains.ts'

const adopted = adoptingRule(
  { id: 'duplicate-rule', severity: 'warning', what: 'the rule stands twice in its chain', why: 'the second one changes nothing; where one of the two was meant to say something else, that is missing' },
  ({ code }) => code === 'duplicate-rule',
)

export const duplicateRule: LintRule = {
  ...adopted,
  check(inputs, report) {
    const { ruleset, family } = inputs
    let rules: ReadonlyMap<number, Placed> | undefined
    adopted.check(inputs, finding => {
      rules ??= byStart(ruleset)
      const { rule, chain } = rules.get(finding.span.start) ?? {}
      const first = rules.get(finding.related?.[0]?.span.start ?? -1)
      // Kube-proxy and its like write one rule for two reasons.
      if (rule && first && chain && isWrittenByEngine(chain) && commentsOf(rule).join() !== commentsOf(first.rule).join()) return
      // Twice a step down of the ttl is two steps.
      if (rule?.target && effectsOf(rule.target, family).some(addsUp)) return
      report({ ...finding, fix: removal(finding.span, finding.related?.[0]?.span, rule !== undefined && isFinal(rule, family) ? 'safe' : 'suggestion') })
    })
  },
}

interface Placed {
  readonly rule: Rule
  readonly chain: Chain
}

/** Of a text that is one source, by where they begin. */
function byStart(ruleset: Ruleset): ReadonlyMap<number, Placed> {
  const rules = new Map<number, Placed>()
  eachRule(ruleset, (rule, _number, chain) => rules.set(rule.span.start, { rule, chain }))
  return rules
}

function addsUp(effect: Effect): boolean {
  return effect.kind === 'adjust' || (effect.kind === 'assign' && (effect.shift !== undefined || (effect.flip & ~effect.clear) !== 0))
}

/** Behind a rule that ends the way of the same packets the second one is never asked; else what stands between may make a difference. */
function removal(span: Span, first: Span | undefined, kind: Fix['kind']): Fix {
  return { kind, message: first ? `remove it: line ${lineOf(first)} says the same` : 'remove it', edits: [lineEdit(span, '')] }
}
