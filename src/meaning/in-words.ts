/** A predicate in plain English: the packets it speaks of. Derived from fields and values; only what headers cannot decide keeps its words. */

import { fieldRow } from './fields.ts'
import { isEveryValue, plainForm } from './plain-form.ts'
import type { Term } from './plain-form.ts'
import type { Predicate } from './predicate.ts'
import { conditionInWords } from './condition-in-words.ts'
import type { Phrase, Place } from './condition-in-words.ts'
import { listInWords, valuesInWords } from './values-in-words.ts'

/**
 * Returns the packets of which a predicate holds, such as `new tcp connections to port 22 that arrive on eth0`; `all packets`
 * and `no packet` where nothing or everything is asked.
 */
export function packetsInWords(predicate: Predicate): string {
  const term = plainForm(predicate)
  if (term.kind === 'any' && term.of.length === 0) return 'no packet'
  const phrases = term.kind === 'all' ? phrasesOf(term.of) : [phraseOf(term)]
  return phrases.length === 0 ? 'all packets' : compose(phrases)
}

/** Returns a predicate as what follows "packets that": `arrive on eth0 and come from 10.0.0.0/8`. */
export function inWords(predicate: Predicate): string {
  const term = plainForm(predicate)
  if ((term.kind === 'all' || term.kind === 'any') && term.of.length === 0) return term.kind === 'all' ? 'are any' : 'never exist'
  return phraseOf(term).clause
}

function phraseOf(term: Term): Phrase {
  if (term.kind !== 'all' && term.kind !== 'any') return conditionInWords(term)
  const either = term.kind === 'any' ? eitherPort(term.of) : undefined
  if (either) return either
  const isNested = term.of.some(part => part.kind === 'all' || part.kind === 'any')
  const clauses = (term.kind === 'all' ? phrasesOf(term.of) : term.of.map(phraseOf)).map(({ clause }) => clause)
  const clause = isNested ? `${term.kind === 'any' ? 'either' : 'both'} ${clauses.join(term.kind === 'any' ? ', or ' : ', and ')}` : listInWords(clauses, term.kind === 'any' ? 'or' : 'and')
  return { place: 'that', words: clause, clause }
}

/** Terms that all hold: to have a field, and not with certain values, is to have it with others. */
function phrasesOf(terms: readonly Term[]): readonly Phrase[] {
  const had = new Map(terms.flatMap(term => (term.kind === 'values' && !term.negated && term.of.every(isEveryValue) ? [[term.field, term] as const] : [])))
  const others = terms.flatMap(term => (term.kind === 'values' && term.negated && had.has(term.field) ? [term] : []))
  const [only] = others
  if (only === undefined || others.length > 1) return terms.map(phraseOf)
  const words = `a ${fieldRow(only.field).words} other than ${valuesInWords(only.of, 'or')}`
  return [...terms.filter(term => term !== only && term !== had.get(only.field)).map(phraseOf), { place: 'with', words, clause: `have ${words}` }]
}

/** "from or to port 53". */
function eitherPort(of: readonly Term[]): Phrase | undefined {
  const [left, right, ...more] = of
  if (!left || !right || more.length > 0 || left.kind !== 'values' || right.kind !== 'values' || left.negated || right.negated) return undefined
  const [source, destination] = [conditionInWords(left), conditionInWords(right)]
  if (source.place !== 'source' || destination.place !== 'destination' || source.words !== destination.words) return undefined
  return { place: 'with', words: `source or destination ${source.words}`, clause: `come from or go to ${source.words}` }
}

/** What has a place of its own goes there; a second piece for one place becomes a clause. */
function compose(phrases: readonly Phrase[]): string {
  const taken = new Map<Place, string>()
  const clauses: string[] = []
  const before: string[] = []
  const having: string[] = []
  const given: string[] = []
  const except: string[] = []
  for (const { place, words, clause } of phrases) {
    if (place === 'before') before.push(words)
    else if (place === 'with') having.push(words)
    else if (place === 'if') given.push(words)
    else if (place === 'unless') except.push(words)
    else if (place === 'that' || taken.has(place)) clauses.push(clause)
    else taken.set(place, words)
  }
  const state = taken.get('state')
  return [
    ...(state === undefined ? [] : [state]), ...before, state === 'new' ? 'connections' : 'packets',
    ...phraseWith('of', taken.get('of')),
    ...phraseWith('from', endpoint(taken.get('from'), taken.get('source'))),
    ...phraseWith('to', endpoint(taken.get('to'), taken.get('destination'))),
    ...phraseWith('with', having.length > 0 ? withComma(having, clauses.length > 0) : undefined),
    ...phraseWith('that', clauses.length > 0 ? joinClauses(clauses) : undefined),
  ].join(' ') + condition('if', given, 'and') + condition('unless', except, 'or')
}

function condition(word: 'if' | 'unless', sentences: readonly string[], conjunction: 'and' | 'or'): string {
  return sentences.length === 0 ? '' : `, ${word} ${listInWords(sentences, conjunction)}`
}

/** A comma within needs one behind it, where the sentence goes on. */
function withComma(having: readonly string[], goesOn: boolean): string {
  const words = listInWords(having, 'and')
  return goesOn && words.includes(',') ? `${words},` : words
}

/** What packets do comes before what they do not; clauses that are lists themselves are kept apart by commas. */
function joinClauses(given: readonly string[]): string {
  const clauses = [...given.filter(clause => !isDenial(clause)), ...given.filter(isDenial)]
  const isList = clauses.some(clause => / (and|or) (come|go|arrive|leave|have|are|do|belong|match)\b/.test(clause))
  return clauses.length > 1 && isList ? clauses.join(', and that ') : listInWords(clauses, 'and')
}

function isDenial(clause: string): boolean {
  return /^(do|are|belong to|have) (not?)\b/.test(clause)
}

/** "10.0.0.1 port 80", but "port 80 of any host but 10.0.0.1": a port behind an exception would be excepted too. */
function endpoint(address: string | undefined, port: string | undefined): string | undefined {
  if (address === undefined || port === undefined) return address ?? port
  const isPlain = /^ports? /.test(port) && !/ (or|and|that|but|under) |^an? /.test(address)
  return isPlain ? `${address} ${port}` : `${port} of ${address.replace(/^anywhere but/, 'any host but')}`
}

function phraseWith(preposition: string, words: string | undefined): string[] {
  return words === undefined ? [] : [`${preposition} ${words}`]
}
