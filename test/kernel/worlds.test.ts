/**
 * Random worlds of a few namespaces: every attempt is told the same by the simulator and by the real kernel. It needs the kernel;
 * `FIVEBYFIVE_WORLDS=1000-1200` runs other seeds than the usual ones.
 */

import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { writeAddress } from '../../src/net/address.ts'
import type { Attempt } from '../../src/simulate/attempt.ts'
import { kernel } from './live.ts'
import { randomWorld } from './random-world.ts'
import { simulateAttempt } from './simulate-attempt.ts'
import { forget, makeTopologyLab, removeTopologyLab } from './topology-lab.ts'

const live = kernel().live && spawnSync('python3', ['-c', '']).status === 0
const [first = 1, last = 4] = (process.env['FIVEBYFIVE_WORLDS'] ?? '1-4').split('-').map(Number)

describe.skipIf(!live)('random worlds', () => {
  test.each(Array.from({ length: last - first + 1 }, (_, index) => first + index))('seed %i', async seed => {
    const { topology, attempts } = randomWorld(seed)
    const lab = await makeTopologyLab(topology)
    try {
      const told: string[] = []
      for (const attempt of attempts) {
        forget(lab)
        told.push(`${attemptText(attempt)}: ${(await lab.actors.get(attempt.namespace)?.attempt(attempt)) ?? ''}`)
      }
      expect(attempts.map(attempt => `${attemptText(attempt)}: ${simulateAttempt(topology, attempt).told}`)).toEqual(told)
    } finally {
      removeTopologyLab(lab)
    }
  })
})

function attemptText({ kind, namespace, destination, port, device }: Attempt): string {
  return `${namespace} ${kind} ${writeAddress(destination)}${port === undefined ? '' : `:${port}`}${device === undefined ? '' : ` by ${device}`}`
}
