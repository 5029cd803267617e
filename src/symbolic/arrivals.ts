/** What arrives at the chains of a table from a built-in one. Made for a chain when it is asked for: of most chains nobody asks for all that arrives. */

import type { Chain } from '../ir/ruleset.ts'
import type { PacketSet, PacketSets } from '../packetset/packet-sets.ts'
import type { ChainOrder } from './chain-order.ts'
import { joinFlows, matched, through } from './flows.ts'
import type { Flow } from './flows.ts'
import type { RuleMatch } from './rule-sets.ts'

/** What arrives from one built-in chain. */
export interface Arrivals {
  /** Returns what arrives at a chain, one flow for each rewriting, of packets as they enter the table at the hook; none where nothing does. */
  at(chain: Chain): readonly Flow[]
  /** Tells whether somebody asked before, so that it costs nothing. */
  isKnown(chain: Chain): boolean
}

/** What running a chain says of the packets that come to its rules; see `ChainRun`. */
interface Passage {
  readonly start: PacketSet
  readonly matches: readonly RuleMatch[]
  readonly before: readonly (readonly Flow[])[]
}

/** Returns what arrives at chains from the built-in chain `root`. */
export function makeArrivals(sets: PacketSets, { order, calls }: ChainOrder, runs: ReadonlyMap<Chain, Passage>, root: Chain): Arrivals {
  const known = new Map<Chain, readonly Flow[]>([[root, joinFlows(sets, [{ packets: runs.get(root)?.start ?? sets.none, rewriting: sets.unchanged }])]])
  const bring = (to: Chain): readonly Flow[] => (calls.get(to) ?? []).flatMap(({ from, index }) => {
    const [caller, arrived] = [runs.get(from), known.get(from) ?? []]
    const match = caller?.matches[index]
    if (!caller || !match || arrived.length === 0) return []
    return (caller.before[index] ?? []).flatMap(flow => {
      const part = matched(sets, flow, match)
      return arrived.map(arrival => through(sets, arrival, part))
    })
  })
  return {
    at(chain) {
      const above: ReadonlySet<Chain> = known.has(chain) ? new Set() : leadingTo(calls, chain)
      if (above.size > 0) for (const one of order) if (above.has(one) && !known.has(one)) known.set(one, joinFlows(sets, bring(one)))
      return known.get(chain) ?? []
    },
    isKnown: chain => known.has(chain),
  }
}

/** The chain, and those from which jumps lead to it. */
function leadingTo(calls: ChainOrder['calls'], chain: Chain): ReadonlySet<Chain> {
  const leading = new Set([chain])
  for (const to of leading) for (const { from } of calls.get(to) ?? []) leading.add(from)
  return leading
}
