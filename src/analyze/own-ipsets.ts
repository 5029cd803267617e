/** Ipsets that have other content in two versions: those of the newer one get names of their own, so that both stand side by side. */

import type { Chain, Infos, MatchUse, Rule, Ruleset } from '../ir/ruleset.ts'
import type { Ipset } from '../topology/topology.ts'

/** The newer ruleset, asking for its own sets, and the sets of both. */
export interface OwnIpsets {
  readonly ruleset: Ruleset
  readonly ipsets: readonly Ipset[]
}

/** Returns the ruleset with the sets that differ under other names; the same object where none does. */
export function withOwnIpsets(ruleset: Ruleset, { before, after }: Readonly<Record<'before' | 'after', readonly Ipset[]>>): OwnIpsets {
  const changed = changedIpsetNames(before, after)
  if (changed.size === 0) return { ruleset, ipsets: before }
  const rename = (name: string): string => (changed.has(name) ? `${name} (new)` : name)
  const renamed = after.filter(({ name }) => changed.has(name)).map(set => ({ ...set, name: rename(set.name), entries: set.type === 'list:set' ? set.entries.map(entry => ({ ...entry, text: rename(entry.text) })) : set.entries }))
  return { ruleset: renameIn(ruleset, rename), ipsets: [...before, ...renamed] }
}

/** Returns the sets that differ, or are in one version only; a list differs with its members. */
export function changedIpsetNames(before: readonly Ipset[], after: readonly Ipset[]): ReadonlySet<string> {
  const texts = (sets: readonly Ipset[]): ReadonlyMap<string, string> => new Map(sets.map(({ name, type, family, entries }) => [name, `${type} ${family} ${entries.map(({ text, nomatch }) => `${text}${nomatch ? ' nomatch' : ''}`).sort().join(' ')}`]))
  const [old, now] = [texts(before), texts(after)]
  const changed = new Set([...old.keys(), ...now.keys()].filter(name => old.get(name) !== now.get(name)))
  const lists = [...before, ...after].filter(({ type }) => type === 'list:set')
  for (let size = -1; size !== changed.size; ) {
    size = changed.size
    for (const { name, entries } of lists) if (entries.some(({ text }) => changed.has(text))) changed.add(name)
  }
  return changed
}

const OPTIONS = ['match-set', 'add-set', 'del-set', 'map-set']

function renameIn(ruleset: Ruleset, rename: (name: string) => string): Ruleset {
  const uses = new Map<MatchUse, MatchUse>()
  const ofUse = (use: MatchUse): MatchUse => {
    const known = uses.get(use) ?? withInfos(use, rename)
    uses.set(use, known)
    return known
  }
  const ofRule = (rule: Rule): Rule => {
    const matches = rule.matches.map(ofUse)
    const target = rule.target?.kind === 'target' ? withInfos(rule.target, rename) : rule.target
    return target === rule.target && matches.every((use, index) => use === rule.matches[index]) ? rule : { ...rule, matches, target }
  }
  const tables = ruleset.tables.map(table => {
    const chains = table.chains.map((chain): Chain => ({ id: chain.id, table: chain.table, name: chain.name, hook: chain.hook, policy: chain.policy, counters: chain.counters, span: chain.span, rules: chain.rules.map(ofRule) }))
    return { ...table, chains, chainByName: new Map(chains.map(chain => [chain.name, chain])) }
  })
  return { ...ruleset, tables }
}

function withInfos<Use extends { readonly infos: Infos }>(use: Use, rename: (name: string) => string): Use {
  const renamed = OPTIONS.flatMap(option => {
    const info = use.infos[option]
    if (!info || !isNamed(info.value)) return []
    const name = rename(info.value.name)
    return name === info.value.name ? [] : [[option, { ...info, value: { ...info.value, name } }] as const]
  })
  return renamed.length === 0 ? use : { ...use, infos: { ...use.infos, ...Object.fromEntries(renamed) } }
}

function isNamed(value: unknown): value is { readonly name: string } {
  return typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string'
}
