/** What `5x5 lint` takes beside rulesets: fixtures/lint-inputs/CASE/ has command.txt (one command line a line) and expected.txt. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { printedBy } from './printed-by.ts'

const CASES = 'fixtures/lint-inputs'

test.each(readdirSync(CASES))('%s', async name => {
  const folder = join(CASES, name)
  const lines = readFileSync(join(folder, 'command.txt'), 'utf8').trim().split('\n')
  const printed: string[] = []
  for (const line of lines) {
    const words = line.split(' ').slice(1)
    printed.push(`$ ${line}\n${await printedBy([...words, ...(existsSync(join(folder, 'fivebyfive.yaml')) ? [] : ['--no-config'])], folder)}`)
  }
  await expect(printed.join('\n')).toMatchFileSnapshot(join('..', folder, 'expected.txt'))
})
