/**
 * The simulator against the real kernel: the same rules, the same packets, the same counters and the same fate. Live where the
 * kernel can be asked, which also checks the recordings in fixtures/kernel/; elsewhere those are replayed. `-u` records anew.
 */

import { existsSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Backend } from '../../src/ir/hooks.ts'
import { readCases } from './case.ts'
import type { KernelCase, Observation, Probe } from './case.ts'
import { makeLab, observe, removeLab } from './lab.ts'
import type { Lab } from './lab.ts'
import { kernel } from './live.ts'
import { simulateProbe } from './simulated.ts'

const { cases, absent } = readCases()
const { live } = kernel()

for (const name of absent) test.skip(`${name}: its rules are not on this machine`, () => {})

describe.each(cases)('$name', kernelCase => {
  describe.each(['legacy', 'nft'] as const)('%s', backend => {
    let lab: Lab | undefined
    beforeAll(() => {
      if (live) lab = makeLab(kernelCase, backend)
    })
    afterAll(() => {
      if (lab) removeLab(lab)
    })

    test.each(kernelCase.probes)(`${live ? 'live' : 'recorded'}: $packet`, async probe => {
      const simulated = withoutChance(simulateProbe(kernelCase, probe, backend), probe)
      if (lab) {
        const seen = withoutChance(await observe(lab, probe), probe)
        await expect(`${JSON.stringify(seen, undefined, 2)}\n`).toMatchFileSnapshot(recordingPath(kernelCase, probe, backend))
        expect(simulated).toEqual(seen)
      } else expect(simulated).toEqual(recorded(kernelCase, probe, backend))
    })
  })
})

function recordingPath(kernelCase: KernelCase, probe: Probe, backend: Backend): string {
  return `${process.cwd()}/${kernelCase.folder}/recorded/${backend}-${kernelCase.probes.indexOf(probe) + 1}.json`
}

function recorded(kernelCase: KernelCase, probe: Probe, backend: Backend): unknown {
  const path = recordingPath(kernelCase, probe, backend)
  expect(existsSync(path), `${path} is missing: run the tests as root where iptables is installed`).toBe(true)
  return JSON.parse(readFileSync(path, 'utf8'))
}

/** Sorts the counters and leaves out a port that the kernel draws. */
function withoutChance({ answer, seen, counters }: Observation, probe: Probe): Observation {
  return {
    answer,
    seen: probe.randomPort && seen !== null ? seen.replace(/:\d+$/, ':random') : seen,
    counters: Object.fromEntries(Object.entries(counters).sort(([a], [b]) => (a < b ? -1 : 1))),
  }
}
