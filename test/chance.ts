/** Chance that is the same for the same seed: what random tests and measurements draw from. */

/** Draws a whole number from 0 to below its argument. */
export type Random = (below: number) => number

/** Chance in the words that makers of random things use. */
export interface Chance {
  readonly below: Random
  /** One of a list that is not empty. */
  readonly pick: <T>(list: readonly T[]) => T
  /** True once in `times`. */
  readonly once: (times: number) => boolean
  /** True with a probability from 0 to 1. */
  readonly happens: (probability: number) => boolean
}

/** Returns numbers below a bound (mulberry32), the same on every machine. */
export function makeRandom(seed: number): Random {
  const next = makeFractions(seed)
  return below => Math.floor(next() * below)
}

/** Returns chance in words. */
export function makeChance(seed: number): Chance {
  const next = makeFractions(seed)
  const below: Random = limit => Math.floor(next() * limit)
  return {
    below,
    pick: list => {
      const found = list[below(list.length)]
      if (found === undefined) throw new Error('nothing to pick from')
      return found
    },
    once: times => below(times) === 0,
    happens: probability => next() < probability,
  }
}

function makeFractions(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
