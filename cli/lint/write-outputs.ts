/** A report to standard output and to files. */

import { appendFileSync } from 'node:fs'
import type { LintReport } from '../../src/lint/lint-report.ts'
import { prettyReport } from '../../src/report/lint-text.ts'
import { plain } from '../../src/report/paint.ts'
import type { Terminal } from '../command.ts'
import { writeText } from '../write-file.ts'
import { formatWriter } from './formats.ts'
import type { FormatName } from './formats.ts'
import type { LintFlags } from './lint-flags.ts'

/** Writes what the flags ask for; under GitHub Actions annotations and the step summary too, where no format was asked for. */
export async function writeOutputs(report: LintReport, flags: LintFlags, terminal: Terminal): Promise<void> {
  const { out, paint, seconds } = terminal
  const pretty = (colours: typeof paint): string => prettyReport(report, { paint: colours, all: flags.all, ...(seconds ? { seconds: seconds() } : {}) })
  const write = async (format: FormatName): Promise<string> => (format === 'pretty' ? pretty(plain) : (await formatWriter(format))(report))
  out(flags.format === 'pretty' ? pretty(paint) : await write(flags.format))
  for (const { format, path } of flags.outputs) writeTo(path, await write(format), terminal)
  const { GITHUB_ACTIONS: isGithub, GITHUB_STEP_SUMMARY: summary } = terminal.environment ?? {}
  if (isGithub !== 'true') return
  if (!flags.isFormatGiven) out(await write('github'))
  if (summary) appendFileSync(summary, (await import('../../src/report/github.ts')).stepSummary(report))
}

function writeTo(path: string, text: string, { directory }: Terminal): void {
  writeText(path, text, directory)
}
