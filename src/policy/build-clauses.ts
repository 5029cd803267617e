/** Trees of the parser -> nodes: services, ends, clauses and all else that several sentences share. */

import type { CstNode, IToken } from 'chevrotain'
import type { SourceFile, Span } from '../diagnostics/source-file.ts'
import type { AddressNode, ClauseNode, EndNode, EndsNode, ItemNode, LimitNode, LogNode, MaxNode, PortNode, ServiceNode, ServicesNode, TargetNode, UntilNode, WayNode, Word } from './ast.ts'
import { nodeIn, nodeOf, nodesOf, nthTokenIn, numberOf, spanOfNode, spanOfToken, tokenIn, tokenOf, wordOf } from './tree.ts'

/** Returns the elements of a list. */
export function buildItems(source: SourceFile, node: CstNode): readonly ItemNode[] {
  return nodesOf(node, 'item').map(item => {
    const address = nodeOf(item, 'addresses')
    return address ? buildAddress(source, address) : buildService(source, nodeIn(item, 'service'))
  })
}

/** Returns services. */
export function buildServices(source: SourceFile, node: CstNode): ServicesNode {
  const included = nodesOf(node, 'service').map(one => buildService(source, one))
  const excepted = nodesOf(node, 'excepted')
  return { kind: 'services', included, excluded: excepted.length === 0 ? NOTHING : excepted.map(one => buildService(source, one)), span: spanOfList(source, node, included, excepted) }
}

const NOTHING: readonly never[] = []

/** A list of one has the span of its element: a long policy has many. */
function spanOfList(source: SourceFile, node: CstNode, included: readonly { readonly span: Span }[], excepted: readonly CstNode[]): Span {
  const only = included[0]
  return only && included.length === 1 && excepted.length === 0 ? only.span : spanOfNode(source, node)
}

/** Returns the clauses of a rule or block, in the order of the text. */
export function buildClauses(source: SourceFile, node: CstNode): readonly ClauseNode[] {
  const clauses: ClauseNode[] = []
  for (const clause of nodesOf(node, 'firstClause')) clauses.push(buildFirstClause(source, clause))
  for (const clause of nodesOf(node, 'clause')) {
    const log = nodeOf(clause, 'log')
    clauses.push(log ? buildLog(source, log) : buildFirstClause(source, nodeIn(clause, 'firstClause')))
  }
  return clauses
}

/** Returns `from ends` or `to ends`. */
export function buildWay(source: SourceFile, node: CstNode, kind: 'from' | 'to'): WayNode {
  return { kind, ends: buildEnds(source, nodeIn(node, 'ends')), span: spanOfNode(source, node) }
}

/** Returns ends. */
export function buildEnds(source: SourceFile, node: CstNode): EndsNode {
  const included = nodesOf(node, 'end').map(end => buildEnd(source, end))
  const excepted = nodesOf(node, 'excepted')
  return { kind: 'ends', included, excluded: excepted.length === 0 ? NOTHING : excepted.map(end => buildEnd(source, end)), span: spanOfList(source, node, included, excepted) }
}

/** Returns `log ...`. */
export function buildLog(source: SourceFile, node: CstNode): LogNode {
  const prefix = tokenOf(node, 'Text')
  const limit = nodeOf(node, 'limit')
  return {
    kind: 'log',
    ...(prefix ? { prefix: wordOf(source, prefix) } : {}),
    ...(limit ? { limit: buildLimit(source, limit) } : {}),
    span: spanOfNode(source, node),
  }
}

/** Returns an address with its port. */
export function buildTarget(source: SourceFile, node: CstNode): TargetNode {
  const address = tokenOf(node, 'Name') ?? tokenIn(node, 'Address')
  const port = nodeOf(node, 'port')
  return { kind: 'target', address: wordOf(source, address), ...(port ? { port: buildPort(source, port) } : {}), span: spanOfNode(source, node) }
}

/** Returns a port. */
export function buildPort(source: SourceFile, node: CstNode): PortNode {
  return wordOf(source, tokenOf(node, 'Whole') ?? tokenIn(node, 'Name'))
}

/** Returns the reason at the end of a sentence, as a part of its node. */
export function reasonOf(source: SourceFile, node: CstNode): { readonly reason?: Word } {
  const token = tokenOf(node, 'Text')
  return token ? { reason: wordOf(source, token) } : {}
}

function buildAddress(source: SourceFile, node: CstNode): AddressNode {
  const low = wordOf(source, tokenIn(node, 'Address'))
  if (tokenOf(node, 'Dash') === undefined) return { kind: 'address', low, span: low.span }
  return { kind: 'address', low, high: wordOf(source, nthTokenIn(node, 'Address', 1)), span: spanOfNode(source, node) }
}

function buildService(source: SourceFile, node: CstNode): ServiceNode {
  const low = nodeOf(node, 'low')
  const high = nodeOf(node, 'high')
  const published = tokenOf(node, 'Word_published') !== undefined
  const name = wordOf(source, tokenIn(node, 'Name'))
  return {
    kind: 'service',
    published,
    name,
    ...(low ? { low: buildPort(source, low) } : {}),
    ...(high ? { high: buildPort(source, high) } : {}),
    span: low || published ? spanOfNode(source, node) : name.span,
  }
}

function buildEnd(source: SourceFile, node: CstNode): EndNode {
  const word = tokenOf(node, 'Name') ?? tokenOf(node, 'Word_any') ?? tokenOf(node, 'Word_fw')
  const where = tokenOf(node, 'where')
  const what = word ? wordOf(source, word) : buildAddress(source, nodeIn(node, 'addresses'))
  return where ? { kind: 'end', what, where: wordOf(source, where), span: spanOfNode(source, node) } : { kind: 'end', what, span: what.span }
}

function buildFirstClause(source: SourceFile, node: CstNode): ClauseNode {
  const from = nodeOf(node, 'from')
  if (from) return buildWay(source, from, 'from')
  const to = nodeOf(node, 'to')
  if (to) return buildWay(source, to, 'to')
  const { limit, max, until } = { limit: nodeOf(node, 'limit'), max: nodeOf(node, 'max'), until: nodeOf(node, 'until') }
  if (limit) return buildLimit(source, limit)
  if (max) return buildMax(source, max)
  if (until) return buildUntil(source, until)
  const ipv4 = tokenOf(node, 'Word_ipv4')
  const family: IToken = ipv4 ?? tokenIn(node, 'Word_ipv6')
  return { kind: 'family', family: ipv4 ? 'ipv4' : 'ipv6', span: spanOfToken(source, family) }
}

function buildLimit(source: SourceFile, node: CstNode): LimitNode {
  const per = tokenOf(node, 'Word_source') ?? tokenOf(node, 'Word_destination') ?? tokenOf(node, 'Word_flow')
  const burst = tokenOf(node, 'size')
  return {
    kind: 'limit',
    count: numberOf(source, tokenIn(node, 'Whole')),
    unit: wordOf(source, tokenIn(node, 'Name')),
    ...(per ? { per: wordOf(source, per) } : {}),
    ...(burst ? { burst: numberOf(source, burst) } : {}),
    span: spanOfNode(source, node),
  }
}

function buildMax(source: SourceFile, node: CstNode): MaxNode {
  return { kind: 'max', count: numberOf(source, tokenIn(node, 'Whole')), perSource: tokenOf(node, 'Word_source') !== undefined, span: spanOfNode(source, node) }
}

function buildUntil(source: SourceFile, node: CstNode): UntilNode {
  return { kind: 'until', day: wordOf(source, tokenIn(node, 'Day')), span: spanOfNode(source, node) }
}
