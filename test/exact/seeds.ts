/** Runs a comparison for one random ruleset after the other. `RULESETS=10000 SEED=100000 npx vitest run test/exact/diff` takes so many, from that seed on. */

import { expect } from 'vitest'

/** What came of all seeds. */
export interface SeedRun {
  /** How many rulesets a test takes. */
  readonly rulesets: number
  /** Milliseconds that they may take. */
  readonly timeout: number
  /** Compares all of them; at the end every difference is told, and where RULESETS is given what was counted. */
  readonly run: (compare: (seed: number, count: Count) => readonly string[]) => void
}

/** Adds to what is counted under a name. */
export type Count = (name: string, by?: number) => void

/** So many differences are told in full. */
const TOLD = 5

/** Returns the run of a test that by itself takes `usual` rulesets. */
export function manySeeds(usual: number): SeedRun {
  const rulesets = Number(process.env['RULESETS'] ?? usual)
  const first = Number(process.env['SEED'] ?? 1)
  return {
    rulesets,
    timeout: 20_000 + rulesets * 2000,
    run(compare) {
      const counts = new Map<string, number>()
      const found: { readonly seed: number; readonly words: string }[] = []
      const count: Count = (name, by = 1) => void counts.set(name, (counts.get(name) ?? 0) + by)
      for (let seed = first; seed < first + rulesets; seed++) found.push(...compare(seed, count).map(words => ({ seed, words })))
      if (process.env['RULESETS'] !== undefined) console.log(`${rulesets} rulesets from seed ${first}: ${[...counts].sort().map(([name, value]) => `${name} ${value}`).join(', ')}; ${found.length} differences`)
      const seeds = [...new Set(found.map(({ seed }) => seed))]
      expect(found.length, `seeds ${seeds.join(' ')}\n${found.slice(0, TOLD).map(({ seed, words }) => `seed ${seed}: ${words}`).join('\n\n')}`).toBe(0)
    },
  }
}
