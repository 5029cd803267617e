/**
 * Suppressions: `# 5x5-ignore shadowed-rule: reason until 2027-01-01` on a line of its own is for the next line that is none,
 * `# 5x5-ignore-file CODE: reason` for the whole file, and a rule's own comment (`-m comment --comment "5x5-ignore CODE: reason"`) for that rule.
 */

import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import { lineOf } from '../diagnostics/source-file.ts'
import type { SourceFile, Span } from '../diagnostics/source-file.ts'

/** A suppression as it stands in the text. */
export interface Suppression {
  readonly codes: readonly string[]
  readonly reason: string
  /** `YYYY-MM-DD`, the last day on which it holds. */
  readonly until: string | undefined
  readonly span: Span
  /** The 1-based line that it is for; undefined for the whole file. */
  readonly line: number | undefined
}

const MARK = /5x5-ignore(-file)?\b[ \t]*([a-z0-9, -]*?)[ \t]*(?::[ \t]*([^"\n]*?))?[ \t]*(?=["\r\n]|$)/g
const UNTIL = /[\s([]*\buntil[ \t]+(\d{4}-\d{2}-\d{2})\b[\])]*[\s.]*$/

/** Returns all suppressions of a text in the order of their places. */
export function readSuppressions(source: SourceFile): readonly Suppression[] {
  const { text } = source
  if (!text.includes('5x5-ignore')) return []
  return [...text.matchAll(MARK)].map(match => {
    const start = match.index
    const lineStart = text.lastIndexOf('\n', start) + 1
    const isOwnLine = /^\s*#/.test(text.slice(lineStart, start + 1)) || text[lineStart] === '#'
    const [, forFile, names = '', said = ''] = match
    const until = UNTIL.exec(said)?.[1]
    const span = { source, start, end: start + match[0].length }
    return { codes: names.split(/[\s,]+/).filter(name => name !== ''), reason: said.replace(UNTIL, '').trim(), until, span, line: forFile ? undefined : isOwnLine ? nextLine(text, lineStart) : lineOf(span) }
  })
}

/** The line that a comment on a line of its own is for. */
function nextLine(text: string, lineStart: number): number {
  let line = text.slice(0, lineStart).split('\n').length
  for (let at = lineStart; at !== 0 && at < text.length; line++) {
    const end = text.indexOf('\n', at)
    const words = text.slice(at, end === -1 ? undefined : end).trim()
    if (words !== '' && !words.startsWith('#')) return line
    at = end + 1
  }
  return lineStart === 0 ? nextLineOfFirst(text) : line
}

function nextLineOfFirst(text: string): number {
  const lines = text.split('\n')
  const at = lines.findIndex(line => line.trim() !== '' && !line.trim().startsWith('#'))
  return at === -1 ? lines.length : at + 1
}

/** What is left of findings, and what there is to say about the suppressions themselves. */
export interface Suppressed<F extends Diagnostic> {
  readonly kept: readonly F[]
  readonly suppressed: readonly F[]
  readonly about: readonly Diagnostic[]
}

/** Takes out what suppressions are for. `today` is `YYYY-MM-DD`; `isKnown` tells codes from misspelt ones. */
export function applySuppressions<F extends Diagnostic>(findings: readonly F[], suppressions: readonly Suppression[], today: string, isKnown: (code: string) => boolean): Suppressed<F> {
  if (suppressions.length === 0) return { kept: findings, suppressed: [], about: [] }
  const used = new Set<Suppression>()
  const kept: F[] = []
  const suppressed: F[] = []
  for (const finding of findings) {
    const lines = [finding.span, ...finding.related.map(({ span }) => span)].slice(0, 1).map(lineOf)
    const by = suppressions.find(one => one.codes.includes(finding.code) && one.span.source === finding.span.source && (one.line === undefined || lines.includes(one.line)))
    if (by) used.add(by)
    if (by && by.reason !== '' && !isExpired(by, today)) suppressed.push(finding)
    else kept.push(finding)
  }
  return { kept, suppressed, about: suppressions.flatMap(one => problemOf(one, used.has(one), today, isKnown)) }
}

function isExpired({ until }: Suppression, today: string): boolean {
  return until !== undefined && until < today
}

function problemOf(one: Suppression, isUsed: boolean, today: string, isKnown: (code: string) => boolean): Diagnostic[] {
  const { span, codes } = one
  const shape = 'write `5x5-ignore CODE: reason`, with ` until YYYY-MM-DD` behind the reason where it is to end'
  const say = (code: 'unused-suppression' | 'expired-suppression' | 'suppression-without-reason', message: string, help: string): Diagnostic[] => [{ code, severity: 'warning', message, span, help, related: [] }]
  const unknown = codes.find(code => !isKnown(code))
  if (codes.length === 0 || unknown !== undefined) return say('unused-suppression', unknown === undefined ? 'this suppression names no code' : `this suppression names \`${unknown}\`, and there is no such code`, shape)
  if (one.reason === '') return say('suppression-without-reason', 'this suppression has no reason, so it does not count', shape)
  if (isExpired(one, today)) return isUsed ? say('expired-suppression', `this suppression ended on ${one.until}`, 'mend what it is for, or give it a new date and reason') : say('unused-suppression', `this suppression ended on ${one.until}, and nothing is left to suppress`, 'remove it')
  return isUsed ? [] : say('unused-suppression', `nothing here is reported as ${codes.map(code => `\`${code}\``).join(' or ')}`, 'remove the suppression')
}
