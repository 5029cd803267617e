/** Rules that say what an earlier rule of their chain says. */

import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import { lineOf } from '../diagnostics/source-file.ts'
import type { Chain, Rule, Ruleset } from '../ir/ruleset.ts'
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
      for (const rule of suspects(chain)) {
        if (!rule.target || rule.matches.some(use => use.words || memoryOf(use, family))) continue
        const key = ruleKey(rule, family)
        const earlier = seen.get(key)
        if (earlier && earlier.span !== rule.span && !mayBeMarkedBetween(chain, earlier, rule)) found.push(duplicate(rule, earlier))
        else seen.set(key, rule)
      }
    }
  }
  return found
}

/** Targets after which a packet has the mark that it had. */
const KEEPS_MARK = new Set(['ACCEPT', 'DROP', 'REJECT', 'RETURN', 'LOG', 'NFLOG'])

/** Tells whether packets may get another mark between two rules that ask for it: then the second asks anew. */
function mayBeMarkedBetween({ rules }: Chain, earlier: Rule, later: Rule): boolean {
  if (!later.matches.some(({ name }) => name === 'mark' || name === 'connmark')) return false
  const placeOf = ({ id }: Rule): number => rules.findIndex(rule => rule.id === id)
  return rules.slice(placeOf(earlier), placeOf(later)).some(({ target }) => target && (!('name' in target) || !KEEPS_MARK.has(target.name)))
}

/** Returns the rules that may stand twice in a chain, in its order: those with equal marks. */
function suspects(chain: Chain): readonly Rule[] {
  const { digest } = chain
  if (digest?.ruleCount === 1) return []
  if (!digest?.marks) return chain.rules
  return repeatedMarks(digest.marks).flatMap(index => digest.ruleAt(index) ?? [])
}

/** So many numbers are compared one by one. */
const FEW = 8

/** Returns the indices of the numbers that stand more than once, by a table of hashes with open addresses. */
function repeatedMarks(marks: readonly number[]): readonly number[] {
  if (marks.length <= FEW) return [...marks.keys()].filter(index => marks.some((mark, other) => mark === marks[index] && other !== index))
  const shift = Math.clz32(marks.length) - 1
  const size = 2 ** (32 - shift)
  // Of the first number with a mark its index and 1; 0 is a free place.
  const table = new Int32Array(size)
  const repeated = new Set<number>()
  for (let index = 0; index < marks.length; index++) {
    const mark = marks[index] ?? 0
    let place = Math.imul(mark, 0x9e3779b1) >>> shift
    for (let first = table[place] ?? 0; first !== 0; first = table[place] ?? 0) {
      if (marks[first - 1] === mark) {
        repeated.add(first - 1).add(index)
        break
      }
      place = (place + 1) & (size - 1)
    }
    if (table[place] === 0) table[place] = index + 1
  }
  return [...repeated].sort((a, b) => a - b)
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
