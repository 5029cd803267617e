/**
 * A policy's text -> the lines that its formatter lays out: one for each sentence, for each line in braces, for the braces, and for each
 * comment with a line of its own. The words of a line stay as they are, in their order: only what is between them changes.
 */

import type { IToken, TokenType } from 'chevrotain'
import { eachSentence } from '../../grammar/policy-sentences.ts'
import { Address, LineEnd, SIGNS, WORD } from '../../grammar/policy-tokens.ts'
import type { SourceFile } from '../diagnostics/source-file.ts'
import type { AssertNode, CommentNode, PolicyFile, RuleNode, StatementNode } from './ast.ts'

/** A line of the formatted text. */
export interface FormatLine {
  /** Lines of one kind that follow each other are aligned. */
  readonly kind: StatementNode['kind'] | 'assert' | 'open' | 'close' | 'comment'
  /** Braces around it. */
  readonly depth: number
  /** Runs of words that stand in columns; an empty one is a column without words. */
  readonly cells: readonly Cell[]
  /** Comments between its words: each follows a comma. */
  readonly inner: CommentNode[]
  /** The comment behind it, of a line `comment` the comment itself. */
  comment?: CommentNode
  readonly start: number
  readonly end: number
}

/** Words of a column, how many blanks stand before it, and how wide they may be to take part in its width. */
export interface Cell {
  readonly gap: number
  readonly widest: number
  readonly tokens: readonly IToken[]
}

/** Returns the lines of a policy that was read without errors, in the order of the text. */
export function splitLines({ source, statements, comments }: PolicyFile): readonly FormatLine[] {
  const rows: FormatLine[] = []
  let index = 0
  eachSentence(source.text, tokens => {
    const statement = statements[index]
    index += 1
    if (statement) rows.push(...linesOf(statement, tokens.filter(({ tokenType }) => tokenType !== LineEnd)))
  })
  return withComments(rows, comments, source)
}

/** Returns tokens as text with the blanks that belong between them. */
export function writeTokens(tokens: readonly IToken[]): string {
  return tokens.map((token, index) => `${isGlued(tokens, index) ? '' : ' '}${token.image}`).join('')
}

function linesOf(statement: StatementNode, tokens: readonly IToken[]): readonly FormatLine[] {
  if (statement.kind !== 'block' && statement.kind !== 'test') return [lineOf(statement.kind, 0, cellsOf(statement, tokens))]
  const lines: readonly (RuleNode | AssertNode)[] = statement.kind === 'block' ? statement.rules : statement.asserts
  const open = tokens.findIndex(({ tokenType }) => tokenType === SIGNS.open)
  return [
    lineOf('open', 0, [cell(tokens.slice(0, open + 1))]),
    ...lines.map(line => lineOf(line.kind, 1, cellsOf(line, tokens.filter(({ startOffset }) => startOffset >= line.span.start && startOffset < line.span.end)))),
    lineOf('close', 0, [cell(tokens.slice(-1))]),
  ]
}

function lineOf(kind: FormatLine['kind'], depth: number, cells: readonly Cell[]): FormatLine {
  const tokens = cells.flatMap(one => one.tokens)
  const last = tokens[tokens.length - 1]
  return { kind, depth, cells, inner: [], start: tokens[0]?.startOffset ?? 0, end: last ? last.startOffset + last.image.length : 0 }
}

function cellsOf(node: StatementNode | AssertNode, tokens: readonly IToken[]): readonly Cell[] {
  switch (node.kind) {
    case 'let':
    case 'option':
      return split(tokens, [[SIGNS.equals, 1]])
    case 'zone':
      return split(tokens, [[SIGNS.equals, 1], [WORD.at, 2], [WORD.owned, 2]])
    case 'publish':
      return withReason(split(tokens, [[WORD.on, 1], [WORD.from, 2]]), node.reason)
    case 'masquerade':
    case 'snat':
      return withReason(split(tokens, [[WORD.out, 1]]), node.reason)
    case 'redirect':
      return withReason([cell(tokens)], node.reason)
    case 'rule':
      return ruleCells(node, tokens)
    case 'assert':
      return [cell(tokens.slice(0, 1)), cell(tokens.slice(1))]
    default:
      return [cell(tokens)]
  }
}

/** The verb, the services, where from and where to, the other clauses, and the reason. */
function ruleCells({ clauses, services, reason }: RuleNode, tokens: readonly IToken[]): readonly Cell[] {
  const first = clauses[0]?.span.start ?? reasonStart(reason)
  const other = clauses.find(({ kind }) => kind !== 'from' && kind !== 'to')?.span.start ?? reasonStart(reason)
  const between = (start: number, end: number): readonly IToken[] => tokens.filter(({ startOffset }) => startOffset >= start && startOffset < end)
  return [
    cell(tokens.slice(0, 1)),
    // One list of many services would push all others far away.
    cell(services ? between(services.span.start, first) : [], 1, 12),
    cell(between(first, other)),
    cell(between(other, reasonStart(reason)), 2),
    cell(between(reasonStart(reason), Infinity), 2),
  ]
}

function withReason(cells: readonly Cell[], reason: RuleNode['reason']): readonly Cell[] {
  const start = reasonStart(reason)
  const reasons = cells.flatMap(({ tokens }) => tokens.filter(({ startOffset }) => startOffset >= start))
  return [...cells.map(one => ({ ...one, tokens: one.tokens.filter(({ startOffset }) => startOffset < start) })), cell(reasons, 2)]
}

function reasonStart(reason: RuleNode['reason']): number {
  return reason?.span.start ?? Infinity
}

/** Begins a column at the first token of each type; a type that is missing leaves its column empty. */
function split(tokens: readonly IToken[], columns: readonly (readonly [TokenType, number])[]): readonly Cell[] {
  const starts = columns.map(([type]) => tokens.findIndex(({ tokenType }) => tokenType === type))
  const endOf = (column: number): number => starts.slice(column).find(start => start !== -1) ?? tokens.length
  return [cell(tokens.slice(0, endOf(0))), ...columns.map(([, gap], index) => cell(starts[index] === -1 ? [] : tokens.slice(starts[index], endOf(index + 1)), gap))]
}

function cell(tokens: readonly IToken[], gap = 1, widest = 28): Cell {
  return { gap, widest, tokens }
}

/** A comment belongs behind the words before it on its line; within a sentence it stays between its words; else it is a line. */
function withComments(rows: readonly FormatLine[], comments: readonly CommentNode[], { text }: SourceFile): readonly FormatLine[] {
  const lines: FormatLine[] = []
  let next = 0
  for (const comment of comments) {
    for (let row = rows[next]; row && row.start < comment.span.start; row = rows[next]) {
      lines.push(row)
      next += 1
    }
    const before = lines[lines.length - 1]
    if (before && comment.span.start < before.end) before.inner.push(comment)
    else if (before && !text.slice(before.end, comment.span.start).includes('\n')) before.comment = comment
    else lines.push({ kind: 'comment', depth: isInBraces(rows[next]) ? 1 : 0, cells: [], inner: [], comment, start: comment.span.start, end: comment.span.end })
  }
  return [...lines, ...rows.slice(next)]
}

function isInBraces(next: FormatLine | undefined): boolean {
  return next !== undefined && (next.depth > 0 || next.kind === 'close')
}

/** Tokens that would become others if they touched are kept apart: `fd00::1 :80`, `tcp/ftp - ssh`. */
function isGlued(tokens: readonly IToken[], index: number): boolean {
  const [token, before] = [tokens[index], tokens[index - 1]]
  if (!token || !before) return true
  const type = token.tokenType
  if (type === SIGNS.comma || type === SIGNS.slash || type === SIGNS.closeBracket) return true
  if (type === SIGNS.colon) return !(before.tokenType === Address && before.image.includes(':'))
  if (type === SIGNS.dash) return !isWord(before)
  if (before.tokenType === SIGNS.dash) return isGlued(tokens, index - 1)
  return before.tokenType === SIGNS.slash || before.tokenType === SIGNS.colon || before.tokenType === SIGNS.openBracket
}

/** A name goes on over a dash. */
function isWord({ tokenType, image }: IToken): boolean {
  return tokenType !== Address && /^[A-Za-z_]/.test(image)
}
