/** Where the sentences of a policy begin and end: a line each, or all lines of a pair of braces. */

import type { ILexingError, IToken, TokenType } from 'chevrotain'
import { LineEnd, SIGNS, splitPolicy, WORD } from './policy-tokens.ts'

/** What cannot stand in braces: where a line begins with it, the brace before was forgotten. */
const OUTERMOST: ReadonlySet<TokenType> = new Set([WORD.include, WORD.let, WORD.zone, WORD.default, WORD.option, WORD.publish, WORD.masquerade, WORD.snat, WORD.redirect, WORD.raw, WORD.test])

/** Characters that are split at once: the tokens of a long text would fill the memory if they all lived until the end. */
const PART = 1 << 15

const VERBS: ReadonlySet<TokenType> = new Set([WORD.allow, WORD.deny, WORD.reject, WORD.log, WORD.untracked])

/** Tells whether a sentence is a rule: it begins with a verb. */
export function isRule([first]: readonly IToken[]): boolean {
  return first !== undefined && VERBS.has(first.tokenType)
}

/** What stands between and beside the sentences. */
export interface Remainder {
  readonly comments: readonly IToken[]
  readonly problems: readonly ILexingError[]
}

/** Calls `visit` with the tokens of each sentence of `text[from, to)`, whole lines, the line end after it left out. A line end after a comma ends nothing. */
export function eachSentence(text: string, visit: (sentence: IToken[]) => void, from = 0, to = text.length): Remainder {
  const comments: IToken[] = []
  const problems: ILexingError[] = []
  const gathering: Gathering = { tokens: [], depth: 0 }
  for (let start = from; start < to; ) {
    const newline = start + PART >= to ? -1 : text.indexOf('\n', start + PART)
    const end = newline === -1 || newline >= to ? to : newline + 1
    const part = splitPolicy(text, start, end)
    for (const token of part.tokens) gather(gathering, token, visit)
    for (const comment of part.comments) comments.push(comment)
    problems.push(...part.problems)
    start = end
  }
  if (gathering.tokens.length > 0) visit(withoutLastLineEnd(gathering.tokens))
  return { comments, problems }
}

/** A sentence of which more may come. */
interface Gathering {
  tokens: IToken[]
  depth: number
}

function gather(gathering: Gathering, token: IToken, visit: (sentence: IToken[]) => void): void {
  const { tokens } = gathering
  const before = tokens[tokens.length - 1]?.tokenType
  const type = token.tokenType
  if (type === LineEnd) {
    if (before === undefined || before === LineEnd || before === SIGNS.comma) return
    if (gathering.depth === 0) return end(gathering, visit)
  } else if (before === LineEnd && OUTERMOST.has(type)) end(gathering, visit)
  if (type === SIGNS.open) gathering.depth++
  else if (type === SIGNS.close && gathering.depth > 0) gathering.depth--
  gathering.tokens.push(token)
}

function end(gathering: Gathering, visit: (sentence: IToken[]) => void): void {
  visit(withoutLastLineEnd(gathering.tokens))
  gathering.tokens = []
  gathering.depth = 0
}

function withoutLastLineEnd(tokens: IToken[]): IToken[] {
  if (tokens[tokens.length - 1]?.tokenType === LineEnd) tokens.pop()
  return tokens
}
