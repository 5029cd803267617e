/** Rules that change nothing: were they gone, the same would become of every packet. */

import type { Redundant } from '../../analyze/redundant.ts'
import { lineOf } from '../../diagnostics/source-file.ts'
import type { Family } from '../../net/address.ts'
import { lineEdit } from '../line-edits.ts'
import type { LintRule } from '../lint-rule.ts'
import { matchesAll } from '../rule-facts.ts'
import { isWrittenByEngine } from '../run-time-chains.ts'
import { isBehindEnd } from '../shadowed-rules.ts'

export const redundantRule: LintRule = {
  id: 'redundant-rule',
  severity: 'note',
  what: 'the rule changes nothing',
  why: 'without it the same would become of every packet that it matches',
  help: 'remove it, unless it is there to count or to be quick; the last rule of a chain may say for all packets what the policy says',
  needs: ['whole', 'dead'],
  check(inputs, report) {
    const redundant = inputs.dead.findings.filter(finding => finding.kind === 'redundant')
    const closing = new Map(redundant.filter(finding => isClosing(finding, inputs.family)).map(({ at }) => [at.chain, at.rule]))
    for (const { at, instead, policyOf } of redundant) {
      if (closing.get(at.chain) === at.rule || isBehindEnd(at, inputs) || isWrittenByEngine(at.chain)) continue
      const last = closing.get(at.chain) ?? (policyOf && closing.get(policyOf))
      const others = [...instead.slice(0, 3).map(({ rule }) => rule), ...(policyOf && last ? [last] : [])]
      const places = others.map(rule => ({ span: rule.span, message: `line ${lineOf(rule.span)} does the same with its packets` }))
      const policy = policyOf?.span && !last ? [{ span: policyOf.span, message: `the policy of ${policyOf.name} does the same with its packets` }] : []
      report({ span: at.rule.span, related: [...places, ...policy], fix: { kind: 'suggestion', message: 'remove it', edits: [lineEdit(at.rule.span, '')] } })
    }
  },
}

/** A last rule for all packets that says what the policy says is meant: it counts, and stays when the policy is set otherwise. `5x5 dead` names it. */
function isClosing({ at: { rule, number, chain }, instead }: Redundant, family: Family): boolean {
  return number === chain.rules.length && instead.length === 0 && matchesAll(rule, family)
}
