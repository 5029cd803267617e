/**
 * Packets of IPv6 with an authentication header. Kernel: ip6tables-legacy looks behind it for the protocol, so that any rule may hold of them;
 * nf_tables takes the header itself for the protocol, as IPv4 does. Source: net/ipv6/exthdrs_core.c ipv6_find_hdr() and IP6_FH_F_AUTH.
 */

import type { Backend } from '../ir/hooks.ts'
import type { Chain, MatchUse, Ruleset } from '../ir/ruleset.ts'
import type { Family } from '../net/address.ts'
import { PROTOCOL } from '../net/protocol.ts'
import type { Assertion } from '../policy/resolved.ts'

/** Returns what an assertion says of all that may stand behind authentication headers; undefined where it speaks of none that rules look behind. */
export function behindAuthentication(assertion: Assertion, family: Family, backend: Backend): Assertion | undefined {
  const { traffic, ...flow } = assertion.flow
  const isLookedBehind = family === 'ipv6' && backend === 'legacy' && traffic?.some(({ protocol }) => protocol === PROTOCOL.ah)
  return isLookedBehind ? { ...assertion, flow } : undefined
}

/** Returns a ruleset as packets with the header meet it: the match of the header holds, of what more it asks nothing is known. */
export function asAuthenticated(ruleset: Ruleset): Ruleset {
  const tables = ruleset.tables.map(table => {
    const chains = table.chains.map((chain): Chain => ({ ...chain, rules: chain.rules.map(rule => ({ ...rule, matches: rule.matches.flatMap(withHeader) })) }))
    return { ...table, chains, chainByName: new Map(chains.map(chain => [chain.name, chain])) }
  })
  return { ...ruleset, tables }
}

function withHeader(use: MatchUse): readonly MatchUse[] {
  if (use.name !== 'ah' || use.words) return [use]
  return Object.keys(use.infos).length === 0 ? [] : [{ ...use, words: Object.keys(use.infos) }]
}
