/** Later packets of connections: for random rulesets with nat, what the simulator does with the answer to a packet, and with the next one, is what the sets say. */

import { describe, expect, test } from 'vitest'
import { compareKnown } from './compare-known.ts'

/** How many rulesets, and from which seed on; what was run once is reported in src/symbolic/README.md. */
const RULESETS = Number(process.env['RULESETS'] ?? 8)
const FIRST = Number(process.env['SEED'] ?? 1)

describe('packets of known connections', () => {
  test(`fare as the sets say, for ${RULESETS} random rulesets`, () => {
    const counts = { compared: 0, open: 0 }
    const differences: string[] = []
    for (let seed = FIRST; seed < FIRST + RULESETS; seed++) {
      const found = compareKnown(seed, counts)
      if (found === undefined) continue
      differences.push(found)
      if (process.env['RULESETS'] !== undefined) console.log(found)
    }
    if (process.env['RULESETS'] !== undefined) console.log(counts)
    expect(differences[0]).toBeUndefined()
    expect(counts.compared).toBeGreaterThan(RULESETS)
  }, 20_000 + RULESETS * 2000)
})
