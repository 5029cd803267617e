/** Where the sentences of a policy begin and end: a line each, or all lines of a pair of braces. */

import type { ILexingError, IToken, TokenType } from 'chevrotain'
import { LineEnd, SIGNS, splitPolicy, WORD } from './policy-tokens.ts'

/** What cannot stand in braces: where a line begins with it, the brace before was forgotten. */
const OUTERMOST: ReadonlySet<TokenType> = new Set([WORD.include, WORD.let, WORD.zone, WORD.default, WORD.option, WORD.publish, WORD.masquerade, WORD.snat, WORD.redirect, WORD.raw, WORD.test])

/** Characters that are split at once: the tokens of a long text would fill the memory if they all lived until the end. */
const PART = 1 << 15

/** What stands between and beside the sentences. */
export interface Remainder {
  readonly comments: readonly IToken[]
  readonly problems: readonly ILexingError[]
}

/** Calls `visit` with the tokens of each sentence of `text[from, to)`, whole lines, the line end after it left out. A line end after a comma ends nothing. */
export function eachSentence(text: string, visit: (sentence: IToken[]) => void, from = 0, to = text.length): Remainder {
  const gathering = startGathering()
  for (let start = from; start < to; ) {
    const newline = start + PART >= to ? -1 : text.indexOf('\n', start + PART)
    const end = newline === -1 || newline >= to ? to : newline + 1
    gatherPart(gathering, text, start, end, visit)
    start = end
  }
  return finish(gathering, visit)
}

/** The same, but lines that hold a rule each are not looked into: `skip` is called with where a run of them stands. Problems are of the other lines. */
export function eachSentenceButRules(text: string, visit: (sentence: IToken[]) => void, skip: (start: number, end: number) => void): Remainder {
  const gathering = startGathering()
  for (let start = 0; start < text.length; ) {
    const rulesEnd = gathering.tokens.length === 0 ? endOfRules(text, start) : start
    if (rulesEnd > start) {
      skip(start, rulesEnd)
      start = rulesEnd
      continue
    }
    let end = endOfLine(text, start)
    // Lists often follow each other. A rule may stand in a sentence that goes on.
    while (end < text.length && end - start < PART && text.startsWith('let ', end)) end = endOfLine(text, end)
    gatherPart(gathering, text, start, end, visit)
    start = end
  }
  return finish(gathering, visit)
}

/** A line that is a rule and goes on nowhere, or is blank, or only a comment; all characters are of the language. */
const RULE_LINE = /[ \t]*(?:(?:allow|deny|reject|log|untracked)(?![A-Za-z0-9_.+-])(?:[A-Za-z0-9_.+:/ \t-]|"(?:[^"\\\r\n]|\\[^\r\n])*"|,(?![ \t]*(?:\r?\n|#|$)))*)?(?:#[^\n]*)?(?:\r?\n|$)/y

function endOfRules(text: string, start: number): number {
  let end = start
  for (RULE_LINE.lastIndex = start; end < text.length && RULE_LINE.test(text); ) end = RULE_LINE.lastIndex
  return end
}

function endOfLine(text: string, start: number): number {
  const newline = text.indexOf('\n', start)
  return newline === -1 ? text.length : newline + 1
}

/** A sentence of which more may come, and what stood between those before. */
interface Gathering {
  tokens: IToken[]
  depth: number
  readonly comments: IToken[]
  readonly problems: ILexingError[]
}

function startGathering(): Gathering {
  return { tokens: [], depth: 0, comments: [], problems: [] }
}

function gatherPart(gathering: Gathering, text: string, start: number, end: number, visit: (sentence: IToken[]) => void): void {
  const part = splitPolicy(text, start, end)
  for (const token of part.tokens) gather(gathering, token, visit)
  for (const comment of part.comments) gathering.comments.push(comment)
  for (const problem of part.problems) gathering.problems.push(problem)
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

function finish({ tokens, comments, problems }: Gathering, visit: (sentence: IToken[]) => void): Remainder {
  if (tokens.length > 0) visit(withoutLastLineEnd(tokens))
  return { comments, problems }
}

function withoutLastLineEnd(tokens: IToken[]): IToken[] {
  if (tokens[tokens.length - 1]?.tokenType === LineEnd) tokens.pop()
  return tokens
}
