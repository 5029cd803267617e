/** The worked examples: a compose file for each, and what the engine itself wrote. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readEngine } from '../src/docker/engine.ts'
import { generateRules } from '../src/docker/generate.ts'
import { readHost } from '../src/docker/read-host.ts'
import { textOfLines } from '../src/draft/rule-book.ts'
import type { Family } from '../src/net/address.ts'

const EXAMPLES = '../shared/facts/docker-examples'

describe.skipIf(!existsSync(EXAMPLES))('worked examples', () => {
  const folders = existsSync(EXAMPLES) ? readdirSync(EXAMPLES).filter(name => existsSync(`${EXAMPLES}/${name}/compose.yaml`)).sort() : []

  describe.each(folders)('%s', folder => {
    const path = `${EXAMPLES}/${folder}/compose.yaml`
    const flavor = /flavor `([^`]+)`/.exec(readFileSync(`${EXAMPLES}/${folder}/notes.md`, 'utf8'))?.[1]
    const release = /real-([\d.]+)/.exec(folder)?.[1] ?? flavor ?? ''

    test.each(['v4', 'v6'] as const)('%s', version => {
      const engine = readEngine(release)
      if (!engine) throw new Error(`${release} is no engine`)
      const { value, diagnostics } = readHost({ compose: { path, text: readFileSync(path, 'utf8') }, engine, directory: folder })
      expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([])
      const file = `${EXAMPLES}/${folder}/expected.${version}.rules`
      const family: Family = version === 'v4' ? 'ipv4' : 'ipv6'
      expect(textOfLines(generateRules(value, family))).toBe(existsSync(file) ? readFileSync(file, 'utf8') : '')
    })
  })
})
