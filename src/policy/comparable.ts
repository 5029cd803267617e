/** Rulesets without what a policy writes otherwise: comments, and names of chains. A comparison names limits by the text of their rules. */

import type { Chain, Ruleset, TargetUse } from '../ir/ruleset.ts'

/** Chains of a policy's own begin so. */
export function ownName(name: string): string {
  return name.startsWith('gate-') ? name : `gate-${name}`
}

/** Returns the ruleset without comments, its own chains called as a policy calls them. */
export function comparable(ruleset: Ruleset): Ruleset {
  const tables = ruleset.tables.map(table => {
    const chains = table.chains.map(withoutNames)
    return { ...table, chains, chainByName: new Map(chains.map(chain => [chain.name, chain])) }
  })
  return { ...ruleset, tables }
}

function withoutNames({ id, table, name, hook, policy, counters, span, rules }: Chain): Chain {
  const plain = rules.map(rule => ({ ...rule, matches: rule.matches.filter(use => use.name !== 'comment'), target: rule.target && renamed(rule.target) }))
  return { id, table, name: hook === undefined ? ownName(name) : name, hook, policy, counters, span, rules: plain }
}

function renamed(target: TargetUse): TargetUse {
  return target.kind === 'target' ? target : { ...target, chain: ownName(target.chain) }
}
