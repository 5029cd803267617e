/** What `dead` and `witness` say of the rulesets in fixtures/dead: CASE.rules or CASE.rules6 with CASE.expected.txt and CASE.witness.txt, `dead` with the topology CASE.yaml where there is one. A new case is a new file. */

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

describe('dead', () => {
  test.each(cases)('%s', async name => {
    const topology = name.replace(/\.rules6?$/, '.yaml')
    const printed = await printedBy(['dead', name, ...(existsSync(join(DEAD, topology)) ? ['--topology', topology] : [])], DEAD)
    await expect(printed).toMatchFileSnapshot(join('..', DEAD, name.replace(/\.rules(6?)$/, '$1.expected.txt')))
  })
})
