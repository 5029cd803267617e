/** Trees of the parser -> sentences. A sentence that lacks a part is undefined: the parser has said what is wrong with it. */

import type { CstNode } from 'chevrotain'
import type { SourceFile } from '../diagnostics/source-file.ts'
import type { AssertNode, BlockNode, DefaultNode, FlowNode, OutcomeNode, PublishNode, RawNode, RedirectNode, RuleNode, SnatNode, StatementNode, TestNode, Verb, WayNode, ZoneNode } from './ast.ts'
import type { Family } from '../net/address.ts'
import { buildClauses, buildEnds, buildItems, buildLog, buildPort, buildServices, buildTarget, buildWay, reasonOf } from './build-clauses.ts'
import { MissingPart, nodeIn, nodeOf, nodesOf, nthTokenIn, spanOfNode, spanOfToken, tokenIn, tokenOf, wordOf } from './tree.ts'

/** Returns the sentence of a tree, undefined where it is broken. */
export function buildStatement(source: SourceFile, tree: CstNode): StatementNode | undefined {
  return unbroken(() => {
    for (const [name, build] of BUILDERS) {
      const node = nodeOf(tree, name)
      if (node) return build(source, node)
    }
    return undefined
  })
}

type Build = (source: SourceFile, node: CstNode) => StatementNode

const BUILDERS: readonly (readonly [string, Build])[] = [
  ['rule', buildRule],
  ['let', (source, node) => ({ kind: 'let', name: wordOf(source, tokenIn(node, 'Name')), items: buildItems(source, nodeIn(node, 'items')), span: spanOfNode(source, node) })],
  ['zone', buildZone],
  ['publish', buildPublish],
  ['block', buildBlock],
  ['include', (source, node) => ({ kind: 'include', path: wordOf(source, tokenIn(node, 'Text')), span: spanOfNode(source, node) })],
  ['default', buildDefault],
  ['setting', (source, node) => ({ kind: 'option', name: wordOf(source, tokenIn(node, 'Name')), value: wordOf(source, tokenOf(node, 'Text') ?? tokenOf(node, 'Whole') ?? nthTokenIn(node, 'Name', 1)), span: spanOfNode(source, node) })],
  ['masquerade', (source, node) => ({ kind: 'masquerade', ends: buildEnds(source, nodeIn(node, 'ends')), out: wordOf(source, tokenIn(node, 'Name')), ...familyOf(node), ...reasonOf(source, node), span: spanOfNode(source, node) })],
  ['snat', buildSnat],
  ['redirect', buildRedirect],
  ['raw', buildRaw],
  ['test', buildTest],
]

/** Returns what `build` makes, undefined where a part is missing. */
function unbroken<T>(build: () => T): T | undefined {
  try {
    return build()
  } catch (thrown) {
    if (thrown instanceof MissingPart) return undefined
    throw thrown
  }
}

function buildRule(source: SourceFile, node: CstNode): RuleNode {
  const verb = VERBS.find(one => tokenOf(node, `Word_${one}`)) ?? 'allow'
  const services = nodeOf(node, 'services')
  return {
    kind: 'rule',
    verb,
    verbSpan: spanOfToken(source, tokenIn(node, `Word_${verb}`)),
    ...(services ? { services: buildServices(source, services) } : {}),
    clauses: buildClauses(source, node),
    ...reasonOf(source, node),
    span: spanOfNode(source, node),
  }
}

const VERBS: readonly Verb[] = ['allow', 'deny', 'reject', 'log', 'untracked']

function buildBlock(source: SourceFile, node: CstNode): BlockNode {
  return { kind: 'block', clauses: buildClauses(source, node), rules: wholeOnes(nodesOf(node, 'rule'), rule => buildRule(source, rule)), span: spanOfNode(source, node) }
}

/** Builds what can be built: a broken line of a block costs no other. */
function wholeOnes<T>(nodes: readonly CstNode[], build: (node: CstNode) => T): readonly T[] {
  return nodes.flatMap(node => unbroken(() => build(node)) ?? [])
}

function buildZone(source: SourceFile, node: CstNode): ZoneNode {
  const at = nodeOf(node, 'items')
  const isOwned = tokenOf(node, 'Word_owned') !== undefined
  return {
    kind: 'zone',
    name: wordOf(source, tokenIn(node, 'Name')),
    devices: nodesOf(node, 'device').map(device => wordOf(source, tokenOf(device, 'Name') ?? tokenIn(device, 'Text'))),
    at: at ? buildItems(source, at) : [],
    ...(isOwned ? { owner: wordOf(source, nthTokenIn(node, 'Name', 1)) } : {}),
    span: spanOfNode(source, node),
  }
}

function buildDefault(source: SourceFile, node: CstNode): DefaultNode {
  const log = nodeOf(node, 'log')
  return { kind: 'default', verdict: tokenOf(node, 'Word_reject') ? 'reject' : 'drop', ...(log ? { log: buildLog(source, log) } : {}), span: spanOfNode(source, node) }
}

function buildPublish(source: SourceFile, node: CstNode): PublishNode {
  return {
    kind: 'publish',
    services: buildServices(source, nodeIn(node, 'services')),
    on: buildItems(source, nodeIn(node, 'items')),
    to: buildTarget(source, nodeIn(node, 'target')),
    ...fromOf(source, node),
    ...familyOf(node),
    ...reasonOf(source, node),
    span: spanOfNode(source, node),
  }
}

function fromOf(source: SourceFile, node: CstNode): { readonly from?: WayNode } {
  const from = nodeOf(node, 'from')
  return from ? { from: buildWay(source, from, 'from') } : {}
}

function familyOf(node: CstNode): { readonly family?: Family } {
  const family = nodeOf(node, 'family')
  return family ? { family: tokenOf(family, 'Word_ipv4') ? 'ipv4' : 'ipv6' } : {}
}

function buildSnat(source: SourceFile, node: CstNode): SnatNode {
  return {
    kind: 'snat', ends: buildEnds(source, nodeIn(node, 'ends')), out: wordOf(source, tokenIn(node, 'Name')), to: buildTarget(source, nodeIn(node, 'target')),
    ...familyOf(node), ...reasonOf(source, node), span: spanOfNode(source, node),
  }
}

function buildRedirect(source: SourceFile, node: CstNode): RedirectNode {
  return {
    kind: 'redirect', services: buildServices(source, nodeIn(node, 'services')), ...fromOf(source, node), port: buildPort(source, nodeIn(node, 'port')),
    ...familyOf(node), ...reasonOf(source, node), span: spanOfNode(source, node),
  }
}

function buildRaw(source: SourceFile, node: CstNode): RawNode {
  return {
    kind: 'raw',
    ...familyOf(node),
    table: wordOf(source, tokenIn(node, 'table')),
    chain: wordOf(source, tokenIn(node, 'chain')),
    place: tokenOf(node, 'Word_first') ? 'first' : 'last',
    rule: wordOf(source, tokenIn(node, 'Backticks')),
    span: spanOfNode(source, node),
  }
}

function buildTest(source: SourceFile, node: CstNode): TestNode {
  return { kind: 'test', name: wordOf(source, tokenIn(node, 'Text')), asserts: wholeOnes(nodesOf(node, 'assert'), one => buildAssert(source, one)), span: spanOfNode(source, node) }
}

function buildAssert(source: SourceFile, node: CstNode): AssertNode {
  const isNever = tokenOf(node, 'Word_never') !== undefined
  return { kind: 'assert', flow: buildFlow(source, nodeIn(node, 'flow')), ...(isNever ? {} : { outcome: buildOutcome(source, nodeIn(node, 'outcome')) }), span: spanOfNode(source, node) }
}

function buildFlow(source: SourceFile, node: CstNode): FlowNode {
  const services = nodeOf(node, 'services')
  const from = nodeOf(node, 'from')
  const towards = nodeOf(node, 'towards')
  const port = towards && nodeOf(towards, 'port')
  return {
    kind: 'flow',
    ...(services ? { services: buildServices(source, services) } : {}),
    ...(from ? { from: buildWay(source, from, 'from') } : {}),
    ...(towards ? { to: buildWay(source, towards, 'to') } : {}),
    ...(port ? { dialled: buildPort(source, port) } : {}),
    established: tokenOf(node, 'Word_established') !== undefined,
    span: spanOfNode(source, node),
  }
}

function buildOutcome(source: SourceFile, node: CstNode): OutcomeNode {
  const fw = tokenOf(node, 'Word_fw')
  const other = nodeOf(node, 'source')
  const common = {
    span: spanOfNode(source, node),
    ...(fw ? { as: { kind: 'target' as const, address: wordOf(source, fw), span: spanOfToken(source, fw) } } : other ? { as: buildTarget(source, other) } : {}),
  }
  if (tokenOf(node, 'Word_reaches')) return { kind: 'reaches', target: buildTarget(source, nodeIn(node, 'target')), ...common }
  if (tokenOf(node, 'Word_leaves')) return { kind: 'leaves', zone: wordOf(source, tokenIn(node, 'Name')), ...common }
  return { kind: OUTCOMES.find(one => tokenOf(node, `Word_${one}`)) ?? 'accepted', ...common }
}

const OUTCOMES = ['accepted', 'dropped', 'rejected'] as const
