/** Rules that mean one thing when iptables-legacy loads them and another when iptables-nft does. */

import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { Chain, MatchUse, Rule, Ruleset } from '../ir/ruleset.ts'
import type { Family } from '../net/address.ts'
import type { MatchDefinition } from './extension.ts'
import { predicateOf } from './meaning-of.ts'
import { useInWords } from './option-words.ts'
import { matchDefinition } from './registry.ts'
import { placeOfMatch } from './word-place.ts'

/** Returns a note for every rule whose matches the backends load with different meanings. */
export function checkBackends(ruleset: Ruleset): Diagnostic[] {
  const { family } = ruleset
  const found: Diagnostic[] = []
  const alike = new Map<Rule, boolean>()
  for (const table of ruleset.tables) {
    for (const { rules } of table.chains.filter(chain => !isAlike(chain, family, alike))) for (const rule of rules) found.push(...differencesOf(rule, family))
  }
  return found
}

/** Whether no kind of rules in a chain has two meanings; `alike` remembers the kinds. */
function isAlike({ digest }: Chain, family: Family, alike: Map<Rule, boolean>): boolean {
  if (!digest) return false
  for (const { sample } of digest.kinds) {
    const known = alike.get(sample) ?? differencesOf(sample, family).length === 0
    alike.set(sample, known)
    if (!known) return false
  }
  return true
}

function differencesOf(rule: Rule, family: Family): Diagnostic[] {
  return rule.matches.flatMap(use => {
    const definition = use.words ? undefined : matchDefinition(use.name, family)
    const help = definition && differenceOf(use, definition, rule, family)
    return definition && help !== undefined ? [difference(rule, use, definition, help)] : []
  })
}

/** Says what iptables-nft makes of a use; undefined where both backends agree. */
function differenceOf(use: MatchUse, definition: MatchDefinition, rule: Rule, family: Family): string | undefined {
  if (definition.isNativeInNft && isJoined(use, definition, rule)) return `iptables-nft joins the uses of \`-m ${use.name}\` in one rule: of an option given twice the last counts`
  const saved = definition.savedBy ? definition.savedBy('nft', use.infos) : use.infos
  const joins = saved && definition.nftJoins?.(saved)
  if (!joins && saved && isSame(saved, use.infos)) return undefined
  if (textOfPredicate(use, family, 'legacy') === textOfPredicate(use, family, 'nft')) return undefined
  if (joins) return joins.help ?? 'iptables-nft compares both ports at once: there the rule matches unless both are as written'
  const words = useInWords(use, family, 'nft')
  return saved && words !== '' ? `iptables-nft loads it as \`${words}\`` : 'iptables-nft forgets this match: there the rule matches without it'
}

/** Kernel: the last use takes in what is given before; only a use that repeats an option of an earlier one changes the meaning. */
function isJoined(use: MatchUse, definition: MatchDefinition, rule: Rule): boolean {
  const earlier = rule.matches.slice(0, rule.matches.indexOf(use)).filter(other => other.name === use.name)
  return earlier.some(other => Object.keys(other.infos).some(option => use.infos[option]) && definition.isNativeInNft?.(other.infos)) && definition.isNativeInNft?.(use.infos) === true
}

function isSame(saved: MatchUse['infos'] | Partial<MatchUse['infos']>, infos: MatchUse['infos']): boolean {
  const names = Object.keys(infos)
  return names.length === Object.keys(saved).length && names.every(name => saved[name] === infos[name])
}

function textOfPredicate(use: MatchUse, family: Family, backend: 'legacy' | 'nft'): string {
  return JSON.stringify(predicateOf(use, family, backend), (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value))
}

function difference(rule: Rule, use: MatchUse, definition: MatchDefinition, help: string): Diagnostic {
  return { code: 'backends-differ', severity: 'note', message: 'the backends load this rule with different meanings', span: placeOfMatch(rule, definition, use.name), related: [], help }
}
