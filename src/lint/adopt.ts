/** Rules whose findings loading or `check` makes already: they take them over under their own name. */

import type { Diagnostic, Severity } from '../diagnostics/diagnostic.ts'
import type { LintRule } from './lint-rule.ts'

/** Which findings a rule takes over. */
export type Adopts = (problem: Diagnostic) => boolean

const adopters = new Map<LintRule['id'], Adopts>()

/** Returns a rule whose findings are those of reading and `check` that it adopts. */
export function adoptingRule(shape: Omit<LintRule, 'needs' | 'check'>, adopts: Adopts, severityOf?: (problem: Diagnostic) => Severity): LintRule {
  const rule: LintRule = {
    ...shape,
    needs: ['problems'],
    check({ problems }, report) {
      for (const problem of problems) {
        if (!adopts(problem)) continue
        const { span, message, severity, related, help, fix } = problem
        report({ span, message, related, ...(severity === 'error' ? { severity } : severityOf ? { severity: severityOf(problem) } : {}), ...(help === undefined ? {} : { help }), ...(fix === undefined ? {} : { fix }) })
      }
    },
  }
  adopters.set(rule.id, adopts)
  return rule
}

/** Tells whether one of these rules reports the problem as its own. */
export function isAdopted(problem: Diagnostic, rules: readonly LintRule[]): boolean {
  return rules.some(rule => adopters.get(rule.id)?.(problem) === true)
}
