/**
 * Rulesets as policies: fixtures/decompile/CASE.rules with CASE.expected.gate, and what `5x5 compile` makes of the policies in fixtures/policy.
 * The command compares its policy with the rules over all packets; here everything it prints must be proved. `npm test -- -u` writes what is expected.
 */

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { printedBy } from './printed-by.ts'

const FOLDER = 'fixtures/decompile'
const PROVED = ': proved to mean the same for all packets.\n'

let folder = ''

beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), '5x5-'))))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('rules by hand', () => {
  test.each(readdirSync(FOLDER).filter(name => /\.rules6?$/.test(name)))('%s', async name => {
    const printed = await printedBy(['decompile', name], FOLDER)
    await expect(printed).toMatchFileSnapshot(join('..', FOLDER, `${name}.expected.gate`))
    expect(printed.endsWith(PROVED)).toBe(true)
    expect((await printedBy(['decompile', '--raw', name], FOLDER)).endsWith(PROVED)).toBe(true)
  })

  test('both families make one policy', async () => {
    const printed = await printedBy(['decompile', 'host.rules', 'six.rules6'], FOLDER)
    expect(printed).toMatch(/allow ssh +from 2001:db8:5::\/64 to fw +ipv6\n/)
    expect(printed.endsWith(PROVED)).toBe(true)
  })
})

describe('compiled rules', () => {
  const policies = ['compile', 'gateway'].flatMap(place => readdirSync(join('fixtures/policy', place)).filter(name => name.endsWith('.gate')).map(name => ({ place, name })))

  test.each(policies)('$name', async ({ place, name }) => {
    for (const family of ['ipv4', 'ipv6'] as const) {
      const rules = await printedBy(['compile', '--family', family, name], join('fixtures/policy', place))
      const path = `${name}.${family}.rules`
      // Notes come before the rules; docker has made its chain before they are loaded.
      const text = rules.slice(Math.max(0, rules.indexOf('\n*') + 1))
      writeFileSync(join(folder, path), text.includes('DOCKER-USER') ? text.replace('*filter\n', '*filter\n:DOCKER-USER - [0:0]\n') : text)
      expect(await printedBy(['decompile', '--family', family, path], folder)).toContain(PROVED)
    }
  })
})
