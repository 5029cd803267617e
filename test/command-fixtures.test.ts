/**
 * What the commands print: fixtures/check/CASE.rules and fixtures/explain/CASE.rules with CASE.expected.txt,
 * fixtures/docs/NAME.md, and fixtures/trace/CASE/ with command.txt (one command line a line) and expected.txt. A new case is a new file or folder; `npm test -- -u` writes what is expected.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { splitWords } from '../grammar/save-words.ts'
import { MATCHES, TARGETS } from '../src/extensions/registry.ts'
import { printedBy } from './printed-by.ts'

const CHECK = 'fixtures/check'
const DOCS = 'fixtures/docs'
const EXPLAIN = 'fixtures/explain'
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
    const shown = readdirSync('fixtures', { recursive: true, withFileTypes: true }).filter(entry => entry.isFile() && /\.(txt|expected|md|tsv)$/.test(entry.name))
    const text = shown.map(entry => readFileSync(join(entry.parentPath, entry.name), 'utf8')).join('\n')
    expect(codes.length).toBeGreaterThan(0)
    expect(codes.filter(code => !text.includes(`[${code}]`))).toEqual([])
  })
})

describe('explain', () => {
  test.each(readdirSync(EXPLAIN).filter(name => name.endsWith('.rules')))('%s', async name => {
    const printed = await printedBy(['explain', name], EXPLAIN)
    await expect(printed).toMatchFileSnapshot(join('..', EXPLAIN, name.replace(/\.rules$/, '.expected.txt')))
  })
})

describe('docs', () => {
  test.each(readdirSync(DOCS))('%s', async name => {
    await expect(await printedBy(['docs', name.replace(/\.md$/, '')], DOCS)).toMatchFileSnapshot(join('..', DOCS, name))
  })

  test('the page has every extension with every option', async () => {
    const page = await printedBy(['docs'], DOCS)
    const missing = [...MATCHES, ...TARGETS].flatMap(({ kind, name, options }) => {
      const title = `### ${kind === 'match' ? 'Match' : 'Target'} ${name}`
      const section = page.split('\n### ').filter(text => `### ${text}`.startsWith(`${title}\n`) || `### ${text}`.startsWith(`${title} (`)).join('\n')
      return Object.keys(options).map(option => `--${option}`).filter(option => !section.includes(option)).concat(section === '' ? [name] : [])
    })
    expect(missing).toEqual([])
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
