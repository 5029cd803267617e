/** Generated rules as commands print them: rules or reasons on standard output, everything else on standard error, and files. */

import { join } from 'node:path'
import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts'
import { writeReasons } from '../../src/report/docker-text.ts'
import { count } from '../../src/report/paint.ts'
import { writeDiagnostics } from '../../src/report/pretty.ts'
import type { FlagValues, Terminal } from '../command.ts'
import { writeFolder } from '../write-file.ts'
import type { HostRules } from '../docker/host-rules.ts'
import { DOCKER_FILES } from '../docker/rule-files.ts'

/** What a command has to print. Looks at the flags `output`, `explain` and `all`. */
export interface PrintedRules {
  readonly rules: readonly HostRules[]
  /** Nothing is described: where that is for errors, rules would be those of an empty host. */
  readonly isEmpty: boolean
  readonly diagnostics: readonly Diagnostic[]
  readonly values: FlagValues
  /** Whose rules they are, behind the family in headings. */
  readonly title: string
  /** What stands above the reasons. */
  readonly overview: string
  readonly assumptions: readonly string[]
  readonly ignored: readonly string[]
  /** The last sentence from behind the number of rules to where they were written. */
  readonly summary: string
}

/** Prints rules. */
export function printRules({ rules, isEmpty, diagnostics, values, title, overview, assumptions, ignored, summary }: PrintedRules, { out, err, paint, paintErr, directory }: Terminal): void {
  if (diagnostics.length > 0) err(`${writeDiagnostics(diagnostics, paintErr, values['all'] === true)}\n`)
  if (isEmpty && diagnostics.some(({ severity }) => severity === 'error')) return err('no rules are written: the file describes nothing that could be read\n')
  const folder = typeof values['output'] === 'string' ? values['output'] : undefined
  const heading = ({ family }: HostRules): string => `${NAMES[family]}, ${title}`
  if (folder !== undefined) writeFolder(folder, rules.map(({ family, source }) => ({ name: DOCKER_FILES[family], text: source.text })), directory)
  if (values['explain'] === true) out(`${overview}${rules.map(one => `\n${paint('strong', heading(one))}\n\n${writeReasons(one.lines, paint)}`).join('')}\n`)
  else if (folder === undefined) out(rules.map(one => `${rules.length > 1 ? `# ${heading(one)}\n` : ''}${one.source.text}`).join(''))
  if (assumptions.length > 0) err(`Assumed:\n${assumptions.map(words => `  ${words}\n`).join('')}`)
  if (ignored.length > 0 && values['explain'] === true) err(`Not looked at, since no rule hangs on it: ${ignored.join(', ')}.\n`)
  const where = folder === undefined ? '' : `, written to ${rules.map(({ family }) => join(folder, DOCKER_FILES[family])).join(' and ')}`
  err(`${rules.map(({ family, lines }) => count(lines.filter(({ step }) => step !== undefined).length, `${NAMES[family]} rule`)).join(' and ')} ${summary}${where}.\n`)
}

const NAMES = { ipv4: 'IPv4', ipv6: 'IPv6' } as const
