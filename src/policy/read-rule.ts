/**
 * The tokens of a rule or list -> its node, without a tree of the parser between: a long policy is mostly rules, and its lists are long. What is
 * not whole is left to the parser, which alone knows what to say about it.
 */

import type { IToken, TokenType } from 'chevrotain'
import { Address, Day, Name, PLACED, SIGNS, Text, Whole, WORD } from '../../grammar/policy-tokens.ts'
import type { SourceFile, Span } from '../diagnostics/source-file.ts'
import type { AddressNode, ClauseNode, EndNode, EndsNode, ItemNode, LetNode, LimitNode, LogNode, MaxNode, PortNode, RuleNode, ServiceNode, ServicesNode, UntilNode, Verb, WayNode, Word } from './ast.ts'
import { numberOf, spanOfToken, wordOf } from './tree.ts'

/** The tokens of a sentence, and which of them comes next. */
interface Cursor {
  readonly source: SourceFile
  readonly tokens: readonly IToken[]
  next: number
}

const VERBS: ReadonlyMap<TokenType | undefined, Verb> = new Map([[WORD.allow, 'allow'], [WORD.deny, 'deny'], [WORD.reject, 'reject'], [WORD.log, 'log'], [WORD.untracked, 'untracked']])
const NAMES: ReadonlySet<TokenType | undefined> = new Set([Name, ...Object.values(PLACED)])
const NOTHING: readonly never[] = []

/** Returns the node of a rule; undefined where the tokens are none, or more than one. */
export function readRule(source: SourceFile, tokens: readonly IToken[]): RuleNode | undefined {
  const [first] = tokens
  const verb = VERBS.get(first?.tokenType)
  if (!first || verb === undefined) return undefined
  const cursor: Cursor = { source, tokens, next: 1 }
  const hasServices = isName(cursor) || isNext(cursor, WORD.published)
  const services = hasServices ? takeServices(cursor) : undefined
  const clauses = takeClauses(cursor)
  if ((hasServices && !services) || !clauses) return undefined
  const reason = take(cursor, Text)
  if (cursor.next < tokens.length) return undefined
  return {
    kind: 'rule', verb, verbSpan: spanOfToken(source, first), ...(services ? { services } : {}), clauses, ...(reason ? { reason: wordOf(source, reason) } : {}),
    span: spanFrom(cursor, first.startOffset),
  }
}

/** Returns the node of `let NAME = ...`; undefined where the tokens are none, or more than one. */
export function readList(source: SourceFile, tokens: readonly IToken[]): LetNode | undefined {
  const cursor: Cursor = { source, tokens, next: 0 }
  const start = startOfNext(cursor)
  const name = take(cursor, WORD.let) && takeName(cursor)
  const items = name && take(cursor, SIGNS.equals) && takeList(cursor, takeItem)
  return items && cursor.next === tokens.length ? { kind: 'let', name, items, span: spanFrom(cursor, start) } : undefined
}

function takeItem(cursor: Cursor): ItemNode | undefined {
  return isNext(cursor, Address) ? takeAddress(cursor) : takeService(cursor)
}

function takeServices(cursor: Cursor): ServicesNode | undefined {
  const start = startOfNext(cursor)
  const included = takeList(cursor, takeService)
  const excluded = take(cursor, WORD.except) ? takeList(cursor, takeService) : NOTHING
  return included && excluded && { kind: 'services', included, excluded, span: spanOfList(cursor, start, included, excluded) }
}

function takeEnds(cursor: Cursor): EndsNode | undefined {
  const start = startOfNext(cursor)
  const included = takeList(cursor, takeEnd)
  const excluded = take(cursor, WORD.except) ? takeList(cursor, takeEnd) : NOTHING
  return included && excluded && { kind: 'ends', included, excluded, span: spanOfList(cursor, start, included, excluded) }
}

function takeList<T>(cursor: Cursor, takeOne: (cursor: Cursor) => T | undefined): readonly T[] | undefined {
  const list: T[] = []
  do {
    const one = takeOne(cursor)
    if (one === undefined) return undefined
    list.push(one)
  } while (take(cursor, SIGNS.comma))
  return list
}

/** A list of one has the span of its element. */
function spanOfList(cursor: Cursor, start: number, included: readonly { readonly span: Span }[], excluded: readonly unknown[]): Span {
  const only = included[0]
  return only && included.length === 1 && excluded.length === 0 ? only.span : spanFrom(cursor, start)
}

function takeService(cursor: Cursor): ServiceNode | undefined {
  const start = startOfNext(cursor)
  const published = take(cursor, WORD.published) !== undefined
  const name = takeName(cursor)
  if (!name) return undefined
  if (!take(cursor, SIGNS.slash)) return { kind: 'service', published, name, span: published ? spanFrom(cursor, start) : name.span }
  const low = takePort(cursor)
  if (!low) return undefined
  if (!take(cursor, SIGNS.dash)) return { kind: 'service', published, name, low, span: spanFrom(cursor, start) }
  const high = takePort(cursor)
  return high && { kind: 'service', published, name, low, high, span: spanFrom(cursor, start) }
}

function takePort(cursor: Cursor): PortNode | undefined {
  return takeWord(cursor, Whole) ?? takeName(cursor)
}

function takeEnd(cursor: Cursor): EndNode | undefined {
  const start = startOfNext(cursor)
  const what = isNext(cursor, Address) ? takeAddress(cursor) : (takeName(cursor) ?? takeWord(cursor, WORD.any) ?? takeWord(cursor, WORD.fw))
  if (!what) return undefined
  if (!take(cursor, WORD.in)) return { kind: 'end', what, span: what.span }
  const where = takeName(cursor) ?? takeWord(cursor, WORD.fw)
  return where && { kind: 'end', what, where, span: spanFrom(cursor, start) }
}

function takeAddress(cursor: Cursor): AddressNode | undefined {
  const low = takeWord(cursor, Address)
  if (!low) return undefined
  if (!take(cursor, SIGNS.dash)) return { kind: 'address', low, span: low.span }
  const high = takeWord(cursor, Address)
  return high && { kind: 'address', low, high, span: spanFrom(cursor, low.span.start) }
}

function takeClauses(cursor: Cursor): readonly ClauseNode[] | undefined {
  const clauses: ClauseNode[] = []
  while (cursor.next < cursor.tokens.length && !isNext(cursor, Text)) {
    const clause = takeClause(cursor)
    if (!clause) return undefined
    clauses.push(clause)
  }
  return clauses
}

function takeClause(cursor: Cursor): ClauseNode | undefined {
  const first = cursor.tokens[cursor.next]
  cursor.next++
  switch (first?.tokenType) {
    case WORD.from:
      return takeWay(cursor, 'from', first.startOffset)
    case WORD.to:
      return takeWay(cursor, 'to', first.startOffset)
    case WORD.limit:
      return takeLimit(cursor, first.startOffset)
    case WORD.max:
      return takeMax(cursor, first.startOffset)
    case WORD.until:
      return takeUntil(cursor, first.startOffset)
    case WORD.log:
      return takeLog(cursor, first.startOffset)
    case WORD.ipv4:
      return { kind: 'family', family: 'ipv4', span: spanOfToken(cursor.source, first) }
    case WORD.ipv6:
      return { kind: 'family', family: 'ipv6', span: spanOfToken(cursor.source, first) }
    default:
      return undefined
  }
}

function takeWay(cursor: Cursor, kind: 'from' | 'to', start: number): WayNode | undefined {
  const ends = takeEnds(cursor)
  return ends && { kind, ends, span: spanFrom(cursor, start) }
}

function takeLimit(cursor: Cursor, start: number): LimitNode | undefined {
  const count = take(cursor, Whole)
  const unit = take(cursor, SIGNS.slash) && takeName(cursor)
  const hasPer = take(cursor, WORD.per) !== undefined
  const per = hasPer ? (takeWord(cursor, PLACED.source) ?? takeWord(cursor, PLACED.destination) ?? takeWord(cursor, PLACED.flow)) : undefined
  const hasBurst = take(cursor, WORD.burst) !== undefined
  const burst = hasBurst ? take(cursor, Whole) : undefined
  if (!count || !unit || (hasPer && !per) || (hasBurst && !burst)) return undefined
  const { source } = cursor
  return { kind: 'limit', count: numberOf(source, count), unit, ...(per ? { per } : {}), ...(burst ? { burst: numberOf(source, burst) } : {}), span: spanFrom(cursor, start) }
}

function takeMax(cursor: Cursor, start: number): MaxNode | undefined {
  const count = take(cursor, Whole)
  const connections = take(cursor, PLACED.connections)
  const hasPer = take(cursor, WORD.per) !== undefined
  const perSource = hasPer && take(cursor, PLACED.source) !== undefined
  if (!count || !connections || hasPer !== perSource) return undefined
  return { kind: 'max', count: numberOf(cursor.source, count), perSource, span: spanFrom(cursor, start) }
}

function takeUntil(cursor: Cursor, start: number): UntilNode | undefined {
  const day = takeWord(cursor, Day)
  return day && { kind: 'until', day, span: spanFrom(cursor, start) }
}

function takeLog(cursor: Cursor, start: number): LogNode | undefined {
  const prefix = takeWord(cursor, Text)
  const limitStart = startOfNext(cursor)
  const hasLimit = take(cursor, WORD.limit) !== undefined
  const limit = hasLimit ? takeLimit(cursor, limitStart) : undefined
  if (hasLimit && !limit) return undefined
  return { kind: 'log', ...(prefix ? { prefix } : {}), ...(limit ? { limit } : {}), span: spanFrom(cursor, start) }
}

function takeName(cursor: Cursor): Word | undefined {
  const token = isName(cursor) ? cursor.tokens[cursor.next++] : undefined
  return token && wordOf(cursor.source, token)
}

function takeWord(cursor: Cursor, type: TokenType): Word | undefined {
  const token = take(cursor, type)
  return token && wordOf(cursor.source, token)
}

function take(cursor: Cursor, type: TokenType): IToken | undefined {
  return isNext(cursor, type) ? cursor.tokens[cursor.next++] : undefined
}

function isNext({ tokens, next }: Cursor, type: TokenType): boolean {
  return tokens[next]?.tokenType === type
}

function isName({ tokens, next }: Cursor): boolean {
  return NAMES.has(tokens[next]?.tokenType)
}

function startOfNext({ tokens, next }: Cursor): number {
  return tokens[next]?.startOffset ?? 0
}

/** Returns the place from an offset to the end of the token that was taken last. */
function spanFrom({ source, tokens, next }: Cursor, start: number): Span {
  const last = tokens[next - 1]
  return { source, start, end: last ? last.startOffset + last.image.length : start }
}
