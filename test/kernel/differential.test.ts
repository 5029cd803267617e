/**
 * Generated rule lines: we accept, refuse and save what the real iptables-restore and iptables-save do, on both backends.
 * FIVEBYFIVE_LINES sets how many lines of each family, FIVEBYFIVE_SEED the seed, which a failure names.
 */

import { describe, expect, test } from 'vitest'
import { SEED } from '../fixed-seed.ts'
import { loadOne } from '../load-one.ts'
import { loadLines } from './load-lines.ts'
import { kernel } from './live.ts'
import { makeRandom } from '../chance.ts'
import { makeLines } from './rule-lines.ts'

const { live, why } = kernel()
const count = Number(process.env['FIVEBYFIVE_LINES'] ?? 250)

describe.skipIf(!live)(`generated lines, the real programs: ${live ? 'live' : `not run: ${why}`}`, () => {
  test.each(['ipv4', 'ipv6'] as const)('%s', family => {
    const lines = makeLines(count, family, makeRandom(SEED))
    const real = loadLines(lines, family)
    let accepted = 0
    const differing = lines.flatMap((line, index) => {
      const { saved, message } = real?.[index] ?? { saved: undefined, message: 'not loaded' }
      if (saved) accepted++
      const ours = loadOne({ ...line, family })
      const wanted = saved?.join(' | ')
      return ours.saved === wanted ? [] : [`${line.backend} ${line.table}/${line.chain} ${line.words}\n    real: ${wanted ?? message}\n    ours: ${ours.saved ?? ours.why}`]
    })
    console.log(`${family}: ${lines.length} loads, ${accepted} accepted by the real programs, ${differing.length} differ (seed ${SEED})`)
    expect(differing.join('\n')).toBe('')
  }, 600_000)
})
