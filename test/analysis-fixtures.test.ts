/** What the commands about all packets print: fixtures/diff/CASE/, fixtures/matrix/CASE/, fixtures/optimise/CASE/ and fixtures/reach/CASE/ with command.txt (a command line a line) and expected.txt. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { splitWords } from '../grammar/save-words.ts'
import { printedBy } from './printed-by.ts'

const FOLDERS = ['fixtures/diff', 'fixtures/matrix', 'fixtures/optimise', 'fixtures/reach']

describe.each(FOLDERS)('%s', folder => {
  test.each(readdirSync(folder))('%s', async name => {
    const place = join(folder, name)
    const printed: string[] = []
    for (const line of readFileSync(join(place, 'command.txt'), 'utf8').split('\n').filter(one => one.trim() !== '')) {
      const words: string[] = []
      splitWords(line, 0, line.length, words, undefined, 'shell')
      printed.push(`$ 5x5 ${line}\n${await printedBy(words, place)}`)
    }
    await expect(printed.join('\n')).toMatchFileSnapshot(join('..', place, 'expected.txt'))
  })
})
