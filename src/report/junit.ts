/** Findings in JUnit's XML: a suite for each file, a failed case for each finding, one case that passed where there is none. */

import { positionAt } from '../diagnostics/source-file.ts'
import type { Finding } from '../lint/run-lint.ts'
import type { LintedFile, LintReport } from '../lint/lint-report.ts'
import { xmlText } from './xml-text.ts'

/** Returns the document. Notes are cases that passed, with the finding as output. */
export function junitReport({ files }: LintReport): string {
  const cases = files.map(file => Math.max(1, file.findings.length))
  const failures = files.map(file => file.findings.filter(isFailure).length)
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)
  const suites = files.map((file, index) => suite(file, cases[index] ?? 0, failures[index] ?? 0))
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="fivebyfive" tests="${sum(cases)}" failures="${sum(failures)}" errors="0">\n${suites.join('')}</testsuites>\n`
}

function isFailure({ severity }: Finding): boolean {
  return severity !== 'note'
}

function suite({ source, findings }: LintedFile, tests: number, failures: number): string {
  const name = xmlText(source.path)
  const cases = findings.length === 0 ? [`    <testcase name="no findings" classname="${name}"/>\n`] : findings.map(finding => testCase(finding, name))
  return `  <testsuite name="${name}" tests="${tests}" failures="${failures}" errors="0">\n${cases.join('')}  </testsuite>\n`
}

function testCase(finding: Finding, file: string): string {
  const { span, severity, code, message, why, help } = finding
  const { line, column } = positionAt(span.source, span.start)
  const text = xmlText([`${span.source.path}:${line}:${column}: ${message}`, ...(why === undefined ? [] : [`why: ${why}`]), ...(help === undefined ? [] : [`help: ${help}`])].join('\n'))
  const body = isFailure(finding) ? `<failure type="${severity}" message="${xmlText(message)}">${text}</failure>` : `<system-out>${text}</system-out>`
  return `    <testcase name="${code} line ${line}" classname="${file}">${body}</testcase>\n`
}
