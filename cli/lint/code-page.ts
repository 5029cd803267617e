/** `5x5 explain CODE`: the page of a code, as far as the package has it, else its words. */

import { readFileSync } from 'node:fs'
import type { DiagnosticCode } from '../../src/diagnostics/diagnostic.ts'
import { allCodes, describeCode } from '../../src/lint/describe-code.ts'
import { codeInWords } from '../../src/report/rule-page.ts'

/** Returns the code that a word is, undefined where it is none. */
export function codeNamed(word: string): DiagnosticCode | undefined {
  return allCodes().find(code => code === word)
}

/** Returns every code, for "did you mean" and completion. */
export function codeNames(): readonly string[] {
  return allCodes()
}

/** Returns the text of a code: its words, and the examples of its page where there is one. */
export function codeText(code: DiagnosticCode): string {
  const page = pageOf(code)
  const examples = page === undefined ? '' : page.slice(page.indexOf('## What is reported'), page.indexOf('## To keep it')).replaceAll('```\n', '').replaceAll('```', '').replace(/^## (.*)$/gm, '$1:')
  return `${codeInWords(describeCode(code))}${examples === '' ? '' : `\n${examples.trimEnd()}\n`}`
}

/** The pages stand two folders up in the sources, two in the bundle, three in what is compiled. */
function pageOf(code: string): string | undefined {
  for (const folder of ['../../docs/lint', '../../../docs/lint']) {
    try {
      return readFileSync(new URL(`${folder}/${code}.md`, import.meta.url), 'utf8')
    } catch {
      continue
    }
  }
  return undefined
}
