/** Every extension by name and family: an explicit list. */

import type { Family } from '../net/address.ts'
import type { MatchDefinition, TargetDefinition } from './extension.ts'
import { ip } from './matches/ip.ts'
import { tcp } from './matches/tcp.ts'
import { udp } from './matches/udp.ts'
import { acceptTarget, dropTarget, queueTarget, returnTarget } from './targets/verdicts.ts'

/** All matches; `ip` stands for the options of ip itself. */
export const MATCHES: readonly MatchDefinition[] = [ip, tcp, udp]

/** All targets. */
export const TARGETS: readonly TargetDefinition[] = [acceptTarget, dropTarget, queueTarget, returnTarget]

const matchesByName = { ipv4: indexByName(MATCHES, 'ipv4'), ipv6: indexByName(MATCHES, 'ipv6') }
const targetsByName = { ipv4: indexByName(TARGETS, 'ipv4'), ipv6: indexByName(TARGETS, 'ipv6') }

/** Returns the match of a name or alias in a family, undefined where there is none. */
export function matchDefinition(name: string, family: Family): MatchDefinition | undefined {
  return matchesByName[family].get(name)
}

/** Returns the target of a name in a family, undefined where there is none. */
export function targetDefinition(name: string, family: Family): TargetDefinition | undefined {
  return targetsByName[family].get(name)
}

/** Returns the names of all matches of a family without `ip`, for "did you mean". */
export function matchNames(family: Family): readonly string[] {
  return [...matchesByName[family].keys()].filter(name => name !== 'ip')
}

/** Returns the names of all targets of a family, for "did you mean". */
export function targetNames(family: Family): readonly string[] {
  return [...targetsByName[family].keys()]
}

function indexByName<D extends MatchDefinition | TargetDefinition>(definitions: readonly D[], family: Family): ReadonlyMap<string, D> {
  const index = new Map<string, D>()
  for (const definition of definitions) {
    if (definition.families && !definition.families.includes(family)) continue
    index.set(definition.name, definition)
    if (definition.kind === 'match') for (const alias of definition.aliases ?? []) index.set(alias, definition)
  }
  return index
}
