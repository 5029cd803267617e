/** Tests -> assertions with all names looked up. */

import { familyOf } from '../net/address.ts'
import type { Address, Family } from '../net/address.ts'
import { PROTOCOL } from '../net/protocol.ts'
import type { AssertNode, FlowNode, OutcomeNode, TestNode } from './ast.ts'
import type { Complain } from './complain.ts'
import { complainUnknown } from './names.ts'
import type { Names } from './names.ts'
import { readPortNode, readServicesApart } from './read-services.ts'
import { resolveWay } from './resolve-ends.ts'
import { resolveTarget } from './resolve-nat.ts'
import { serviceLists } from './resolve-rules.ts'
import type { Assertion, Flow, Outcome, Traffic } from './resolved.ts'

/** Returns the assertions of a test; those in which something is wrong are reported and left out. */
export function resolveTest(test: TestNode, names: Names, complain: Complain): readonly Assertion[] {
  if (test.asserts.length === 0) complain('empty-match', test.name.span, `the test "${test.name.text}" asserts nothing`, 'write `expect ...` or `never ...` between its braces', { severity: 'warning' })
  return test.asserts.flatMap(node => resolveAssert(node, test.name.text, names, complain) ?? [])
}

function resolveAssert(node: AssertNode, test: string, names: Names, complain: Complain): Assertion | undefined {
  const flow = resolveFlow(node.flow, names, complain)
  const outcome: Outcome | undefined = node.outcome ? resolveOutcome(node.outcome, names, complain) : { kind: 'refused' }
  if (!flow || !outcome) return undefined
  const families = flow.families.filter(family => familiesOf(outcome).includes(family))
  return { test, flow: { ...flow, families }, outcome, span: node.span }
}

function familiesOf(outcome: Outcome): readonly Family[] {
  if (outcome.kind === 'reaches') return [familyOf(outcome.address)]
  return outcome.source === undefined || outcome.source === 'fw' ? ['ipv4', 'ipv6'] : [familyOf(outcome.source)]
}

function resolveFlow(node: FlowNode, names: Names, complain: Complain): Flow | undefined {
  const from = resolveWay(node.from, node.span, names, complain)
  const to = resolveWay(node.to, node.span, names, complain)
  const services = node.services ? readServicesApart(node.services, serviceLists(names), complain) : undefined
  const port = node.dialled && readPortNode(node.dialled, undefined, complain)
  if (!from || !to || (node.services && !services) || (node.dialled && port === undefined)) return undefined
  const traffic = port === undefined ? services?.traffic : dial(services?.traffic ?? [TCP], port)
  return { families: ['ipv4', 'ipv6'], from, to, established: node.established, ...(traffic ? { traffic } : {}), ...(services && services.published.length > 0 ? { published: services.published } : {}) }
}

const TCP: Traffic = { families: ['ipv4', 'ipv6'], protocol: PROTOCOL.tcp, published: false, comesRelated: false, onLink: false }

function dial(traffic: readonly Traffic[], port: number): readonly Traffic[] {
  return traffic.map(one => (one.messages ? one : { ...one, ports: [{ low: port, high: port }] }))
}

function outcomeOf(kind: 'accepted' | 'dropped' | 'rejected', source: { readonly source?: Address | 'fw' }): Outcome {
  return { kind, ...source }
}

function resolveOutcome(node: OutcomeNode, names: Names, complain: Complain): Outcome | undefined {
  const as: Address | 'fw' | undefined = node.as && (node.as.address.text === 'fw' ? 'fw' : resolveTarget(node.as, names, complain)?.address)
  if (node.as && as === undefined) return undefined
  const source = as === undefined ? {} : { source: as }
  if (node.kind === 'reaches') {
    const target = resolveTarget(node.target, names, complain)
    return target && { kind: 'reaches', ...target, ...source }
  }
  if (node.kind === 'leaves') {
    const zone = names.zones.get(node.zone.text)
    if (!zone) complainUnknown(node.zone, 'zone', [...names.zones.keys()], complain)
    return zone && { kind: 'leaves', zone, ...source }
  }
  if (as !== undefined && node.kind !== 'accepted') {
    complain('misplaced-clause', node.as?.span ?? node.span, `what is ${node.kind} has no source any more`, '`as` stands after `accepted`, `reaches` and `leaves`')
    return undefined
  }
  return outcomeOf(node.kind, source)
}
