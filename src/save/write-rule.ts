/** One rule -> its line in iptables-save's words, without `-A CHAIN` and counters. */

import { targetInWords, useInWords } from '../extensions/option-words.ts'
import type { Backend } from '../ir/hooks.ts'
import { matchDefinition } from '../extensions/registry.ts'
import type { Infos, MatchUse, Rule, TargetUse } from '../ir/ruleset.ts'
import type { Family } from '../net/address.ts'

const matchWords = { ipv4: forBackends(), ipv6: forBackends() }
const targetWords = { ipv4: new WeakMap<TargetUse, string>(), ipv6: new WeakMap<TargetUse, string>() }

function forBackends(): Readonly<Record<Backend, WeakMap<MatchUse, string>>> {
  return { legacy: new WeakMap(), nft: new WeakMap() }
}

/** Returns the saved text of a rule's matches and target; empty for a rule that has neither. */
export function writeRule(rule: Pick<Rule, 'matches' | 'target'>, family: Family, backend: Backend = 'legacy'): string {
  let text = ''
  for (const use of backend === 'nft' ? joinNative(rule.matches, family) : rule.matches) {
    const words = remember(matchWords[family][backend], use, () => useInWords(use, family, backend))
    if (words !== '') text = text === '' ? words : `${text} ${words}`
  }
  const { target } = rule
  if (!target) return text
  const words = remember(targetWords[family], target, () => targetInWords(target, family))
  return text === '' ? words : `${text} ${words}`
}

/** Returns the matches as iptables-nft reads them back: those that it writes as its own expressions become one for each name. */
function joinNative(matches: readonly MatchUse[], family: Family): readonly MatchUse[] {
  const isTwice = matches.some((use, index) => index > 0 && matches.findIndex(other => other.name === use.name) < index && isNative(use, family))
  if (!isTwice) return matches
  const joined: MatchUse[] = []
  for (const use of matches) {
    const place = isNative(use, family) ? joined.findIndex(other => other.name === use.name && isNative(other, family)) : -1
    const earlier = joined[place]
    if (earlier) joined[place] = { name: use.name, infos: joinInfos(earlier.infos, use.infos) }
    else joined.push(use)
  }
  return joined
}

function isNative(use: MatchUse, family: Family): boolean {
  return matchDefinition(use.name, family)?.isNativeInNft?.(use.infos) ?? false
}

/** Kernel: the later value wins, an inversion stays. */
function joinInfos(earlier: Infos, later: Infos): Infos {
  const both = Object.entries(later).map(([name, use]) => [name, { value: use.value, inverted: use.inverted || (earlier[name]?.inverted ?? false) }])
  return { ...earlier, ...Object.fromEntries(both) }
}

function remember<K extends object>(known: WeakMap<K, string>, key: K, make: () => string): string {
  const old = known.get(key)
  if (old !== undefined) return old
  const made = make()
  known.set(key, made)
  return made
}
