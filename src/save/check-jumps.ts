/** Jumps to what is neither a target nor a chain: found when all chains are known. */

import { didYouMean } from '../extensions/did-you-mean.ts'
import { targetNames } from '../extensions/registry.ts'
import { splitWords } from '../../grammar/save-words.ts'
import type { WordSpan } from '../../grammar/save-words.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { Span } from '../diagnostics/source-file.ts'
import type { Rule } from '../ir/ruleset.ts'
import { readRules, settle } from './chain-draft.ts'
import type { TableDraft } from './restore-changes.ts'

/**
 * Reports rules that jump to nothing, or to a chain that is declared only further down, and removes the former. Returns whether
 * there were any of those: the ruleset is then partial.
 */
export function checkJumps(tables: Iterable<TableDraft>, diagnostics: Diagnostic[]): boolean {
  let found = false
  for (const table of tables) {
    for (const chain of table.chains.values()) {
      // A line that was not read jumps to a chain that was there before it.
      const lost = readRules(chain).filter(rule => checkJump(table, rule, diagnostics))
      if (lost.length === 0) continue
      found = true
      const losses = new Set<Rule>(lost)
      chain.rules = settle(chain).filter(rule => !losses.has(rule))
    }
  }
  return found
}

/** Returns whether a rule jumps to nothing. */
function checkJump(table: TableDraft, rule: Rule, diagnostics: Diagnostic[]): boolean {
  const { target, span } = rule
  if (!target || target.kind === 'target') return false
  const chain = table.chains.get(target.chain)
  if (!chain || chain.hook !== undefined) {
    diagnostics.push(unknownTarget(table, rule))
    return true
  }
  if (chain.span && chain.span.start > span.start && chain.span.source === span.source) diagnostics.push(declaredLater(rule))
  return false
}

function declaredLater(rule: Rule): Diagnostic {
  const name = rule.target && rule.target.kind !== 'target' ? rule.target.chain : ''
  return {
    code: 'unknown-chain', severity: 'error', message: `chain \`${name}\` is declared only further down`, span: jumpSpan(rule.span, name), related: [],
    help: 'a chain must be declared before the first rule that jumps to it',
  }
}

function unknownTarget(table: TableDraft, rule: Rule): Diagnostic {
  const target = rule.target
  const name = target && target.kind !== 'target' ? target.chain : ''
  const builtIn = table.chains.has(name)
  const help = builtIn ? 'built-in chains are entered by the kernel only' : didYouMean(name, [...table.chains.keys(), ...targetNames('ipv4'), ...targetNames('ipv6')])
  return {
    code: builtIn || target?.kind === 'goto' ? 'unknown-chain' : 'unknown-target',
    severity: 'error',
    message: builtIn ? `a rule cannot jump to built-in chain \`${name}\`` : target?.kind === 'goto' ? `there is no chain \`${name}\` in table ${table.name}` : `there is no target or chain \`${name}\``,
    span: jumpSpan(rule.span, name),
    related: [],
    ...(help === undefined ? {} : { help }),
  }
}

function jumpSpan(span: Span, name: string): Span {
  const words: string[] = []
  const spans: WordSpan[] = []
  splitWords(span.source.text, span.start, span.end, words, spans)
  const at = words.findLastIndex((word, index) => word === name && /^-(j|g|-jump|-goto)$/.test(words[index - 1] ?? ''))
  const place = spans[at]
  return place ? { source: span.source, ...place } : span
}
