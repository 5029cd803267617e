/** Diagnostics as a human reads them: message, code frame, what explains it, what to do. */

import type { Diagnostic, Severity } from '../diagnostics/diagnostic.ts'
import { positionAt } from '../diagnostics/source-file.ts'
import { codeFrame, plainLine } from './code-frame.ts'
import { count, printable } from './paint.ts'
import type { Paint } from './paint.ts'

/** What was found in one ruleset: the paths of its files, how much was read, and how long it took in seconds. */
export interface CheckSummary {
  readonly paths: readonly string[]
  /** Undefined where none of the files is a ruleset. */
  readonly ruleCount: number | undefined
  readonly partial: boolean
  readonly seconds?: number
}

/** How many of one code are shown before the rest is only counted. */
const SHOWN: Readonly<Record<Severity, number>> = { error: 50, warning: 10, note: 2 }

/** Returns all diagnostics, one block each, in the order of their places; many of one code are folded unless `all`. */
export function writeDiagnostics(diagnostics: readonly Diagnostic[], paint: Paint, all = false): string {
  const shown = new Map<string, number>()
  const blocks: string[] = []
  for (const diagnostic of diagnostics) {
    const already = shown.get(diagnostic.code) ?? 0
    shown.set(diagnostic.code, already + 1)
    if (all || already < SHOWN[diagnostic.severity]) blocks.push(writeDiagnostic(diagnostic, paint))
  }
  if (!all) blocks.push(...writeFolded(diagnostics, shown, paint))
  return blocks.map(block => `${block}\n`).join('\n')
}

/** Returns one diagnostic without a line end. */
export function writeDiagnostic(diagnostic: Diagnostic, paint: Paint): string {
  const { severity, span, help } = diagnostic
  const { line, column } = positionAt(span.source, span.start)
  const isShort = help?.startsWith('did you mean') === true
  const frame = codeFrame(span, isShort ? (help ?? '') : '', severity, paint)
  const margin = ' '.repeat(frame.gutter)
  const sign = paint('place', '=')
  return [
    `${paint(severity, `${severity}[${diagnostic.code}]`)}${paint('strong', `: ${printable(diagnostic.message)}`)}`,
    `${margin}${paint('place', '-->')} ${span.source.path}:${line}:${column}`,
    ...frame.lines,
    ...diagnostic.related.flatMap(place => [...(place.message === '' ? [] : [`${margin} ${sign} ${printable(place.message)}`]), plainLine(place.span, frame.gutter, paint)]),
    ...(diagnostic.why !== undefined ? [`${margin} ${sign} why: ${printable(diagnostic.why)}`] : []),
    ...(diagnostic.witness ? [`${margin} ${sign} for example: ${printable(diagnostic.witness.packet)}`] : []),
    ...(help !== undefined && !isShort && help !== diagnostic.fix?.message ? [`${margin} ${sign} help: ${printable(help)}`] : []),
    ...(diagnostic.fix ? [`${margin} ${sign} ${diagnostic.fix.kind === 'safe' ? 'fix' : 'suggested fix'}: ${printable(diagnostic.fix.message)}`] : []),
    ...(diagnostic.backend ? [`${margin} ${sign} only iptables-${diagnostic.backend} ${severity === 'error' ? 'refuses it' : 'does so'}, iptables-${diagnostic.backend === 'nft' ? 'legacy' : 'nft'} ${severity === 'error' ? 'takes it' : 'does not'}`] : []),
  ].join('\n')
}

function writeFolded(diagnostics: readonly Diagnostic[], shown: ReadonlyMap<string, number>, paint: Paint): string[] {
  return [...shown].flatMap(([code, number]) => {
    const severity = diagnostics.find(diagnostic => diagnostic.code === code)?.severity ?? 'note'
    const left = number - SHOWN[severity]
    return left > 0 ? [`${paint(severity, `${severity}[${code}]`)}: ${count(left, `more ${severity}`)} of this kind (--all shows them)`] : []
  })
}

/** Returns the last line: `1 error, 2 warnings in firewall.rules (214 rules, 0.18 s)`. */
export function writeSummary(diagnostics: readonly Diagnostic[], summary: CheckSummary, paint: Paint): string {
  const number = (severity: Severity) => diagnostics.filter(diagnostic => diagnostic.severity === severity).length
  const found = (['error', 'warning', 'note'] as const).flatMap(severity => (number(severity) === 0 ? [] : [paint(severity, count(number(severity), severity))]))
  const size = [...(summary.ruleCount === undefined ? [] : [count(summary.ruleCount, 'rule')]), ...(summary.seconds === undefined ? [] : [`${summary.seconds.toFixed(2)} s`])]
  const what = found.length === 0 ? paint('good', 'no problem') : found.join(', ')
  const line = `${what} in ${summary.paths.join(', ')}${size.length === 0 ? '' : ` (${size.join(', ')})`}`
  return summary.partial ? `${line}\npartial: lines that could not be read are left out, so there may be more to say\n` : `${line}\n`
}
