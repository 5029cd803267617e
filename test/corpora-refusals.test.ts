/** Every ruleset of the corpora is refused or taken as the real load refused or took it, on both backends; and refused at the line that the real program names. */

import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { positionAt } from '../src/diagnostics/source-file.ts'
import { checkRuleset } from '../src/extensions/check-ruleset.ts'
import { readRuleset } from '../src/save/read.ts'

const FOLDER = '../shared/corpora'
const isPresent = existsSync(`${FOLDER}/INDEX.tsv`)

/** Rulesets that hang on the machine. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'generated/ferm/test_modules_cgroup.rules': 'the control groups of the recording machine',
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
      const lines = all.filter(found => found.severity === 'error').map(({ span }) => positionAt(span.source, span.start).line)
      if ((error === undefined) === (row.loads === 'y') && !unknown && isReason(row, source.text, lines)) return []
      return [`${row.path}: ${row.loads === 'y' ? 'loads' : `refused (${row.message})`}, but ours ${unknown ? `does not know: ${unknown.message}` : error ? `says ${error.message}` : 'takes it'}`]
    })
    console.log(`${backend}: ${rows.length - differing.length} of ${rows.length} rulesets are taken or refused as the real load did`)
    expect(differing).toEqual([])
  })
})

/** Whether one of the refused lines is the one that the real program stopped at. At COMMIT the kernel refuses the table, and at the end of the text the line is missing. */
function isReason({ message }: Row, text: string, lines: readonly number[]): boolean {
  const line = Number(/\bline:? (\d+)/.exec(message)?.[1])
  const words = text.split('\n')[line - 1] ?? ''
  return Number.isNaN(line) || lines.includes(line) || words === 'COMMIT' || (words === '' && lines.includes(line - 1))
}

function readIndex(backend: 'legacy' | 'nft'): Row[] {
  const lines = readFileSync(`${FOLDER}/INDEX.tsv`, 'utf8').trimEnd().split('\n').map(line => line.split('\t'))
  const names = lines[0] ?? []
  const column = (row: readonly string[], name: string): string => row[names.indexOf(name)] ?? ''
  return lines.slice(1).map(row => ({ path: column(row, 'path'), family: column(row, 'family'), loads: column(row, `${backend}_loads`), message: column(row, `${backend}_message`) }))
}
