/** The flags of `5x5 lint`, read. */

import type { Severity } from '../../src/diagnostics/diagnostic.ts'
import type { Backend } from '../../src/ir/hooks.ts'
import type { Family, Prefix } from '../../src/net/address.ts'
import { readPrefix } from '../../src/net/address.ts'
import { didYouMean } from '../../src/extensions/did-you-mean.ts'
import { allCodes } from '../../src/lint/describe-code.ts'
import { readKeepOpen } from '../../src/lint/keep-open.ts'
import type { KeepOpen } from '../../src/lint/keep-open.ts'
import type { LintReport } from '../../src/lint/lint-report.ts'
import { allFindings } from '../../src/lint/lint-report.ts'
import { commandError } from '../command.ts'
import type { FlagValues } from '../command.ts'
import { readBackend, readFamily } from '../input.ts'
import { FORMAT_NAMES } from './formats.ts'
import type { FormatName } from './formats.ts'

/** What the command line asks for. */
export interface LintFlags {
  /** The format on standard output. */
  readonly format: FormatName
  /** Absent where nobody asked for one. */
  readonly isFormatGiven: boolean
  readonly outputs: readonly { readonly format: FormatName; readonly path: string }[]
  readonly failOn: Severity
  readonly isFailOnGiven: boolean
  readonly maxWarnings: number | undefined
  readonly only: readonly string[] | undefined
  readonly all: boolean
  readonly family: Family | undefined
  readonly backend: Backend | undefined
  readonly topology: string | undefined
  readonly trusted: readonly Prefix[]
  readonly keepOpen: readonly KeepOpen[]
  readonly stdinName: string | undefined
  readonly config: string | undefined
  readonly noConfig: boolean
  /** Which fixes are made; undefined: none. */
  readonly fixes: 'safe' | 'all' | undefined
  readonly diff: boolean
  readonly since: string | undefined
  readonly watch: boolean
  readonly baseline: string | undefined
  readonly newBaseline: string | undefined
}

const SEVERITIES: readonly Severity[] = ['error', 'warning', 'note']

/** Reads the flags; what cannot be read is a `commandError`. */
export function readLintFlags(values: FlagValues): LintFlags {
  const formats = listOf(values['format'])
  const given = values['json'] === true ? 'json' : formats[0]
  if (formats.length > 1) throw commandError('`--format` is what standard output gets: one', 'others go to files, such as `--output sarif=lint.sarif`')
  return {
    format: readFormat(given ?? 'pretty'), isFormatGiven: given !== undefined,
    outputs: listOf(values['output']).map(readOutput),
    failOn: readSeverity(values['fail-on']), isFailOnGiven: values['fail-on'] !== undefined, maxWarnings: readCount(values['max-warnings']),
    only: values['only'] === undefined ? undefined : listOf(values['only']).flatMap(text => text.split(',')).map(text => readCode(text.trim())),
    all: values['all'] === true, family: readFamily(values['family']), backend: readBackend(values['backend']),
    topology: textOf(values['topology']), trusted: listOf(values['trusted']).map(readTrusted), keepOpen: listOf(values['keep-open']).map(readOpen),
    stdinName: textOf(values['stdin-name']), config: textOf(values['config']), noConfig: values['no-config'] === true,
    fixes: values['fix-suggestions'] === true ? 'all' : values['fix'] === true || values['diff'] === true ? 'safe' : undefined,
    diff: values['diff'] === true, since: textOf(values['since']), watch: values['watch'] === true, baseline: textOf(values['baseline']), newBaseline: textOf(values['write-baseline']),
  }
}

/** Tells whether a report has findings that count: as grave as `--fail-on` says, or more warnings than are let pass. */
export function failsOn(report: LintReport, { failOn, maxWarnings }: LintFlags): boolean {
  const counting = SEVERITIES.slice(0, SEVERITIES.indexOf(failOn) + 1)
  const findings = allFindings(report)
  const warnings = findings.filter(({ severity }) => severity === 'warning').length
  const excused = maxWarnings !== undefined && warnings <= maxWarnings
  return findings.some(({ severity }) => counting.includes(severity) && !(severity === 'warning' && excused)) || (maxWarnings !== undefined && warnings > maxWarnings)
}

function readOutput(text: string): { readonly format: FormatName; readonly path: string } {
  const at = text.indexOf('=')
  if (at <= 0 || at === text.length - 1) throw commandError(`\`--output ${text}\`: write FORMAT=FILE, such as \`sarif=lint.sarif\``)
  return { format: readFormat(text.slice(0, at)), path: text.slice(at + 1) }
}

function readFormat(text: string): FormatName {
  const format = FORMAT_NAMES.find(name => name === text)
  if (format) return format
  throw commandError(`there is no format \`${text}\``, didYouMean(text, FORMAT_NAMES) ?? `the formats are ${FORMAT_NAMES.join(', ')}`)
}

function readCode(text: string): string {
  const codes = allCodes()
  if (codes.some(code => code === text)) return text
  throw commandError(`there is no rule \`${text}\``, didYouMean(text, codes) ?? '5x5 docs rules lists them')
}

function readSeverity(value: FlagValues[string]): Severity {
  const severity = SEVERITIES.find(name => name === (value ?? 'warning'))
  if (severity) return severity
  throw commandError(`\`--fail-on ${String(value)}\`: the levels are \`error\`, \`warning\` and \`note\``)
}

function readCount(value: FlagValues[string]): number | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'string' && /^\d+$/.test(value)) return Number(value)
  throw commandError(`\`--max-warnings ${String(value)}\`: it must be a whole number`)
}

function readTrusted(text: string): Prefix {
  const prefix = readPrefix(text)
  if (prefix) return prefix
  throw commandError(`\`--trusted ${text}\`: it must be an address or prefix`)
}

function readOpen(text: string): KeepOpen {
  const reading = readKeepOpen(text)
  if (reading.ok) return reading.value
  throw commandError(`\`--keep-open ${text}\` cannot be read`, reading.problem)
}

function textOf(value: FlagValues[string]): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function listOf(value: FlagValues[string]): readonly string[] {
  return value === undefined ? [] : Array.isArray(value) ? value.map(String) : [String(value)]
}
