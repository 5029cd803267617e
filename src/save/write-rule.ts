/** One rule -> its line in iptables-save's words, without `-A CHAIN` and counters. */

import { targetInWords, useInWords } from '../extensions/option-words.ts'
import type { Backend } from '../ir/hooks.ts'
import type { MatchUse, Rule, TargetUse } from '../ir/ruleset.ts'
import type { Family } from '../net/address.ts'

const matchWords = { ipv4: forBackends(), ipv6: forBackends() }
const targetWords = { ipv4: new WeakMap<TargetUse, string>(), ipv6: new WeakMap<TargetUse, string>() }

function forBackends(): Readonly<Record<Backend, WeakMap<MatchUse, string>>> {
  return { legacy: new WeakMap(), nft: new WeakMap() }
}

/** Returns the saved text of a rule's matches and target; empty for a rule that has neither. */
export function writeRule(rule: Pick<Rule, 'matches' | 'target'>, family: Family, backend: Backend = 'legacy'): string {
  let text = ''
  for (const use of rule.matches) {
    const words = remember(matchWords[family][backend], use, () => useInWords(use, family, backend))
    if (words !== '') text = text === '' ? words : `${text} ${words}`
  }
  const { target } = rule
  if (!target) return text
  const words = remember(targetWords[family], target, () => targetInWords(target, family))
  return text === '' ? words : `${text} ${words}`
}

function remember<K extends object>(known: WeakMap<K, string>, key: K, make: () => string): string {
  const old = known.get(key)
  if (old !== undefined) return old
  const made = make()
  known.set(key, made)
  return made
}
