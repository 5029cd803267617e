/** Shadowed rules in three kinds: those before them do the same, the opposite, or another translation. Exact: from the packet sets. */

import { lineOf } from '../diagnostics/source-file.ts'
import type { RuleRef } from '../analyze/rule-reach.ts'
import type { Rule } from '../ir/ruleset.ts'
import type { Family } from '../net/address.ts'
import type { LintFinding, LintInputs } from './lint-rule.ts'
import { lineEdit } from './line-edits.ts'
import { natOf, verdictOf } from './rule-facts.ts'
import { isWrittenByEngine } from './run-time-chains.ts'

/** A shadowed rule, ready to be reported. */
export interface ShadowedRule {
  readonly kind: 'same' | 'other' | 'nat'
  /** It and what decides before it are an engine's. */
  readonly isOfEngine: boolean
  readonly finding: LintFinding
}

/** So many of the rules to blame are shown. */
const SHOWN = 3

const known = new WeakMap<object, readonly ShadowedRule[]>()

/** Returns the shadowed rules of a ruleset but those behind a rule for all packets, which are told at once. */
export function shadowedRules(inputs: LintInputs): readonly ShadowedRule[] {
  const { dead } = inputs
  const before = known.get(dead)
  if (before) return before
  const found = dead.findings.flatMap(finding => {
    if (finding.kind !== 'shadowed' || isBehindEnd(finding.at, inputs)) return []
    return [describe(finding.at, finding.blame?.rules ?? [], inputs)]
  })
  known.set(dead, found)
  return found
}

/** Tells whether `rule-after-final-verdict` is about the rule. */
export function isBehindEnd({ chain, number }: RuleRef, { chains }: LintInputs): boolean {
  const end = chains.endOf(chain)
  return end !== -1 && number - 1 > end
}

function describe(at: RuleRef, blame: readonly RuleRef[], inputs: LintInputs): ShadowedRule {
  const { family } = inputs
  const kind = kindOf(at, blame, inputs)
  const lines = blame.map(({ rule }) => lineOf(rule.span))
  const who = lines.length === 0 ? undefined : lines.length === 1 ? `line ${lines[0]} decides every packet that it would match` : `lines ${lines.slice(0, SHOWN).join(', ')}${lines.length > SHOWN ? ` and ${lines.length - SHOWN} more` : ''} together decide every packet that it would match`
  const does = verdictOf(at.rule, family)
  const message = kind === 'other' ? `this rule can never match: its packets are ${does === 'accept' ? 'dropped' : 'accepted'} before` : undefined
  return {
    kind,
    isOfEngine: [at, ...blame].every(({ chain }) => isWrittenByEngine(chain)),
    finding: {
      span: at.rule.span,
      ...(message === undefined ? {} : { message }),
      ...(who === undefined ? {} : { why: who }),
      ...(lines.length === 1 && kind !== 'nat' ? { help: kind === 'other' ? `move it above line ${lines[0]} if it is meant, else remove it` : `remove it, or move it above line ${lines[0]}` } : {}),
      related: blame.slice(0, SHOWN).map(({ rule }) => ({ span: rule.span, message: `line ${lineOf(rule.span)} comes first` })),
      ...(kind === 'same' ? { fix: { kind: isSaidBefore(at.rule, blame.map(({ rule }) => rule), family) ? 'safe' as const : 'suggestion' as const, message: 'remove it', edits: [lineEdit(at.rule.span, '')] } } : {}),
    },
  }
}

/**
 * Tells whether rules before one give all their packets the verdict that it would give. Where they do not, it may stand at the wrong place: to
 * remove it keeps the meaning of the ruleset and hides the mistake.
 */
export function isSaidBefore(rule: Rule, before: readonly Rule[], family: Family): boolean {
  const verdict = verdictOf(rule, family)
  return (verdict === 'accept' || verdict === 'drop') && before.length > 0 && before.every(other => verdictOf(other, family) === verdict)
}

/** All of the rules to blame must do the opposite: where some do the same, the author may well know. */
function kindOf(at: RuleRef, blame: readonly RuleRef[], { family }: LintInputs): ShadowedRule['kind'] {
  if (at.chain.table === 'nat' && natOf(at.rule, family)?.side === 'source' && blame.length > 0 && blame.every(({ rule }) => natOf(rule, family) !== undefined)) return 'nat'
  const own = verdictOf(at.rule, family)
  const opposite = own === 'accept' ? 'drop' : own === 'drop' ? 'accept' : undefined
  return opposite !== undefined && blame.length > 0 && blame.every(({ rule }) => verdictOf(rule, family) === opposite) ? 'other' : 'same'
}
