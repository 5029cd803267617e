/** What a jump to a chain amounts to: where its packets end, which come back, and whether anything else can be seen of it. */

import type { Chain, Table } from '../../ir/ruleset.ts'
import type { PacketSet } from '../../packetset/packet-sets.ts'
import { chainOrder } from '../../symbolic/chain-order.ts'
import { actOf, joinTouched } from './rule-acts.ts'
import type { ActSpace, RuleAct, Touched } from './rule-acts.ts'

/** A user chain as its callers see it. Whatever is done to its rules leaves this as it is. */
export interface ChainFacts {
  /** Of chains that leave no trace, are short and lead no deeper than a few jumps: the packets of each fate, and those that come back. */
  readonly ends: { readonly fates: ReadonlyMap<string, PacketSet>; readonly back: PacketSet } | undefined
  /** What its rules write and read, those of chains behind it too. */
  readonly writes: Touched
  readonly reads: Touched
}

/** Longer chains are jumped to as they are. */
const MOST_RULES = 300

/** Returns the facts of a table's user chains by name; those of chains that no jump reaches are missing. */
export function chainFacts(space: ActSpace, table: Table): ReadonlyMap<string, ChainFacts> {
  const facts = new Map<string, ChainFacts>()
  const { order } = chainOrder(table)
  for (const chain of order.toReversed()) if (!chain.hook) facts.set(chain.name, factsOf(space, chain, facts))
  return facts
}

function factsOf(space: ActSpace, chain: Chain, facts: ReadonlyMap<string, ChainFacts>): ChainFacts {
  const acts = chain.rules.map(rule => actOf(space, rule, rule.id))
  const touched = acts.map(act => touchedBy(act, facts))
  return { ends: acts.length <= MOST_RULES ? endsOf(space, acts, facts) : undefined, writes: joinTouched(touched.map(one => one.writes)), reads: joinTouched(touched.map(one => one.reads)) }
}

/** Returns what a rule writes and reads, with the chain that it jumps to. */
export function touchedBy({ end, writes, reads }: RuleAct, facts: ReadonlyMap<string, Pick<ChainFacts, 'writes' | 'reads'>>): Pick<ChainFacts, 'writes' | 'reads'> {
  if (!('to' in end)) return { writes, reads }
  const called = facts.get(end.to)
  return called ? { writes: called.writes, reads: joinTouched([reads, called.reads]) } : { writes: 'all', reads: 'all' }
}

function endsOf({ sets }: ActSpace, acts: readonly RuleAct[], facts: ReadonlyMap<string, ChainFacts>): ChainFacts['ends'] {
  const parts = new Map<string, PacketSet[]>()
  const back: PacketSet[] = []
  const note = (fate: string, set: PacketSet): unknown => (set === sets.none ? undefined : (parts.get(fate)?.push(set) ?? parts.set(fate, [set])))
  let rest = sets.every
  for (const { end, deed, noticed, set } of acts) {
    const inner = 'to' in end ? facts.get(end.to)?.ends : undefined
    if (deed !== undefined || noticed || ('to' in end && !inner)) return undefined
    const hit = sets.intersect(rest, set())
    rest = sets.subtract(rest, hit)
    if (end.kind === 'decide') note(end.fate, hit)
    else if (end.kind === 'back') back.push(hit)
    else if (inner) {
      for (const [fate, packets] of inner.fates) note(fate, sets.intersect(hit, packets))
      const returned = sets.intersect(hit, inner.back)
      if (end.kind === 'goto') back.push(returned)
      else rest = sets.union(rest, returned)
    }
  }
  return { fates: new Map([...parts].map(([fate, list]) => [fate, sets.union(...list)])), back: sets.union(rest, ...back) }
}
