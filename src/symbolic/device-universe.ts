/** The devices that packets may have: those that rules name and those that a namespace has. */

import { predicateOf } from '../extensions/meaning-of.ts'
import { eachRule } from '../ir/ruleset.ts'
import type { Backend } from '../ir/hooks.ts'
import type { MatchUse, Ruleset } from '../ir/ruleset.ts'
import type { Predicate } from '../meaning/predicate.ts'
import type { Ipset, Namespace } from '../topology/topology.ts'

/** Names in the order in which they are met, and prefixes of patterns such as `eth+`. */
export interface NamedDevices {
  readonly names: readonly string[]
  readonly prefixes: readonly string[]
  /** There are no devices but these. */
  readonly isClosed: boolean
}

/** Returns the devices of rulesets and of a namespace; without a namespace there may be others. */
export function deviceUniverse(rulesets: readonly Ruleset[], namespace: Namespace | undefined, backend: Backend, ipsets: readonly Ipset[] = []): NamedDevices {
  const names = new Set<string>(['', 'lo', ...(namespace?.devices.map(({ name }) => name) ?? [])])
  const prefixes = new Set<string>()
  const seen = new Set<MatchUse>()
  for (const ruleset of rulesets) {
    eachRule(ruleset, rule => {
      for (const use of rule.matches) {
        if (seen.has(use)) continue
        seen.add(use)
        noteDevices(predicateOf(use, ruleset.family, backend), names, prefixes)
      }
    })
  }
  for (const name of devicesOfIpsets([...(namespace?.ipsets ?? []), ...ipsets])) names.add(name)
  return { names: [...names], prefixes: [...prefixes], isClosed: false }
}

/** Returns the devices that entries of ipsets name, and other parts of these entries, which are no devices of anybody. */
export function devicesOfIpsets(ipsets: readonly Ipset[]): readonly string[] {
  return ipsets.filter(({ type }) => type.includes('iface')).flatMap(({ entries }) => entries.flatMap(({ text }) => text.split(',')))
}

function noteDevices(predicate: Predicate, names: Set<string>, prefixes: Set<string>): void {
  switch (predicate.kind) {
    case 'device':
      if (predicate.pattern.prefix) prefixes.add(predicate.pattern.name)
      else names.add(predicate.pattern.name)
      return
    case 'not':
      noteDevices(predicate.of, names, prefixes)
      return
    case 'all':
    case 'any':
      for (const part of predicate.of) noteDevices(part, names, prefixes)
      return
    default:
  }
}
