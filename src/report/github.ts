/** Findings as annotations of GitHub Actions, and the page that a step leaves behind. */

import { positionAt } from '../diagnostics/source-file.ts'
import type { LintReport } from '../lint/lint-report.ts'
import { allFindings } from '../lint/lint-report.ts'
import { count, printable } from './paint.ts'

const COMMANDS = { error: 'error', warning: 'warning', note: 'notice' } as const

/** Returns one workflow command a line: `::error file=F,line=1,col=2,title=CODE::MESSAGE`. Lines and columns are 1-based. */
export function githubAnnotations(report: LintReport): string {
  return allFindings(report)
    .map(({ span, severity, code, message, why, help }) => {
      const start = positionAt(span.source, span.start)
      const end = positionAt(span.source, Math.max(span.start, span.end - 1))
      const text = [message, ...(why === undefined ? [] : [`why: ${why}`]), ...(help === undefined ? [] : [`help: ${help}`])].join('\n')
      const columns = start.line === end.line ? `,col=${start.column},endColumn=${end.column}` : ''
      return `::${COMMANDS[severity]} file=${property(span.source.path)},line=${start.line},endLine=${end.line}${columns},title=${property(code)}::${data(text)}\n`
    })
    .join('')
}

/** Returns Markdown for the step summary. */
export function stepSummary(report: LintReport): string {
  const findings = allFindings(report)
  const files = count(report.files.length, 'file')
  if (findings.length === 0) return `### fivebyfive: no problem in ${files}\n`
  const rows = findings.slice(0, MOST_ROWS).map(({ span, severity, code, message }) => `| ${severity} | \`${cell(span.source.path)}:${positionAt(span.source, span.start).line}\` | ${code} | ${cell(message)} |`)
  const more = findings.length > MOST_ROWS ? [`\n${findings.length - MOST_ROWS} more are not shown.`] : []
  return [`### fivebyfive: ${count(findings.length, 'finding')} in ${files}`, '', '| | where | code | what |', '|---|---|---|---|', ...rows, ...more, ''].join('\n')
}

/** A step summary may have 1 MiB. */
const MOST_ROWS = 500

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}

function cell(text: string): string {
  return printable(text).replaceAll('|', '\\|').replaceAll('<', '&lt;')
}
