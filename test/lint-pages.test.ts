/** docs/lint: a page for each lint rule, made from its words and fixtures/lint. `npm test -- -u` writes them. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describeCode } from '../src/lint/describe-code.ts'
import { OWN_CODES } from '../src/lint/own-codes.ts'
import { RULES } from '../src/lint/registry.ts'
import { rulePage, rulesPage } from '../src/report/rule-page.ts'
import { printedBy } from './printed-by.ts'

const LINT = 'fixtures/lint'
const codes = [...RULES, ...OWN_CODES].map(({ id }) => id)

test.each(codes)('%s', async code => {
  const folder = join(LINT, code)
  const names = readdirSync(folder).filter(name => name.endsWith('.rules') && !name.endsWith('.fixed.rules')).sort((one, other) => one.length - other.length)
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8')
  const bad = names.filter(name => name.startsWith('bad')).map(name => {
    const fixed = name.replace(/\.rules$/, '.fixed.rules')
    return { text: read(name), printed: read(name.replace(/\.rules$/, '.expected.txt')).replace(/\(exit code \d\)\n$/, ''), ...(existsSync(join(folder, fixed)) ? { fixed: read(fixed) } : {}) }
  })
  const page = rulePage(describeCode(code), { bad: bad.slice(0, 2), good: names.filter(name => name.startsWith('good')).slice(0, 1).map(read) })
  await expect(page).toMatchFileSnapshot(join('..', 'docs', 'lint', `${code}.md`))
})

test('the list', async () => {
  await expect(rulesPage(codes.map(describeCode))).toMatchFileSnapshot('../docs/lint/README.md')
  expect(readdirSync('docs/lint').sort()).toEqual(['README.md', ...codes.map(code => `${code}.md`)].sort())
})

test('explain prints words and examples of a code, offline', async () => {
  const text = await printedBy(['explain', 'open-policy'], '.')
  expect(text).toContain('open-policy (warning)')
  expect(text).toContain('Why it matters: the rules of the chain choose')
  expect(text).toContain('INPUT accepts by its policy what no rule accepts')
  expect(await printedBy(['explain', 'missing-commit'], '.')).toContain('COMMIT is missing')
  expect(await printedBy(['explain', 'open-polcy'], '.')).toContain('did you mean `open-policy`?')
})
