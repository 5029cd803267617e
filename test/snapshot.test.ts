/**
 * What 5x5 snapshot writes of a machine, from what its programs once said: fixtures/snapshot/*.json, each with the file that is made of it.
 * Whatever the machine has, the file is read without a complaint.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { plain } from '../src/report/paint.ts'
import { writeDiagnostics } from '../src/report/pretty.ts'
import { readTopology } from '../src/topology/load.ts'
import type { MachineRecord } from '../src/topology/snapshot-record.ts'
import { snapshotMachine } from '../src/topology/snapshot.ts'

const FOLDER = 'fixtures/snapshot'

describe('snapshots', () => {
  test.each(readdirSync(FOLDER).filter(name => name.endsWith('.json')))('%s', async name => {
    const { text, leftOut } = snapshotMachine(JSON.parse(readFileSync(`${FOLDER}/${name}`, 'utf8')) as MachineRecord)
    await expect(text).toMatchFileSnapshot(`${process.cwd()}/${FOLDER}/${name.replace('.json', '.yaml')}`)
    const { value, diagnostics } = readTopology({ path: name, text })
    // The far end of the test has no default route on purpose.
    expect(writeDiagnostics(diagnostics.filter(({ code }) => code !== 'no-default-route'), plain)).toBe('')
    expect(value.namespaces.length).toBeGreaterThan(0)
    for (const words of leftOut) expect(text).toContain(`# - ${words}\n`)
  })
})
