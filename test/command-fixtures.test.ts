/**
 * What the commands print: fixtures/check/CASE.rules with CASE.expected.txt, and fixtures/trace/CASE/ with command.txt (one command
 * line a line) and expected.txt. A new case is a new file or folder; `npm test -- -u` writes what is expected.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Terminal } from '../cli/command.ts'
import { run } from '../cli/run.ts'
import { splitWords } from '../grammar/save-words.ts'
import { plain } from '../src/report/paint.ts'

const CHECK = 'fixtures/check'
const TRACE = 'fixtures/trace'

const checkCases = readdirSync(CHECK).filter(name => name.endsWith('.rules'))
const traceCases = readdirSync(TRACE)

describe('check', () => {
  test.each(checkCases)('%s', async name => {
    const printed = await printedBy(['check', name], CHECK)
    await expect(printed).toMatchFileSnapshot(join('..', CHECK, name.replace(/\.rules$/, '.expected.txt')))
  })

  test('every expectation has its rules', () => {
    const orphans = readdirSync(CHECK).filter(name => !existsSync(join(CHECK, name.replace(/\.expected\.txt$/, '.rules'))))
    expect(orphans).toEqual([])
  })

  test('every diagnostic code is shown by a fixture', () => {
    const codes = [...readFileSync('src/diagnostics/diagnostic.ts', 'utf8').matchAll(/^ {2}\| '([a-z-]+)'$/gm)].map(match => match[1])
    const shown = [...checkCases.map(name => join(CHECK, name.replace(/\.rules$/, '.expected.txt'))), ...traceCases.map(name => join(TRACE, name, 'expected.txt'))]
    const text = shown.filter(file => existsSync(file)).map(file => readFileSync(file, 'utf8')).join('\n')
    expect(codes.length).toBeGreaterThan(0)
    expect(codes.filter(code => !text.includes(`[${code}]`))).toEqual([])
  })
})

describe('trace', () => {
  test.each(traceCases)('%s', async name => {
    const folder = join(TRACE, name)
    const lines = readFileSync(join(folder, 'command.txt'), 'utf8').split('\n').filter(line => line.trim() !== '')
    const printed: string[] = []
    for (const line of lines) {
      const words: string[] = []
      splitWords(line, 0, line.length, words, undefined, 'shell')
      printed.push(`$ 5x5 ${line}\n${await printedBy(words, folder)}`)
    }
    await expect(printed.join('\n')).toMatchFileSnapshot(join('..', folder, 'expected.txt'))
  })
})

/** Returns everything that a command prints, with its exit code where that is not 0. */
async function printedBy(words: readonly string[], directory: string): Promise<string> {
  const printed: string[] = []
  const write = (text: string) => void printed.push(text)
  const terminal: Terminal = { out: write, err: write, paint: plain, paintErr: plain, directory }
  const code = await run(words, terminal)
  return `${printed.join('')}${code === 0 ? '' : `(exit code ${code})\n`}`
}
