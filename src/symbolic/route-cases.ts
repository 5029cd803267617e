/** A namespace's routing as predicates: which packets find which route. The mirror of fib.ts, one answer for each set of packets. */

import { all, always, masked, not, onDevice } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import type { Family, Prefix } from '../net/address.ts'
import { familyOf } from '../net/address.ts'
import { lookupRoute } from '../topology/fib.ts'
import type { Fib, RouteDecision } from '../topology/fib.ts'
import type { RouteRule } from '../topology/topology.ts'
import { casesOfAddress, inCase } from './address-cases.ts'

/** Packets that find a route. The first case that holds is the one. */
export interface RouteCase {
  readonly when: Predicate
  readonly decision: RouteDecision
}

/** What a lookup goes by. */
export interface RouteQuestion {
  /** `back`: the route to the sender. */
  readonly towards: 'destination' | 'back'
  /** Absent: the packet's mark does not count. */
  readonly usesMark: boolean
  readonly usesTos: boolean
  /** `packet`: where the packet came in; `none`: as for what the host sends itself. */
  readonly inDevice: 'packet' | 'none'
  /** The source counts in `from` rules. */
  readonly usesSource: boolean
}

/** Returns the cases in order; together they are every packet. */
export function routeCases(fib: Fib, family: Family, question: RouteQuestion): readonly RouteCase[] {
  const cases = fib.rules[family].flatMap(rule => casesOfRule(fib, family, rule, question))
  return [...cases, { when: always, decision: { kind: 'none', destination: family === 'ipv4' ? 0 : 0n } }]
}

function casesOfRule(fib: Fib, family: Family, rule: RouteRule, question: RouteQuestion): readonly RouteCase[] {
  const condition = conditionOf(rule, question)
  const destination = family === 'ipv4' ? 0 : 0n
  if (rule.action !== 'lookup') return [{ when: condition, decision: { kind: rule.action, destination } }]
  const routes = (fib.tables.get(rule.table) ?? []).filter(({ prefix }) => familyOf(prefix.address) === family)
  if (routes.length === 0) return []
  const plain: RouteRule = { priority: 0, action: 'lookup', table: rule.table, inverted: false }
  const alone: Fib = { ...fib, rules: { ipv4: [plain], ipv6: [plain] }, known: undefined }
  const services = question.usesTos ? [...new Set(routes.flatMap(({ tos }) => (tos ? [tos] : [])))] : []
  const field = question.towards === 'destination' ? 'ip.dst' : 'ip.src'
  return [...services, 0].flatMap(tos => {
    const prefixes: readonly Prefix[] = routes.map(({ prefix }) => prefix)
    const cases = casesOfAddress(family, prefixes, address => lookupRoute(alone, { destination: address, mark: 0, tos }), keyOfDecision)
    const service = tos === 0 ? always : masked('ip.tos', 0xfc, tos)
    return cases.flatMap(found => (found.answer.kind === 'none' ? [] : [{ when: all([condition, service, inCase(field, found)]), decision: found.answer }]))
  })
}

function conditionOf(rule: RouteRule, question: RouteQuestion): Predicate {
  const [source, destination] = question.towards === 'destination' ? (['ip.src', 'ip.dst'] as const) : (['ip.dst', 'ip.src'] as const)
  const condition = all([
    rule.from ? (question.usesSource ? masked(source, rule.from.mask, rule.from.address) : not(always)) : always,
    rule.to ? masked(destination, rule.to.mask, rule.to.address) : always,
    rule.inDevice === undefined ? always : question.inDevice === 'packet' ? onDevice('device.in', { name: rule.inDevice, prefix: false }) : rule.inDevice === 'lo' ? always : not(always),
    rule.outDevice === undefined ? always : not(always),
    rule.mark ? (question.usesMark ? masked('mark', rule.mark.mask, (rule.mark.value & rule.mark.mask) >>> 0) : (rule.mark.value & rule.mark.mask) === 0 ? always : not(always)) : always,
    rule.tos === undefined ? always : question.usesTos ? masked('ip.tos', 0xfc, rule.tos) : rule.tos === 0 ? always : not(always),
  ])
  return rule.inverted ? not(condition) : condition
}

function keyOfDecision({ kind, device, gateway, realm }: RouteDecision): string {
  return `${kind} ${device ?? ''} ${gateway ?? ''} ${realm ?? ''}`
}
