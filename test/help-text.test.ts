/** Help texts: every command's fits the terminal, says all that its source says, and keeps flags apart from what they do. */

import { describe, expect, test } from 'vitest'
import { fillHelp } from '../cli/help-text.ts'
import { printedBy } from './printed-by.ts'

const listed = (await printedBy(['--help'], '.')).matchAll(/^ {2}([a-z]+) {2,}\S/gm)
const names = [...listed].map(([, name = '']) => name)

/** What is typed stays as it is: usages, examples, comment lines of rules. */
function withoutCommands(text: string): string {
  return text.split(/\n{2,}/).filter(block => !/^(?:usage:|examples:| *# )/.test(block)).join('\n\n')
}

describe('help', () => {
  test.each(names)('%s', async name => {
    const help = await printedBy([name, '--help'], '.')
    for (const columns of [60, 80, 120]) {
      const filled = fillHelp(help, columns)
      expect(filled.split(/\s+/)).toEqual(help.split(/\s+/))
      const long = withoutCommands(filled).split('\n').filter(line => line.length > columns)
      // What stands in backticks is one word.
      expect(long.map(line => line.replaceAll(/`[^`]*`/g, '')).filter(line => line.length > columns)).toEqual([])
    }
    expect(fillHelp(help)).toBe(help)
  })

  test('there are commands', () => expect(names).toContain('trace'))

  test('flags of any length keep their texts in one column', () => {
    const text = '  --a  one two three four five six seven eight nine ten\n       eleven\n  --a-flag-that-is-quite-a-bit-longer VALUE   text\n  --bcd X   text\n\nA sentence\nof two lines.\n'
    expect(fillHelp(text, 50)).toBe('  --a      one two three four five six seven eight\n           nine ten eleven\n  --a-flag-that-is-quite-a-bit-longer VALUE\n           text\n  --bcd X  text\n\nA sentence of two lines.\n')
  })
})
