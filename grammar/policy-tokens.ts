/**
 * The token types of the policy language, and its lexer. A line feed ends a sentence; after a comma it does not, so that long lists may
 * run over several lines.
 */

import { createToken, Lexer } from 'chevrotain'
import type { ILexingError, IToken, TokenType } from 'chevrotain'

/** Words that mean something wherever they stand, and so cannot be names. */
export const KEYWORDS = [
  'include', 'let', 'zone', 'default', 'option', 'allow', 'deny', 'reject', 'log', 'untracked', 'publish', 'masquerade', 'snat', 'redirect', 'raw',
  'test', 'expect', 'never', 'from', 'to', 'in', 'at', 'on', 'out', 'owned', 'as', 'any', 'fw', 'except', 'published', 'limit', 'max', 'per', 'burst', 'until',
  'ipv4', 'ipv6', 'established', 'accepted', 'dropped', 'rejected', 'reaches', 'leaves',
] as const

/** A keyword. */
export type Keyword = (typeof KEYWORDS)[number]

/** Words that mean something in one place only: elsewhere they may be names. */
export const PLACED_WORDS = ['by', 'drop', 'first', 'last', 'port', 'connections', 'source', 'destination', 'flow'] as const

/** A word of one place. */
export type PlacedWord = (typeof PLACED_WORDS)[number]

/** A name: of a zone, list, service, device, table, chain or option. The words of one place are names too. */
export const Name = createToken({ name: 'Name', pattern: /[A-Za-z_][A-Za-z0-9_.]*(?:-[A-Za-z0-9_.]+)*\+?/ })

/** An IPv4 or IPv6 address, with its prefix length or mask where it has one. What only looks like one is told later. */
export const Address = createToken({ name: 'Address', label: 'an address', pattern: /(?:[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*|[0-9]+(?:\.[0-9]+)+)(?:\/[0-9.]+)?/ })

/** A day, such as 2026-12-31. */
export const Day = createToken({ name: 'Day', label: 'a date', pattern: /[0-9]{4}-[0-9]{2}-[0-9]{2}/ })

/** A whole number. */
export const Whole = createToken({ name: 'Whole', label: 'a number', pattern: /[0-9]+/ })

/** Text in double quotes; a backslash takes the next character as it is. */
export const Text = createToken({ name: 'Text', label: 'text in quotes', pattern: /"(?:[^"\\\n]|\\[^\n])*"/ })

/** A rule in iptables' own words, in backticks. */
export const Backticks = createToken({ name: 'Backticks', label: 'a rule in backticks', pattern: /`[^`\n]*`/ })

/** A quote or backtick that nothing closes on its line. */
export const OpenQuote = createToken({ name: 'OpenQuote', label: 'an open quote', pattern: /["`][^\n]*/ })

/** From `#` to the end of the line. */
export const Comment = createToken({ name: 'Comment', pattern: /#[^\n]*/, group: 'comments' })

/** The end of a line. */
export const LineEnd = createToken({ name: 'LineEnd', label: 'the end of the line', pattern: /\r?\n/ })

const Blank = createToken({ name: 'Blank', pattern: /[ \t\r\f\v\u00a0]+/, group: Lexer.SKIPPED })

/** The signs. */
export const SIGNS = {
  equals: createToken({ name: 'Equals', label: '`=`', pattern: '=' }),
  comma: createToken({ name: 'Comma', label: '`,`', pattern: ',' }),
  colon: createToken({ name: 'Colon', label: '`:`', pattern: ':' }),
  slash: createToken({ name: 'Slash', label: '`/`', pattern: '/' }),
  dash: createToken({ name: 'Dash', label: '`-`', pattern: '-' }),
  open: createToken({ name: 'Open', label: '`{`', pattern: '{' }),
  close: createToken({ name: 'Close', label: '`}`', pattern: '}' }),
  openBracket: createToken({ name: 'OpenBracket', label: '`[`', pattern: '[' }),
  closeBracket: createToken({ name: 'CloseBracket', label: '`]`', pattern: ']' }),
} as const

/** The token types of the keywords. */
export const WORD: Readonly<Record<Keyword, TokenType>> = wordTokens(KEYWORDS, {})

/** The token types of the words of one place; each is a `Name` too. */
export const PLACED: Readonly<Record<PlacedWord, TokenType>> = wordTokens(PLACED_WORDS, { categories: Name })

/** All token types in the order in which they are tried. */
export const TOKENS: readonly TokenType[] = [
  Blank, LineEnd, Comment, Text, Backticks, OpenQuote, Address, Day, Whole, ...wordsByLength(), Name, ...Object.values(SIGNS),
]

/** A word that begins another one must be tried after it. */
function wordsByLength(): readonly TokenType[] {
  return [...Object.values(WORD), ...Object.values(PLACED)].sort((one, other) => other.name.length - one.name.length)
}

/** Returns a lexer of all tokens; it throws where they are validated and one can never be met. */
export function makeLexer(validations: 'made' | 'skipped'): Lexer {
  return new Lexer([...TOKENS], { positionTracking: 'onlyOffset', ensureOptimizations: true, skipValidations: validations === 'skipped' })
}

const lexer = makeLexer('skipped')

/** What a part of a text is made of; offsets are those of the whole text. `problems` are characters that begin no token: they are left out. */
export interface PolicyWords {
  readonly tokens: readonly IToken[]
  readonly comments: readonly IToken[]
  readonly problems: readonly ILexingError[]
}

/** Splits `text[start, end)`, whole lines, into tokens. Never throws. */
export function splitPolicy(text: string, start = 0, end = text.length): PolicyWords {
  const { tokens, groups, errors } = lexer.tokenize(text.slice(start, end))
  const comments = groups['comments'] ?? []
  for (const token of tokens) place(token, start)
  for (const token of comments) place(token, start)
  return { tokens, comments, problems: errors.map(error => ({ ...error, offset: error.offset + start })) }
}

function place(token: IToken, start: number): void {
  token.startOffset += start
  token.endOffset = token.startOffset + token.image.length - 1
}

function wordTokens<W extends string>(words: readonly W[], more: { readonly categories?: TokenType }): Readonly<Record<W, TokenType>> {
  const entries = words.map(word => [word, createToken({ name: `Word_${word}`, label: `\`${word}\``, pattern: word, longer_alt: Name, ...more })] as const)
  return Object.fromEntries(entries) as Record<W, TokenType>
}
