/** What the linter asks of one rule: its verdict, its conditions, its comment. */

import { effectsOf, memoryOf, predicateOf } from '../extensions/meaning-of.ts'
import type { MatchUse, OptionUse, Rule, TargetUse } from '../ir/ruleset.ts'
import type { Effect } from '../meaning/effect.ts'
import type { Family } from '../net/address.ts'

/** What a rule that is reached and matches does with the packet's way. */
export type RuleVerdict = 'accept' | 'drop' | 'return' | 'continue' | 'stolen' | 'queue' | 'jump' | 'goto'

/** Returns the verdict of a rule's target; `continue` where it only counts, logs or marks. */
export function verdictOf(rule: Rule, family: Family): RuleVerdict {
  const { target } = rule
  if (!target) return 'continue'
  if (target.kind !== 'target') return target.kind
  const effect = effectsOf(target, family).findLast(one => one.kind === 'verdict')
  return effect?.kind === 'verdict' ? effect.verdict : 'continue'
}

/** Tells whether a rule ends the packet's way through the table. */
export function isFinal(rule: Rule, family: Family): boolean {
  const verdict = verdictOf(rule, family)
  return verdict === 'accept' || verdict === 'drop' || verdict === 'stolen' || verdict === 'queue'
}

/** Tells whether a rule matches every packet, whatever else its words are. Matches with memory are free variables: they do not. */
export function matchesAll(rule: Rule, family: Family): boolean {
  return rule.matches.every(use => predicateOf(use, family).kind === 'always')
}

/** Tells whether whether a rule matches depends on packets before (limit, recent, ...). */
export function hasMemory(rule: Rule, family: Family): boolean {
  return rule.matches.some(use => memoryOf(use, family) !== undefined)
}

/** Returns the first use of a match, undefined where the rule has none. */
export function matchNamed(rule: Rule, name: string): MatchUse | undefined {
  return rule.matches.find(use => use.name === name)
}

/** Returns an option of a match in a rule, undefined where it is not given. */
export function optionOf(rule: Rule, match: string, option: string): OptionUse | undefined {
  for (const use of rule.matches) if (use.name === match && use.infos[option]) return use.infos[option]
  return undefined
}

/** Returns the target where it is an extension of one of these names. */
export function targetNamed(rule: Rule, names: readonly string[]): Extract<TargetUse, { kind: 'target' }> | undefined {
  return rule.target?.kind === 'target' && names.includes(rule.target.name) ? rule.target : undefined
}

/** Returns the bits of `CT_STATE` that a rule asks for, undefined where it asks for none or excludes some. */
export function statesOf(rule: Rule): number | undefined {
  const use = optionOf(rule, 'conntrack', 'ctstate') ?? optionOf(rule, 'state', 'state')
  return use && !use.inverted && typeof use.value === 'number' ? use.value : undefined
}

/** Returns the texts of a rule's comments. */
export function commentsOf(rule: Rule): readonly string[] {
  if (!rule.matches.some(({ name }) => name === 'comment')) return NO_COMMENTS
  return rule.matches.flatMap(use => (use.name === 'comment' && typeof use.infos['comment']?.value === 'string' ? [use.infos['comment'].value] : []))
}

const NO_COMMENTS: readonly string[] = []

/** Returns the nat effect of a rule, undefined where it has none. */
export function natOf(rule: Rule, family: Family): Extract<Effect, { kind: 'nat' }> | undefined {
  if (rule.target?.kind !== 'target') return undefined
  const effect = effectsOf(rule.target, family).find(one => one.kind === 'nat')
  return effect?.kind === 'nat' ? effect : undefined
}
