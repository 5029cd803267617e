/** README.md: its commands work, and what it shows them print is what they print. `-u` rewrites the page. */

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { printedBy } from './printed-by.ts'

const page = readFileSync('README.md', 'utf8')

/** A console block: the command line and what follows it. */
const BLOCK = /```console\n\$ (.*)\n([\s\S]*?)```/g

test('the examples print what README.md shows', async () => {
  let written = page
  for (const [block, command = ''] of page.matchAll(BLOCK)) {
    const words = shellWords(command.replace(/^npm ci && npx /, ''))
    expect(words[0]).toBe('5x5')
    const output = await printedBy(words.slice(1), '.')
    written = written.replace(block, () => `\`\`\`console\n$ ${command}\n${output}\`\`\``)
  }
  expect([...page.matchAll(BLOCK)].length).toBeGreaterThanOrEqual(4)
  await expect(written).toMatchFileSnapshot('../README.md')
})

test('the test command of README.md is the one that continuous integration runs', () => {
  expect(page).toContain('npm cit')
  expect(readFileSync('.ci/run', 'utf8').trimEnd().endsWith('npm cit')).toBe(true)
})

/** Splits at blanks; single quotes keep them. */
function shellWords(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(match => match[1] ?? match[2] ?? '')
}
