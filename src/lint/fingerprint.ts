/** Fingerprints: a finding keeps its own when lines move and when blanks or the order of options change. */

import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import { lineOf, lineText } from '../diagnostics/source-file.ts'
import type { SourceFile, Span } from '../diagnostics/source-file.ts'
import { eachRule } from '../ir/ruleset.ts'
import type { Chain, Rule, Ruleset } from '../ir/ruleset.ts'
import { writeRule } from '../save/write-rule.ts'

/** Tells what a place is, whatever its line: table, chain and the rule as it is saved, or the words of the line. */
type Placing = (span: Span) => string

/** Returns the placing of a ruleset's text; the index of rules is made when the first place is asked for. */
function placingOf(ruleset: Ruleset): Placing {
  let rules: RuleIndex | undefined
  return span => {
    rules ??= indexRules(ruleset)
    const at = rules.get(span.source)?.get(lineStartOf(span))
    return at ? `${at.chain.table} ${at.chain.name} ${writeRule(at.rule, ruleset.family)}` : `${tableAt(span)} ${lineText(span.source, lineOf(span)).replace(/\[\d+:\d+\]/g, '').trim().split(/\s+/).join(' ')}`
  }
}

/** Returns the fingerprints of findings, in their order. */
export function fingerprintsOf(findings: readonly Diagnostic[], ruleset: Ruleset): readonly string[] {
  const placeOf = placingOf(ruleset)
  const counted = new Map<string, number>()
  return findings.map(({ code, span }) => {
    const place = placeOf(span)
    const key = `${code}\n${place}`
    const occurrence = counted.get(key) ?? 0
    counted.set(key, occurrence + 1)
    return fingerprintOf(code, place, occurrence)
  })
}

/** Returns 16 hex digits. `occurrence` counts equal findings from 0. */
export function fingerprintOf(code: string, place: string, occurrence: number): string {
  const text = `${code}\n${place}\n${occurrence}`
  return hash(text, 0x811c9dc5) + hash(text, 0x01000193)
}

/** The first rule of each line, by the offset where the line begins. */
type RuleIndex = ReadonlyMap<SourceFile, ReadonlyMap<number, { readonly rule: Rule; readonly chain: Chain }>>

function indexRules(ruleset: Ruleset): RuleIndex {
  const index = new Map<SourceFile, Map<number, { rule: Rule; chain: Chain }>>()
  eachRule(ruleset, (rule, _number, chain) => {
    const lines = index.get(rule.span.source) ?? new Map<number, { rule: Rule; chain: Chain }>()
    index.set(rule.span.source, lines)
    const line = lineStartOf(rule.span)
    if (!lines.has(line)) lines.set(line, { rule, chain })
  })
  return index
}

function lineStartOf({ source, start }: Span): number {
  return start === 0 ? 0 : source.text.lastIndexOf('\n', start - 1) + 1
}

/** The table that a line which is no rule stands in. */
function tableAt({ source, start }: Span): string {
  const at = source.text.lastIndexOf('\n*', start)
  if (at === -1) return source.text.startsWith('*') ? (/^\*(\S+)/.exec(source.text)?.[1] ?? '') : ''
  return /^\n\*(\S+)/.exec(source.text.slice(at, at + 40))?.[1] ?? ''
}

/** FNV-1a with a final mix, 32 bits. */
function hash(text: string, seed: number): string {
  let value = seed
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193)
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return ((value ^ (value >>> 16)) >>> 0).toString(16).padStart(8, '0')
}
