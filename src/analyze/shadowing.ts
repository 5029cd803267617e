/** Who is to blame for a rule that nothing reaches: the fewest rules that together decide every packet that it would match. */

import type { PacketSet, PacketSets } from '../packetset/packet-sets.ts'

/** Something that takes packets away: a rule, with what it takes at most. */
export interface Taker<T> {
  readonly who: T
  readonly takes: PacketSet
}

/** Takers that cover a set; `isFewest` where no smaller number would do. */
export interface Blame<T> {
  readonly who: readonly T[]
  readonly isFewest: boolean
}

/** More than so many are looked for one after the other, not as the fewest. */
const FEWEST = 4

/** So many takers are compared where not the fewest are looked for. */
const CHOICES = 8

/** Steps after which the search for the fewest ends. */
const STEPS = 2000

/**
 * Returns the fewest takers that together take all of `wanted`, undefined where all do not. `takersAt` names those that take a packet of a
 * set: to cover the set one of them is needed.
 */
export function fewestTakers<T>(sets: PacketSets, wanted: PacketSet, takersAt: (rest: PacketSet) => Iterable<Taker<T>>): Blame<T> | undefined {
  const budget = { steps: STEPS }
  for (let size = 1; size <= FEWEST && budget.steps > 0; size++) {
    const found = coverWith(sets, wanted, size, takersAt, budget)
    if (found) return { who: found.map(({ who }) => who), isFewest: budget.steps > 0 }
  }
  const greedy = coverGreedily(sets, wanted, takersAt)
  return greedy && { who: withoutNeedless(sets, wanted, greedy).map(({ who }) => who), isFewest: false }
}

function coverWith<T>(sets: PacketSets, rest: PacketSet, size: number, takersAt: (rest: PacketSet) => Iterable<Taker<T>>, budget: { steps: number }): readonly Taker<T>[] | undefined {
  if (rest === sets.none) return []
  if (size === 0) return undefined
  for (const taker of takersAt(rest)) {
    if (budget.steps-- <= 0) return undefined
    if (size === 1) {
      if (sets.isSubset(rest, taker.takes)) return [taker]
      continue
    }
    const more = coverWith(sets, sets.subtract(rest, taker.takes), size - 1, takersAt, budget)
    if (more) return [taker, ...more]
  }
  return undefined
}

/** Takes at each step the taker that leaves the least to describe, which is a guess at the widest. */
function coverGreedily<T>(sets: PacketSets, wanted: PacketSet, takersAt: (rest: PacketSet) => Iterable<Taker<T>>): readonly Taker<T>[] | undefined {
  const taken: Taker<T>[] = []
  let rest = wanted
  while (rest !== sets.none) {
    const choices = firstOf(takersAt(rest), CHOICES).map(taker => ({ taker, left: sets.subtract(rest, taker.takes) }))
    const best = choices.reduce<(typeof choices)[number] | undefined>((least, one) => (!least || sets.size(one.left) < sets.size(least.left) ? one : least), undefined)
    if (!best || best.left === rest) return undefined
    taken.push(best.taker)
    rest = best.left
  }
  return taken
}

function firstOf<T>(all: Iterable<T>, count: number): readonly T[] {
  const first: T[] = []
  for (const one of all) {
    first.push(one)
    if (first.length === count) break
  }
  return first
}

/** Leaves out takers that the others make up for, the last first; of many nothing is left out. */
function withoutNeedless<T>(sets: PacketSets, wanted: PacketSet, takers: readonly Taker<T>[]): readonly Taker<T>[] {
  if (takers.length > 100) return takers
  return takers.toReversed().reduce<readonly Taker<T>[]>((kept, taker) => {
    const others = kept.filter(one => one !== taker)
    return sets.isSubset(wanted, sets.union(...others.map(one => one.takes))) ? others : kept
  }, takers)
}
