/** Rules that say what an earlier rule of their chain says. */

import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import { lineOf } from '../diagnostics/source-file.ts'
import type { Rule, Ruleset } from '../ir/ruleset.ts'
import type { Family } from '../net/address.ts'
import { memoryOf } from './meaning-of.ts'
import { targetInWords, useInWords } from './option-words.ts'

/** Returns a warning for every rule that repeats another. Rules with memory (`limit`, `recent`, ...) may well stand twice. */
export function checkDuplicates(ruleset: Ruleset): Diagnostic[] {
  const { family } = ruleset
  const found: Diagnostic[] = []
  for (const table of ruleset.tables) {
    for (const chain of table.chains) {
      const seen = new Map<string, Rule>()
      for (const rule of chain.rules) {
        if (!rule.target || rule.matches.some(use => use.words || memoryOf(use, family))) continue
        const key = ruleKey(rule, family)
        const earlier = seen.get(key)
        if (earlier && earlier.span !== rule.span) found.push(duplicate(rule, earlier))
        else seen.set(key, rule)
      }
    }
  }
  return found
}

function duplicate(rule: Rule, earlier: Rule): Diagnostic {
  return {
    code: 'duplicate-rule',
    severity: 'warning',
    message: `this rule repeats line ${lineOf(earlier.span)}`,
    span: rule.span,
    related: [{ span: earlier.span, message: 'the same rule stands here' }],
  }
}

/** Comments do not make a rule another one. */
function ruleKey(rule: Rule, family: Family): string {
  let key = ''
  for (const use of rule.matches) if (use.name !== 'comment') key += `${remember(use, () => useInWords(use, family))} `
  const { target } = rule
  return target ? key + remember(target, () => targetInWords(target, family)) : key
}

const wordsOf = new WeakMap<object, string>()

/** Equal uses are one object, so that most are written once. */
function remember(use: object, write: () => string): string {
  const known = wordsOf.get(use)
  if (known !== undefined) return known
  const words = write()
  wordsOf.set(use, words)
  return words
}
