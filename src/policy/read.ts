/** A policy's text -> its tree. Never throws: a sentence that is broken is reported and left out. */

import { EOF } from 'chevrotain'
import type { IRecognitionException, IToken } from 'chevrotain'
import { parseKnownSentence } from '../../grammar/known-sentences.ts'
import { expectedAt } from '../../grammar/policy-parser.ts'
import { eachSentence, eachSentenceButRules } from '../../grammar/policy-sentences.ts'
import { KEYWORDS, LineEnd, OpenQuote } from '../../grammar/policy-tokens.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import { textOf } from '../diagnostics/source-file.ts'
import type { SourceFile, Span } from '../diagnostics/source-file.ts'
import { didYouMean } from '../extensions/did-you-mean.ts'
import type { CommentNode, PolicyFile, StatementNode } from './ast.ts'
import { buildStatement } from './build-ast.ts'
import { readList, readRule } from './read-rule.ts'
import { spanOfToken } from './tree.ts'

/** What was read, and everything there is to say about the text. */
export interface ReadPolicy {
  readonly value: PolicyFile
  readonly diagnostics: readonly Diagnostic[]
}

/** Rules that are not read yet: whole lines of `source.text[start, end)`. A long policy is mostly rules, and their trees need not all be there at once. */
export interface DeferredRules {
  readonly kind: 'deferred'
  readonly start: number
  readonly end: number
}

/** Reads one policy file; what it includes is not looked at. */
export function readPolicy(source: SourceFile): ReadPolicy {
  const diagnostics: Diagnostic[] = []
  const statements: StatementNode[] = []
  let partial = false
  const { comments, problems } = eachSentence(source.text, sentence => {
    const statement = readSentence(source, sentence, diagnostics)
    if (statement.value) statements.push(statement.value)
    partial ||= statement.isPartial
  })
  for (const { offset, length } of problems) diagnostics.push(unknownCharacters({ source, start: offset, end: offset + length }))
  partial ||= problems.length > 0
  const value: PolicyFile = {
    kind: 'policy', source, statements, comments: comments.map(token => commentOf(source, token)), partial, span: { source, start: 0, end: source.text.length },
  }
  return { value, diagnostics }
}

/** What was read of a text whose rules wait. */
export interface ReadOutline {
  readonly statements: readonly (StatementNode | DeferredRules)[]
  readonly partial: boolean
  readonly diagnostics: readonly Diagnostic[]
}

/** Reads all of a policy file but the rules that have lines of their own. */
export function readOutline(source: SourceFile): ReadOutline {
  const diagnostics: Diagnostic[] = []
  const statements: (StatementNode | DeferredRules)[] = []
  let partial = false
  const visit = (sentence: IToken[]): void => {
    const statement = readSentence(source, sentence, diagnostics)
    if (statement.value) statements.push(statement.value)
    partial ||= statement.isPartial
  }
  const { problems } = eachSentenceButRules(source.text, visit, (start, end) => statements.push({ kind: 'deferred', start, end }))
  for (const { offset, length } of problems) diagnostics.push(unknownCharacters({ source, start: offset, end: offset + length }))
  return { statements, partial: partial || problems.length > 0, diagnostics }
}

/** Calls `visit` with each of the rules that waited; a broken one is reported and left out. */
export function readDeferred(source: SourceFile, { start, end }: DeferredRules, diagnostics: Diagnostic[], visit: (rule: StatementNode) => void): void {
  eachSentence(source.text, sentence => {
    const { value, isPartial } = readSentence(source, sentence, diagnostics)
    if (value && !isPartial) visit(value)
  }, start, end)
}

function readSentence(source: SourceFile, sentence: IToken[], diagnostics: Diagnostic[]): { readonly value: StatementNode | undefined; readonly isPartial: boolean } {
  const whole = readRule(source, sentence) ?? readList(source, sentence)
  if (whole) return { value: whole, isPartial: false }
  const { tree, errors } = parseKnownSentence(sentence)
  const value = buildStatement(source, tree)
  if (errors.length > 0) diagnostics.push(...firstOfEachLine(errors, sentence, source))
  return { value, isPartial: errors.length > 0 || !value }
}

function unknownCharacters(span: Span): Diagnostic {
  const what = span.end - span.start === 1 ? 'is a character' : 'are characters'
  return { code: 'policy-syntax', severity: 'error', message: `\`${textOf(span)}\` ${what} that the language does not use`, span, related: [], help: 'put text in double quotes; a comment begins with `#`' }
}

function commentOf(source: SourceFile, token: IToken): CommentNode {
  const span = spanOfToken(source, token)
  const lineStart = source.text.lastIndexOf('\n', span.start - 1) + 1
  return { kind: 'comment', text: token.image.trimEnd(), ownLine: source.text.slice(lineStart, span.start).trim() === '', span: { ...span, end: span.start + token.image.trimEnd().length } }
}

/** What follows the first error of a line is mostly its consequence. */
function firstOfEachLine(errors: readonly IRecognitionException[], sentence: readonly IToken[], source: SourceFile): readonly Diagnostic[] {
  const seen = new Set<number>()
  const found: Diagnostic[] = []
  for (const error of errors) {
    const span = placeOf(error, sentence, source)
    const line = source.text.lastIndexOf('\n', span.start - 1)
    if (seen.has(line)) continue
    seen.add(line)
    found.push(syntaxError(error, span))
  }
  return found
}

/** At the end of a line the place is right behind its last token. */
function placeOf({ token, previousToken }: IRecognitionException & { readonly previousToken?: IToken }, sentence: readonly IToken[], source: SourceFile): Span {
  if (token.tokenType !== EOF && token.tokenType !== LineEnd) return spanOfToken(source, token)
  const last = previousToken ?? sentence[sentence.length - 1]
  const end = last ? spanOfToken(source, last).end : 0
  return { source, start: end, end }
}

function syntaxError(error: IRecognitionException, span: Span): Diagnostic {
  const { token } = error
  if (token.tokenType === OpenQuote) {
    const quote = token.image[0] ?? '"'
    return { code: 'open-quote', severity: 'error', message: `${quote === '"' ? 'a quote' : 'a backtick'} is not closed on its line`, span, related: [], help: `close it with ${quote === '"' ? '`"`' : 'a backtick'}` }
  }
  const expected = expectedAt(error).flatMap(one => (one === '`}`' && BODIES[error.context.ruleStack.at(-1) ?? ''] || [one]))
  const isEnd = token.tokenType === EOF || token.tokenType === LineEnd
  const found = isEnd ? 'the line ends' : `\`${token.image}\` stands`
  const help = isEnd ? undefined : helpFor(token, expected)
  return { code: 'policy-syntax', severity: 'error', message: `${found} where ${listOf(expected)} could`, span, related: [], ...(help === undefined ? {} : { help }) }
}

/** What else can stand before a closing brace. */
const BODIES: Readonly<Record<string, readonly string[]>> = { block: ['a rule', '`}`'], test: ['`expect`', '`never`', '`}`'] }

/** How other languages call what this one has. */
const SYNONYMS: Readonly<Record<string, string>> = {
  accept: 'allow', permit: 'allow', pass: 'allow', drop: 'deny', block: 'deny', refuse: 'reject', policy: 'default', interface: 'zone', set: 'let', dnat: 'publish', forward: 'publish', nat: 'masquerade',
}

function helpFor(token: IToken, expected: readonly string[]): string | undefined {
  const word = token.image
  if (word === '}' && !expected.includes('`}`')) return 'there is no `{` that it would close'
  const synonym = Object.hasOwn(SYNONYMS, word) ? SYNONYMS[word] : undefined
  if (synonym !== undefined && expected.some(one => one === `\`${synonym}\`` || one === 'a rule' || one === '`include`')) return `say \`${synonym}\``
  const isKeyword = KEYWORDS.some(keyword => keyword === word)
  if (expected.includes('a name') && isKeyword) return `\`${word}\` is a word of the language and cannot be a name`
  if (!/^[A-Za-z]/.test(word)) return undefined
  // At the end of a sentence any clause may follow: the parser does not tell which.
  const candidates = expected.flatMap(one => (one.startsWith('`') ? [one.slice(1, -1)] : one === 'the end of the line' || one === 'a rule' ? KEYWORDS : []))
  return isKeyword ? undefined : didYouMean(word, candidates)
}

function listOf(expected: readonly string[]): string {
  const names = expected.length > MOST ? [...expected.slice(0, MOST), '...'] : expected
  return names.length < 2 ? (names[0] ?? 'something else') : `${names.slice(0, -1).join(', ')} or ${names[names.length - 1] ?? ''}`
}

const MOST = 8
