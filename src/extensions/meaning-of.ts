/** The meaning of a use: a match's predicate, a target's effects. Computed once for each shared use. */

import type { Backend } from '../ir/hooks.ts'
import type { MatchUse, OptionUse, Rule, TargetUse } from '../ir/ruleset.ts'
import type { Effect } from '../meaning/effect.ts'
import { evaluate } from '../meaning/evaluate.ts'
import { all, not, opaque } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import type { Subject } from '../meaning/subject.ts'
import type { Family } from '../net/address.ts'
import type { ExtensionDefinition, MatchDefinition, OptionRow } from './extension.ts'
import { matchDefinition, targetDefinition } from './registry.ts'
import { useInWords } from './option-words.ts'

const predicates = { legacy: perFamily(), nft: perFamily() }
const effects = new Map<Family, WeakMap<TargetUse, readonly Effect[]>>([['ipv4', new WeakMap()], ['ipv6', new WeakMap()]])

/**
 * Returns what a match use means. An unknown match is a free variable named by its words; one with memory is a free variable too,
 * and each rule's is another: callers that care add the rule to the key. The backends load some uses with different meanings.
 */
export function predicateOf(use: MatchUse, family: Family, backend: Backend = 'legacy'): Predicate {
  const known = predicates[backend][family].get(use)
  if (known) return known
  const definition = matchDefinition(use.name, family)
  const predicate = definition && !use.words ? predicateOfKnown(definition, use, family, backend) : opaque(useInWords(use, family), useInWords(use, family))
  predicates[backend][family].set(use, predicate)
  return predicate
}

/** Returns the conjunction of a rule's matches. */
export function predicateOfRule(rule: Rule, family: Family): Predicate {
  return all(rule.matches.map(use => predicateOf(use, family)))
}

/** Returns the definition of a match that has memory, undefined of one without. */
export function memoryOf(use: MatchUse, family: Family): MatchDefinition['memory'] {
  return use.words ? undefined : matchDefinition(use.name, family)?.memory
}

/** Returns what a target does, in order; empty for jumps, and for an unknown target, which is taken to continue (the reader reported it). */
export function effectsOf(use: TargetUse, family: Family): readonly Effect[] {
  if (use.kind !== 'target') return []
  const known = effects.get(family)?.get(use)
  if (known) return known
  const definition = targetDefinition(use.name, family)
  const list = definition && !use.words ? [...givenRows(definition, use.infos).flatMap(({ row, use: option }) => row.does?.(option.value, family) ?? []), ...(definition.does?.(use.infos, family) ?? [])] : []
  effects.get(family)?.set(use, list)
  return list
}

/** Tells whether iptables-nft loads a use as expressions of nf_tables rather than as an extension. */
export function isNativeInNft(use: MatchUse, family: Family): boolean {
  return !use.words && matchDefinition(use.name, family)?.isNativeInNft?.(use.infos) === true
}

/** Returns the name of the first option of a use that does not hold of a subject; undefined where no single option says it. */
export function failedOption(use: MatchUse, family: Family, subject: Subject): string | undefined {
  const definition = matchDefinition(use.name, family)
  if (!definition || use.words || definition.memory) return undefined
  return givenRows(definition, use.infos).find(({ row, use: option }) => {
    const predicate = row.means?.(option.value, family)
    return predicate !== undefined && evaluate(option.inverted ? not(predicate) : predicate, subject) === false
  })?.name
}

/** Kernel: what iptables-nft forgets when it loads a rule is not part of the rule's meaning there. */
function predicateOfKnown(definition: MatchDefinition, use: MatchUse, family: Family, backend: Backend): Predicate {
  if (definition.memory) return opaque(useInWords(use, family), useInWords(use, family))
  const infos = backend === 'nft' && definition.savedBy ? definition.savedBy('nft', use.infos) : use.infos
  if (infos === undefined) return all([])
  const joined = backend === 'nft' ? definition.nftJoins?.(infos) : undefined
  const parts: Predicate[] = []
  for (const { name, row, use: option } of givenRows(definition, infos)) {
    const predicate = joined?.options.includes(name) ? undefined : row.means?.(option.value, family)
    if (predicate) parts.push(option.inverted ? not(predicate) : predicate)
  }
  if (joined) parts.push(joined.means)
  if (definition.means) parts.push(definition.means(infos, family))
  return all(parts)
}

function perFamily(): Readonly<Record<Family, WeakMap<MatchUse, Predicate>>> {
  return { ipv4: new WeakMap(), ipv6: new WeakMap() }
}

interface GivenRow {
  readonly name: string
  readonly row: OptionRow<unknown>
  readonly use: OptionUse
}

/** Returns the options that are given, in the order of the rows. */
function givenRows({ options }: ExtensionDefinition, infos: Readonly<Record<string, OptionUse | undefined>>): readonly GivenRow[] {
  const given: GivenRow[] = []
  for (const name in options) {
    const [row, use] = [options[name], infos[name]]
    if (row && use) given.push({ name, row, use })
  }
  return given
}
