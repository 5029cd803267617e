/** fixtures/extensions against our reader, checker and writer, and against the real programs where they can be run. */

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { checkRuleset } from '../src/extensions/check-ruleset.ts'
import { readRuleset } from '../src/save/read.ts'
import { writeRuleset } from '../src/save/write.ts'
import { readExtensionCases } from './extension-cases.ts'
import type { ExtensionCase, ExtensionCases } from './extension-cases.ts'
import { kernel } from './kernel/live.ts'
import { loadLines, rulesOfChain } from './kernel/load-lines.ts'

const FOLDER = 'fixtures/extensions'
const files = readdirSync(FOLDER).filter(file => file.endsWith('.t')).sort()

describe('extensions, our reader and writer', () => {
  for (const file of files) {
    test(file, () => {
      const { family, cases } = readExtensionCases(join(FOLDER, file))
      expect(cases.map(one => describeResult(one, ours(one, family)))).toEqual(cases.map(one => describeResult(one, one.saved)))
    })
  }
})

const { live, why, iptables } = kernel()

describe.skipIf(!live)(`extensions, the real programs: ${live ? `live, ${iptables}` : `not run: ${why}`}`, () => {
  for (const file of files) {
    test(file, ({ skip }) => {
      const fixture = readExtensionCases(join(FOLDER, file))
      const results = loadLines(fixture.cases, fixture.family, fixture.setup)
      if (!results) return skip('what its setup needs is not installed')
      expect(fixture.cases.map((one, index) => describeResult(one, results[index]?.saved))).toEqual(fixture.cases.map(one => describeResult(one, one.saved)))
    })
  }
})

function describeResult({ line, chain, backend, words }: ExtensionCase, saved: readonly string[] | undefined): string {
  return `${line} ${backend} ${chain}: ${words} => ${saved ? saved.join(' | ') : 'FAIL'}`
}

/** What we make of a case; undefined where we refuse it. */
function ours({ table, chain, words, backend }: ExtensionCase, family: ExtensionCases['family']): readonly string[] | undefined {
  const { value, diagnostics } = readRuleset([{ path: 'case', text: `*${table}\n-A ${chain} ${words}\nCOMMIT\n` }], { family, backend })
  const isRefused = [...diagnostics, ...checkRuleset(value)].some(found => found.severity === 'error' && (found.backend ?? backend) === backend)
  return isRefused ? undefined : rulesOfChain(writeRuleset(value, { backend }), chain)
}
