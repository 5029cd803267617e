/**
 * Broken policies and what is said about them: every file in fixtures/policy/broken/ has cases `### what it is about`, a policy, and the
 * findings as `=> line:column-end severity[code] message; help`. `-u` writes the findings anew.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Diagnostic } from '../src/diagnostics/diagnostic.ts'
import { positionAt } from '../src/diagnostics/source-file.ts'
import { compilePolicy } from '../src/policy/compile.ts'
import { resolvePolicy } from '../src/policy/resolve.ts'

const FOLDER = 'fixtures/policy/broken'

describe.each(readdirSync(FOLDER))('%s', file => {
  const path = join(process.cwd(), FOLDER, file)
  const cases = readCases(readFileSync(path, 'utf8'))

  test('every case is found fault with', () => {
    expect(cases.filter(one => findings(one.policy).length === 0).map(one => one.title)).toEqual([])
  })

  test('the findings', async () => {
    const text = cases.map(({ title, policy }) => [`### ${title}`, policy, ...findings(policy)].join('\n')).join('\n\n')
    await expect(`${text}\n`).toMatchFileSnapshot(path)
  })
})

interface BrokenCase {
  readonly title: string
  readonly policy: string
}

function readCases(text: string): readonly BrokenCase[] {
  return text.split(/^### /m).slice(1).map(part => {
    const [title = '', ...lines] = part.trimEnd().split('\n')
    return { title, policy: lines.filter(line => !line.startsWith('=> ')).join('\n') }
  })
}

function findings(text: string): readonly string[] {
  const { value, diagnostics } = resolvePolicy({ path: 'broken.gate', text }, path => ({ problem: `\`${path}\` does not exist` }))
  return [...diagnostics, ...(value ? compilePolicy(value).diagnostics : [])].filter(({ severity }) => severity !== 'note').map(writeFinding)
}

function writeFinding({ code, severity, message, help, span }: Diagnostic): string {
  const { line, column } = positionAt(span.source, span.start)
  return `=> ${line}:${column}-${column + span.end - span.start} ${severity}[${code}] ${message}${help === undefined ? '' : `; ${help}`}`
}
