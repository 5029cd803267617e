/** What `dead` and `witness` say of the rulesets in fixtures/dead: CASE.rules or CASE.rules6 with CASE.expected.txt and CASE.witness.txt, with the topology CASE.yaml, where there is one, `dead` and CASE.witness-topology.txt. A new case is a new file. */

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { printedBy } from './printed-by.ts'

const DEAD = 'fixtures/dead'

const cases = readdirSync(DEAD).filter(name => /\.rules6?$/.test(name))

describe('witness', () => {
  test.each(cases)('%s', async name => {
    const printed = await printedBy(['witness', name], DEAD)
    await expect(printed).toMatchFileSnapshot(join('..', DEAD, name.replace(/\.rules(6?)$/, '$1.witness.txt')))
  })
})

describe('witness on a topology', () => {
  test.each(cases.filter(name => existsSync(join(DEAD, topologyFor(name)))))('%s', async name => {
    const printed = await printedBy(['witness', name, '--topology', topologyFor(name)], DEAD)
    await expect(printed).toMatchFileSnapshot(join('..', DEAD, name.replace(/\.rules(6?)$/, '$1.witness-topology.txt')))
  })
})

function topologyFor(name: string): string {
  return name.replace(/\.rules6?$/, '.yaml')
}

describe('dead', () => {
  test.each(cases)('%s', async name => {
    const topology = topologyFor(name)
    const printed = await printedBy(['dead', name, ...(existsSync(join(DEAD, topology)) ? ['--topology', topology] : [])], DEAD)
    await expect(printed).toMatchFileSnapshot(join('..', DEAD, name.replace(/\.rules(6?)$/, '$1.expected.txt')))
  })
})
