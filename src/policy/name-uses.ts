/** Where the names of a policy file are defined and used: zones and lists, for editors. */

import type { Span } from '../diagnostics/source-file.ts'
import type { AssertNode, ClauseNode, EndsNode, FlowNode, ItemNode, PolicyFile, ServicesNode, StatementNode, TargetNode, Word } from './ast.ts'

/** A place of a name; a use may also be that of a service or an address that no sentence defines. */
export interface NameUse {
  readonly name: string
  readonly span: Span
  readonly isDefinition: boolean
}

/** Returns the places of all names of a file, in no order. */
export function nameUses({ statements }: PolicyFile): readonly NameUse[] {
  return statements.flatMap(usesInStatement)
}

function usesInStatement(node: StatementNode): readonly NameUse[] {
  switch (node.kind) {
    case 'let':
      return [definition(node.name), ...inItems(node.items)]
    case 'zone':
      return [definition(node.name), ...inItems(node.at)]
    case 'rule':
      return [...inServices(node.services), ...node.clauses.flatMap(inClause)]
    case 'block':
      return [...node.clauses.flatMap(inClause), ...node.rules.flatMap(usesInStatement)]
    case 'publish':
      return [...inServices(node.services), ...inItems(node.on), ...inTarget(node.to), ...inEnds(node.from?.ends)]
    case 'masquerade':
      return [...inEnds(node.ends), use(node.out)]
    case 'snat':
      return [...inEnds(node.ends), use(node.out), ...inTarget(node.to)]
    case 'redirect':
      return [...inServices(node.services), ...inEnds(node.from?.ends)]
    case 'test':
      return node.asserts.flatMap(inAssert)
    default:
      return []
  }
}

function inAssert({ flow, outcome }: AssertNode): readonly NameUse[] {
  if (!outcome) return inFlow(flow)
  const end = outcome.kind === 'reaches' ? inTarget(outcome.target) : outcome.kind === 'leaves' ? [use(outcome.zone)] : []
  return [...inFlow(flow), ...end, ...inTarget(outcome.as)]
}

function inFlow({ services, from, to }: FlowNode): readonly NameUse[] {
  return [...inServices(services), ...inEnds(from?.ends), ...inEnds(to?.ends)]
}

function inClause(clause: ClauseNode): readonly NameUse[] {
  return clause.kind === 'from' || clause.kind === 'to' ? inEnds(clause.ends) : []
}

function inEnds(ends: EndsNode | undefined): readonly NameUse[] {
  return [...(ends?.included ?? []), ...(ends?.excluded ?? [])].flatMap(({ what, where }) => [...(what.kind === 'word' ? [use(what)] : []), ...(where ? [use(where)] : [])])
}

function inServices(services: ServicesNode | undefined): readonly NameUse[] {
  return inItems([...(services?.included ?? []), ...(services?.excluded ?? [])])
}

/** Before a slash stands a protocol. */
function inItems(items: readonly ItemNode[]): readonly NameUse[] {
  return items.flatMap(item => (item.kind === 'service' && !item.low ? [use(item.name)] : []))
}

function inTarget(target: TargetNode | undefined): readonly NameUse[] {
  return target ? [use(target.address)] : []
}

function use({ text, span }: Word): NameUse {
  return { name: text, span, isDefinition: false }
}

function definition({ text, span }: Word): NameUse {
  return { name: text, span, isDefinition: true }
}
