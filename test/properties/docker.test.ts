/** Whatever a compose file or an inspection looks like, reading it never throws, and what comes of it is a ruleset that can be loaded. */

import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readEngine } from '../../src/docker/engine.ts'
import { findSurprises } from '../../src/docker/findings.ts'
import { generateRules } from '../../src/docker/generate.ts'
import { assumedOutside } from '../../src/docker/outside.ts'
import { readHost } from '../../src/docker/read-host.ts'
import { textOfLines } from '../../src/draft/rule-book.ts'
import { toTopology } from '../../src/docker/to-topology.ts'
import { readRuleset } from '../../src/save/read.ts'
import { mangled } from './mangle.ts'

const ENGINES = ['20.10.24', '24.0.9', '27.5.1', '28.0.0', '28.1.1', '28.5.2', '29']
const HOSTS = 'fixtures/docker/hosts'
const texts = [...readdirSync(HOSTS).map(folder => readFileSync(`${HOSTS}/${folder}/compose.yaml`, 'utf8')), readFileSync('fixtures/docker/inspected/containers.json', 'utf8'), readFileSync('fixtures/docker/inspected/networks.json', 'utf8')]

test('what comes of any text can be loaded', () => {
  fc.assert(fc.property(mangled(texts), fc.constantFrom(...ENGINES), (text, release) => {
    const engine = readEngine(release)
    if (!engine) throw new Error(`${release} is a release`)
    const { value, plan } = readHost({ compose: { path: 'compose.yaml', text }, engine, directory: 'p' })
    findSurprises(value, plan)
    toTopology(value, assumedOutside(value).namespace)
    for (const family of ['ipv4', 'ipv6'] as const) {
      const { diagnostics } = readRuleset([{ path: 'rules', text: textOfLines(generateRules(value, family)) }], { family })
      expect(diagnostics.filter(({ severity }) => severity === 'error').map(({ message }) => message)).toEqual([])
    }
  }), { numRuns: 150 })
})
