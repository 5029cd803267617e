/** Rulesets without what a policy writes otherwise: comments, and names of chains. A comparison names limits by the text of their rules. */

import type { Chain, Ruleset, TargetUse } from '../ir/ruleset.ts'
import { CHAIN_NAME_LIMIT } from './compiled.ts'

/** Returns the name of a chain of a policy's own: it begins with `gate-`, and one that would be too long for the kernel is cut and told from others by a number. */
export function ownName(name: string): string {
  const own = name.startsWith('gate-') ? name : `gate-${name}`
  if (own.length <= CHAIN_NAME_LIMIT) return own
  let hash = 0
  for (let index = 0; index < name.length; index++) hash = (Math.imul(hash, 31) + name.charCodeAt(index)) >>> 0
  const tail = `-${(hash % 46656).toString(36)}`
  return `${own.slice(0, CHAIN_NAME_LIMIT - tail.length).replace(/-+$/, '')}${tail}`
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
