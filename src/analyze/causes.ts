/** Which rule or policy is why packets fare as they do. */

import type { PacketSet, PacketSets } from '../packetset/packet-sets.ts'
import { keyOfDecider } from '../symbolic/fate.ts'
import type { Decider, Decision, Fate } from '../symbolic/fate.ts'
import type { Reached } from '../symbolic/reachable-sets.ts'
import { gotThrough } from './outcomes.ts'

/** Packets of a set with the same cause; undefined where no rule had a say. */
export interface CausedPart {
  readonly by: Decider | undefined
  /** Beyond the limit: it is the cause, and the fate, of some of these packets only. */
  readonly isMixed: boolean
  readonly fate: Fate
  readonly set: PacketSet
}

/** What is asked for: who let packets through or ended them, or who translated them. */
export type CauseKind = 'verdict' | 'translation'

/** Returns what has a say about packets of a set: to split many parts of it, ask this once. */
export function narrowReached(sets: PacketSets, { fates, decisions, ...others }: Reached, to: PacketSet): Reached {
  return { ...others, fates: fates.filter(({ set }) => sets.meets(set, to)), decisions: decisions.filter(({ verdict, set }) => verdict === 'accept' && sets.meets(set, to)) }
}

/**
 * Returns the parts of a set by their cause, at most about `limit`: for each, the fate that all of its packets have. What is beyond
 * the limit stands together (`isMixed`), with the cause of some of it.
 */
export function causesOf(sets: PacketSets, { fates, decisions }: Reached, of: PacketSet, { kind, limit }: { readonly kind: CauseKind; readonly limit: number }): readonly CausedPart[] {
  const ordered = decisions.filter(({ verdict }) => verdict === 'accept').sort((one, other) => weight(other, kind) - weight(one, kind))
  const parts: CausedPart[] = []
  let rest = of
  for (const fate of fates) {
    if (rest === sets.none) break
    if (!sets.meets(fate.set, rest)) continue
    const own = sets.intersect(fate.set, rest)
    const here = parts.length >= limit ? rest : own
    const isThrough = gotThrough(fate.kind)
    const found = isThrough ? byDecision(sets, ordered.slice(0, limit), fate, here) : [{ by: fate.by, fate, set: here }]
    parts.push(...found.map(part => ({ ...part, isMixed: here !== own || (isThrough && part.by === undefined && ordered.length > limit) })))
    rest = sets.subtract(rest, here)
  }
  return parts
}

/** Each packet counts for the weightiest decision about it. */
function byDecision(sets: PacketSets, decisions: readonly Decision[], fate: Fate, of: PacketSet): readonly Omit<CausedPart, 'isMixed'>[] {
  const parts: Omit<CausedPart, 'isMixed'>[] = []
  let rest = of
  for (const { by, set } of decisions) {
    if (rest === sets.none) break
    if (!sets.meets(rest, set)) continue
    parts.push({ by, fate, set: sets.intersect(rest, set) })
    rest = sets.subtract(rest, set)
  }
  return rest === sets.none ? parts : [...parts, { by: undefined, fate, set: rest }]
}

/** A rule says more than a policy, and the filter table more than the others; for a translation nat's rules do. */
function weight({ by }: Decision, kind: CauseKind): number {
  if (by.kind === 'kernel') return 0
  const table = kind === 'translation' ? ['security', 'raw', 'filter', 'mangle', 'nat'] : ['nat', 'raw', 'mangle', 'security', 'filter']
  const place = table.indexOf(by.table) + 1
  if (kind === 'translation') return by.kind === 'rule' ? 10 + place : place
  return by.table === 'filter' || by.kind === 'rule' ? 10 + place * 2 + (by.kind === 'rule' ? 1 : 0) : place
}

/** Returns a text that is equal for equal causes. */
export function keyOfCause(by: Decider | undefined): string {
  return keyOfDecider(by)
}
