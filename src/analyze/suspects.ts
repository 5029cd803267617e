/** The packets that two versions of a ruleset can treat differently at all: those that match a rule which only one of them has in its place. */

import type { Chain, Ruleset } from '../ir/ruleset.ts'
import { tableNamed } from '../ir/ruleset.ts'
import { TABLES } from '../ir/hooks.ts'
import type { NumberField } from '../meaning/fields.ts'
import { all, always, any, not } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import type { PacketSet } from '../packetset/packet-sets.ts'
import { writeRule } from '../save/write-rule.ts'
import type { PreparedChain, PreparedRule, PreparedRuleset } from '../symbolic/prepare-rules.ts'
import type { Space } from '../symbolic/reachable-sets.ts'
import { alignLists } from './align-lists.ts'

/** Returns a set that has every packet whose way can differ; `isMade`: of packets that this host makes. Every packet where a policy changed. */
export function suspectSet(space: Space, before: PreparedRuleset, after: PreparedRuleset, start: 'arrive' | 'make'): PacketSet {
  const { sets, surroundings } = space
  const changed = changedRules(before, after)
  if (changed === 'all') return sets.every
  const rewritten = rewrittenFields([before, after])
  const hasFixedDevices = start === 'arrive'
  const parts = [...new Set(changed.map(({ when }) => when))].map(when => sets.setOf(looser(surroundings.ground(when), term => isFixed(term, rewritten, hasFixedDevices))))
  return sets.union(...parts)
}

/** Rules that stand in one version only, or in another order; `all` where a policy differs. */
function changedRules(before: PreparedRuleset, after: PreparedRuleset): readonly PreparedRule[] | 'all' {
  const changed: PreparedRule[] = []
  for (const name of TABLES) {
    const [old, now] = [chainsOf(before, name), chainsOf(after, name)]
    for (const chain of new Set([...old.keys(), ...now.keys()])) {
      const [one, other] = [old.get(chain), now.get(chain)]
      if (policyOf(one?.chain) !== policyOf(other?.chain)) return 'all'
      changed.push(...differing(before.ruleset, one?.rules ?? [], other?.rules ?? []))
    }
  }
  return changed
}

/** A built-in chain that is not there lets everything through. */
function policyOf(chain: Chain | undefined): 'DROP' | 'ACCEPT' {
  return chain?.policy === 'DROP' ? 'DROP' : 'ACCEPT'
}

/** Chains by name; those that no rule reaches are left out. */
function chainsOf({ ruleset, builtIn }: PreparedRuleset, name: (typeof TABLES)[number]): ReadonlyMap<string, PreparedChain> {
  const found = new Map<string, PreparedChain>()
  const queue = tableNamed(ruleset, name) ? Object.values(builtIn[name]) : []
  for (const chain of queue) {
    if (found.has(chain.chain.name)) continue
    found.set(chain.chain.name, chain)
    for (const rule of chain.rules) if (rule.jump) queue.push(rule.jump.to)
  }
  return found
}

function differing(ruleset: Ruleset, before: readonly PreparedRule[], after: readonly PreparedRule[]): readonly PreparedRule[] {
  const textOf = ({ rule, when }: PreparedRule): string => `${writeRule(rule, ruleset.family)} ${freeKeys(when).join(' ')}`
  const { removed, added } = alignLists(before.map(textOf), after.map(textOf))
  return [...removed.flatMap(index => before[index] ?? []), ...added.flatMap(index => after[index] ?? [])]
}

function freeKeys(predicate: Predicate): readonly string[] {
  switch (predicate.kind) {
    case 'opaque':
      return [predicate.key]
    case 'not':
      return freeKeys(predicate.of)
    case 'all':
    case 'any':
      return predicate.of.flatMap(freeKeys)
    default:
      return []
  }
}

/** What rules may rewrite, and what is another thing on the way than at first: the ttl, the connection's state. */
function rewrittenFields(rulesets: readonly PreparedRuleset[]): (field: NumberField) => boolean {
  const fields = new Set<string>(['ip.ttl', 'ct.state'])
  let hasNat = false
  for (const prepared of rulesets) {
    for (const name of TABLES) {
      for (const { rules } of chainsOf(prepared, name).values()) {
        for (const effect of rules.flatMap(({ effects }) => effects)) {
          if (effect.kind === 'assign' || effect.kind === 'adjust') fields.add(effect.field)
          if (effect.kind === 'nat' || effect.kind === 'translatePrefix') hasNat = true
        }
      }
    }
  }
  return field => fields.has(field) || field.startsWith('ct.') || (hasNat && /^(ip\.(src|dst)|l4\.[sd]port|addressType\.)/.test(field))
}

function isFixed(term: Predicate, isRewritten: (field: NumberField) => boolean, hasFixedDevices: boolean): boolean {
  switch (term.kind) {
    case 'within':
    case 'masked':
      return !isRewritten(term.field)
    case 'device':
      return hasFixedDevices && term.field.startsWith('device.')
    case 'ipset':
      return !isRewritten('ip.dst') && hasFixedDevices
    default:
      return true
  }
}

/** A predicate that holds wherever this one may hold while the packet is on its way: terms that are not fixed are taken to hold. */
function looser(predicate: Predicate, isFixedTerm: (term: Predicate) => boolean): Predicate {
  switch (predicate.kind) {
    case 'all':
      return all(predicate.of.map(part => looser(part, isFixedTerm)))
    case 'any':
      return any(predicate.of.map(part => looser(part, isFixedTerm)))
    case 'not':
      return everyTerm(predicate.of, isFixedTerm) ? not(predicate.of) : always
    default:
      return isFixedTerm(predicate) ? predicate : always
  }
}

function everyTerm(predicate: Predicate, holds: (term: Predicate) => boolean): boolean {
  switch (predicate.kind) {
    case 'all':
    case 'any':
      return predicate.of.every(part => everyTerm(part, holds))
    case 'not':
      return everyTerm(predicate.of, holds)
    default:
      return holds(predicate)
  }
}
