/**
 * The lint rules: in fixtures/lint/RULE/ every bad*.rules must be found and print its .expected.txt, every good*.rules must not be;
 * bad*.fixed.rules is what the fixes make of it. flags.txt has more flags, NAME.flags.txt those of one case. `npm test -- -u` writes what is expected.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { splitWords } from '../grammar/save-words.ts'
import { applyFixes } from '../src/lint/apply-fixes.ts'
import { CHECK_CODES } from '../src/lint/check-codes.ts'
import { lintSources } from '../src/lint/lint-sources.ts'
import { OWN_CODES } from '../src/lint/own-codes.ts'
import { RULES } from '../src/lint/registry.ts'
import { NO_CONFIG } from '../src/lint/settings.ts'
import { readTarget } from '../src/lint/read-target.ts'
import { printedBy } from './printed-by.ts'

const LINT = 'fixtures/lint'
const ids = [...RULES, ...OWN_CODES].map(({ id }) => id)

const cases = readdirSync(LINT).flatMap(id => readdirSync(join(LINT, id)).filter(name => name.endsWith('.rules') && !name.endsWith('.fixed.rules')).map(name => ({ id, name })))

describe('every rule has its fixtures', () => {
  test('a folder for each rule, and a rule for each folder', () => expect(readdirSync(LINT).sort()).toEqual([...ids].sort()))

  test('bad and good ones', () => {
    const lacking = ids.filter(id => !['bad', 'good'].every(kind => cases.some(one => one.id === id && one.name.startsWith(kind))))
    expect(lacking).toEqual([])
  })

  test('every code of the linter belongs to a rule', () => {
    const codes = [...readFileSync('src/diagnostics/lint-code.ts', 'utf8').matchAll(/^ {2}\| '([a-z0-9-]+)'$/gm)].map(match => match[1] ?? '')
    expect(codes.length).toBeGreaterThan(0)
    expect(codes.filter(code => !ids.some(id => id === code))).toEqual([])
  })

  test('every other code is described', () => {
    const text = readdirSync('src/diagnostics').filter(name => name !== 'lint-code.ts').map(name => readFileSync(join('src/diagnostics', name), 'utf8')).join('\n')
    const codes = [...text.matchAll(/^ {2}\| '([a-z0-9-]+)'$/gm)].map(match => match[1] ?? '')
    expect(codes.filter(code => !Object.hasOwn(CHECK_CODES, code) && !ids.some(id => id === code))).toEqual([])
  })

  test('words are lower case without a final stop', () => {
    const wrong = [...RULES, ...OWN_CODES].filter(({ what, why }) => [what, why].some(words => /^[A-Z][a-z]|\.$|\n/.test(words) && !/^(IPv|MASQ|DROP|DNAT)/.test(words)))
    expect(wrong.map(({ id }) => id)).toEqual([])
  })
})

describe.each(cases.filter(({ name }) => name.startsWith('bad')))('$id $name', ({ id, name }) => {
  const folder = join(LINT, id)
  test('is found', async () => {
    const printed = await printedBy(commandLine(id, name), folder)
    expect(printed).toContain(`[${id}]`)
    await expect(printed).toMatchFileSnapshot(join('..', folder, name.replace(/\.rules$/, '.expected.txt')))
  })

  test('its fixes', async () => {
    const source = { path: name, text: readFileSync(join(folder, name), 'utf8') }
    const how = { read: {}, surroundings: { today: '2026-01-01', trusted: [], keepOpen: [] }, config: NO_CONFIG, configPath: (path: string) => path, only: [id] }
    const { files } = lintSources([source], how)
    const { text, fixed } = applyFixes(source, files[0]?.findings ?? [], ['safe', 'suggestion'])
    const path = join('..', folder, name.replace(/\.rules$/, '.fixed.rules'))
    if (fixed.length === 0) return expect(existsSync(join('test', path))).toBe(false)
    await expect(text).toMatchFileSnapshot(path)
    expect(readTarget({ path: name, text }, {}).problems.filter(({ severity }) => severity === 'error')).toEqual([])
    const again = lintSources([{ path: name, text }], how).files[0]?.findings ?? []
    expect(again.length).toBeLessThan(files[0]?.findings.length ?? 0)
  })
})

test.each(cases.filter(({ name }) => name.startsWith('good')))('$id $name is not found', async ({ id, name }) => {
  const printed = await printedBy(commandLine(id, name), join(LINT, id))
  expect(printed).not.toContain(`[${id}]`)
  expect(printed).toMatch(/^no problem in /m)
})

/** What the linter says of itself depends on other rules; all else is asked alone. */
function commandLine(id: string, name: string): readonly string[] {
  const folder = join(LINT, id)
  const words: string[] = []
  const own = name.replace(/\.rules$/, '.flags.txt')
  const path = join(folder, existsSync(join(folder, own)) ? own : 'flags.txt')
  const flags = existsSync(path) ? readFileSync(path, 'utf8').trim() : ''
  splitWords(flags, 0, flags.length, words, undefined, 'shell')
  const other = name.includes('.v4.') ? name.replace('.v4.', '.v6.') : name.replace('.v6.', '.v4.')
  const pair = other !== name && existsSync(join(folder, other)) ? [other] : []
  return ['lint', name, ...pair, '--no-config', ...words, ...(OWN_CODES.some(code => code.id === id) ? [] : ['--only', id])]
}
