/** Where the words of an option, match or target stand in a rule's line: found again on demand. */

import { splitWords } from '../../grammar/save-words.ts'
import type { WordSpan } from '../../grammar/save-words.ts'
import type { Span } from '../diagnostics/source-file.ts'
import type { Rule } from '../ir/ruleset.ts'
import type { ExtensionDefinition } from './extension.ts'

/** Returns the words from the first that `isFirst` accepts to `extra` words behind it; the whole rule where there is none. */
export function placeOfWords(rule: Rule, isFirst: (word: string, before: string) => boolean, extra = 0): Span {
  const { source, start, end } = rule.span
  const words: string[] = []
  const spans: WordSpan[] = []
  splitWords(source.text, start, end, words, spans)
  const at = words.findIndex((word, index) => isFirst(word, words[index - 1] ?? ''))
  const first = spans[at]
  const last = spans[Math.min(at + extra, spans.length - 1)]
  return first && last ? { source, start: first.start, end: last.end } : rule.span
}

/** Returns the place of `-m NAME`; where the protocol brought the match along, the whole rule. */
export function placeOfMatch(rule: Rule, definition: ExtensionDefinition | undefined, name: string): Span {
  const names = [name, ...(definition?.kind === 'match' ? (definition.aliases ?? []) : [])]
  return placeOfWords(rule, (word, before) => names.includes(word) && /^(-m|--match)$/.test(before))
}

/** Returns the place of the name after `-j` or `-g`. */
export function placeOfTarget(rule: Rule): Span {
  return placeOfWords(rule, (_word, before) => /^(-j|--jump|-g|--goto)$/.test(before))
}

/** Returns the place of an option with its words. */
export function placeOfOption(rule: Rule, definition: ExtensionDefinition, option: string): Span {
  const row = definition.options[option]
  const names = [`--${option}`, ...(row?.aliases ?? []), ...Object.keys(row?.spellings ?? {}).map(name => `--${name}`)]
  return placeOfWords(rule, word => names.includes(word), row?.type.words ?? 0)
}
