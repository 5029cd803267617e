/** Where an address lies by what the rules give away, found without asking each hint: with published services there is one for each container. */

import { maskAddress } from '../net/address.ts'
import type { Address } from '../net/address.ts'
import type { PrefixHint, RuleHints } from '../topology/rule-hints.ts'

/** The hints about one address, longest prefixes first. */
export type HintsAt = (address: Address) => readonly PrefixHint[]

/** Returns how hints about addresses of the ruleset's family are found; they are sorted when one is first asked for. */
export function hintLookup({ prefixes }: RuleHints): HintsAt {
  let byMask: ReadonlyMap<Address, ReadonlyMap<Address, readonly PrefixHint[]>> | undefined
  return address => [...(byMask ??= sortHints(prefixes))].flatMap(([mask, byAddress]) => byAddress.get(maskAddress(address, mask)) ?? [])
}

/** Keeps the order of the masks. */
function sortHints(hints: readonly PrefixHint[]): ReadonlyMap<Address, ReadonlyMap<Address, readonly PrefixHint[]>> {
  const byMask = new Map<Address, Map<Address, PrefixHint[]>>()
  for (const hint of hints) {
    const { address, mask } = hint.prefix
    const byAddress = byMask.get(mask) ?? new Map<Address, PrefixHint[]>()
    byMask.set(mask, byAddress)
    const list = byAddress.get(address)
    if (list) list.push(hint)
    else byAddress.set(address, [hint])
  }
  return byMask
}
