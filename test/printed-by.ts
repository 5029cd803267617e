/** Runs a command within the test's process and returns what it prints. */

import type { Terminal } from '../cli/command.ts'
import { run } from '../cli/run.ts'
import { plain } from '../src/report/paint.ts'

/** Returns everything that a command line prints, with its exit code where that is not 0. */
export async function printedBy(words: readonly string[], directory: string): Promise<string> {
  const printed: string[] = []
  const write = (text: string): void => void printed.push(text)
  const terminal: Terminal = { out: write, err: write, paint: plain, paintErr: plain, directory }
  const code = await run(words, terminal)
  return `${printed.join('')}${code === 0 ? '' : `(exit code ${code})\n`}`
}
