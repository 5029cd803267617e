/** fixtures/extensions against our reader, checker and writer, and against the real programs where they can be run. */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { checkRuleset } from '../src/extensions/check-ruleset.ts'
import { readRuleset } from '../src/save/read.ts'
import { writeRuleset } from '../src/save/write.ts'
import { readExtensionCases } from './extension-cases.ts'
import type { ExtensionCase, ExtensionCases } from './extension-cases.ts'
import { kernel } from './kernel/live.ts'

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
      const results = real(fixture)
      if (!results) return skip('what its setup needs is not installed')
      expect(fixture.cases.map((one, index) => describeResult(one, results[index]))).toEqual(fixture.cases.map(one => describeResult(one, one.saved)))
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
  return isRefused ? undefined : rulesOf(writeRuleset(value, { backend }), chain)
}

function rulesOf(save: string, chain: string): readonly string[] {
  return save.split('\n').filter(line => line.startsWith(`-A ${chain}`)).map(line => line.slice(`-A ${chain}`.length).trim())
}

/** What the real programs make of all cases: one namespace, one script. Undefined where the setup fails. */
function real({ family, setup, cases }: ExtensionCases): readonly (readonly string[] | undefined)[] | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'extension-'))
  try {
    for (const [index, { table, chain, words }] of cases.entries()) writeFileSync(join(folder, String(index)), `*${table}\n-A ${chain} ${words}\nCOMMIT\n`)
    const program = family === 'ipv4' ? 'iptables' : 'ip6tables'
    const loads = cases.map(({ backend, table }, index) => `echo "#${index}"; ${program}-${backend}-restore < ${index} 2>/dev/null && echo OK && ${program}-${backend}-save -t ${table}`)
    const run = spawnSync('unshare', ['-n', 'sh', '-c', [...setup.map(command => `${command} || exit 9`), ...loads, 'true'].join('\n')], { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 28 })
    if (run.status !== 0) return undefined
    const parts = run.stdout.split(/^#\d+\n/m).slice(1)
    return cases.map(({ chain }, index) => (parts[index]?.startsWith('OK') ? rulesOf(parts[index] ?? '', chain) : undefined))
  } finally {
    rmSync(folder, { recursive: true })
  }
}
