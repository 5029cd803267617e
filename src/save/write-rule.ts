/** One rule -> its line in iptables-save's words, without `-A CHAIN` and counters. */

import type { InfosOf } from '../extensions/extension.ts'
import { isNativeInNft } from '../extensions/meaning-of.ts'
import { targetInWords, useInWords } from '../extensions/option-words.ts'
import type { Backend } from '../ir/hooks.ts'
import { matchDefinition } from '../extensions/registry.ts'
import type { Infos, MatchUse, Rule, TargetUse } from '../ir/ruleset.ts'
import type { Family } from '../net/address.ts'

const matchWords = { ipv4: forBackends<MatchUse>(), ipv6: forBackends<MatchUse>() }
const targetWords = { ipv4: forBackends<TargetUse>(), ipv6: forBackends<TargetUse>() }

function forBackends<K extends object>(): Readonly<Record<Backend, WeakMap<K, string>>> {
  return { legacy: new WeakMap(), nft: new WeakMap() }
}

/** Returns the saved text of a rule's matches and target; empty for a rule that has neither. */
export function writeRule(rule: Pick<Rule, 'matches' | 'target'>, family: Family, backend: Backend = 'legacy'): string {
  const text = writeMatches(rule.matches, family, backend)
  if (!rule.target) return text
  const words = writeTarget(rule.target, family, backend)
  return text === '' ? words : `${text} ${words}`
}

/** Returns the saved text of matches alone. */
export function writeMatches(matches: readonly MatchUse[], family: Family, backend: Backend = 'legacy'): string {
  const texts: string[] = []
  for (const use of backend === 'nft' ? joinNative(matches, family) : matches) {
    // Uses of ip and comments hardly repeat: to remember them costs more than to write them.
    const words = use.name === 'ip' || use.name === 'comment' ? useInWords(use, family, backend) : remember(matchWords[family][backend], use, () => useInWords(use, family, backend))
    if (words !== '') texts.push(words)
  }
  // To join makes one string of all; to add would keep the parts of each.
  return texts.join(' ')
}

/** Returns the saved text of a target alone. */
export function writeTarget(target: TargetUse, family: Family, backend: Backend = 'legacy'): string {
  return remember(targetWords[family][backend], target, () => targetInWords(target, family, backend))
}

/** Returns the matches as iptables-nft reads them back: those that it writes as its own expressions become one for each name. */
function joinNative(matches: readonly MatchUse[], family: Family): readonly MatchUse[] {
  const isTwice = matches.some((use, index) => index > 0 && matches.findIndex(other => other.name === use.name) < index && isNativeInNft(use, family))
  if (!isTwice) return matches
  const joined: MatchUse[] = []
  const native = new Map<string, number>()
  for (const use of matches) {
    const infos = isNativeInNft(use, family) ? matchDefinition(use.name, family)?.savedBy?.('nft', use.infos) : undefined
    const place = native.get(use.name)
    const earlier = place === undefined ? undefined : joined[place]
    if (!isNativeInNft(use, family)) joined.push(use)
    else if (infos && place !== undefined && earlier) joined[place] = { name: use.name, infos: joinInfos(earlier.infos, infos) }
    else if (infos) native.set(use.name, joined.push({ name: use.name, infos: joinInfos({}, infos) }) - 1)
  }
  return joined
}

/** Kernel: the later value wins, an inversion stays. */
function joinInfos(earlier: Infos, later: InfosOf<Record<string, unknown>>): Infos {
  const both = Object.entries(later).flatMap(([name, use]) => (use ? [[name, { value: use.value, inverted: use.inverted || (earlier[name]?.inverted ?? false) }] as const] : []))
  return { ...earlier, ...Object.fromEntries(both) }
}

function remember<K extends object>(known: WeakMap<K, string>, key: K, make: () => string): string {
  const old = known.get(key)
  if (old !== undefined) return old
  const made = make()
  known.set(key, made)
  return made
}
