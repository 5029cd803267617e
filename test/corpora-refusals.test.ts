/** Every ruleset of the corpora is refused or taken as the real load refused or took it, on both backends. */

import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { checkRuleset } from '../src/extensions/check-ruleset.ts'
import { readRuleset } from '../src/save/read.ts'

const FOLDER = '../shared/corpora'
const isPresent = existsSync(`${FOLDER}/INDEX.tsv`)

/** Rulesets that hang on the machine, or on how 1.8.9 happens to spell a protocol. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'generated/ferm/test_modules_cgroup.rules': 'the control groups of the recording machine',
  'generated/ferm/test_ipv6_mh.rules6': '1.8.9 knows --mh-type after `-p mobility-header` by no name but its own',
}

interface Row {
  readonly path: string
  readonly family: string
  readonly loads: string
  readonly message: string
}

describe.skipIf(!isPresent)(isPresent ? 'refusals of the corpora' : 'refusals of the corpora: not present', () => {
  test.each(['legacy', 'nft'] as const)('%s', backend => {
    const rows = readIndex(backend).filter(row => existsSync(`${FOLDER}/${row.path}`) && !EXCEPTIONS[row.path])
    const differing = rows.flatMap(row => {
      const source = { path: row.path, text: readFileSync(`${FOLDER}/${row.path}`, 'utf8') }
      const { value, diagnostics } = readRuleset([source], { family: row.family === '6' ? 'ipv6' : 'ipv4', backend, counters: false })
      const all = [...diagnostics, ...checkRuleset(value, { backend })]
      const error = all.find(found => found.severity === 'error' && (found.backend ?? backend) === backend)
      const unknown = row.loads === 'y' ? all.find(found => found.code === 'unknown-extension' || found.code === 'unknown-match') : undefined
      if ((error === undefined) === (row.loads === 'y') && !unknown) return []
      return [`${row.path}: ${row.loads === 'y' ? 'loads' : `refused (${row.message})`}, but ours ${unknown ? `does not know: ${unknown.message}` : error ? `says ${error.message}` : 'takes it'}`]
    })
    console.log(`${backend}: ${rows.length - differing.length} of ${rows.length} rulesets are taken or refused as the real load did`)
    expect(differing).toEqual([])
  })
})

function readIndex(backend: 'legacy' | 'nft'): Row[] {
  const lines = readFileSync(`${FOLDER}/INDEX.tsv`, 'utf8').trimEnd().split('\n').map(line => line.split('\t'))
  const names = lines[0] ?? []
  const column = (row: readonly string[], name: string): string => row[names.indexOf(name)] ?? ''
  return lines.slice(1).map(row => ({ path: column(row, 'path'), family: column(row, 'family'), loads: column(row, `${backend}_loads`), message: column(row, `${backend}_message`) }))
}
