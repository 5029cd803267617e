/** Rules -> sentences with all names looked up. */

import { textOf } from '../diagnostics/source-file.ts'
import type { BlockNode, ClauseNode, RuleNode, ServicesNode } from './ast.ts'
import type { Complain } from './complain.ts'
import type { Names } from './names.ts'
import { readServices } from './read-services.ts'
import type { ServiceList } from './read-services.ts'
import { resolveLimit, resolveLog, resolveMaximum, resolveUntil } from './resolve-clauses.ts'
import { resolveWay } from './resolve-ends.ts'
import type { Origin, RuleSentence, Traffic } from './resolved.ts'
import type { Family } from '../net/address.ts'

const BOTH: readonly Family[] = ['ipv4', 'ipv6']
const NO_CLAUSES: readonly ClauseNode[] = []

/** Returns the sentences of a block: its clauses hold for each of its rules. */
export function resolveBlock(block: BlockNode, names: Names, origin: (node: RuleNode) => Origin, complain: Complain): readonly RuleSentence[] {
  return block.rules.flatMap(rule => resolveRule(rule, block.clauses, names, origin(rule), complain) ?? [])
}

/** Returns a rule's sentence, undefined where something in it is wrong. */
export function resolveRule(rule: RuleNode, shared: readonly ClauseNode[] = NO_CLAUSES, names: Names, origin: Origin, complain: Complain): RuleSentence | undefined {
  const clauses = shared.length === 0 ? rule.clauses : [...shared, ...rule.clauses]
  const by = byKind(clauses, complain)
  const from = resolveWay(by.from, rule.verbSpan, names, complain)
  const to = resolveWay(by.to, rule.verbSpan, names, complain)
  const traffic = rule.services ? resolveServices(rule.services, names, complain) : undefined
  const limit = by.limit && resolveLimit(by.limit, complain)
  const max = by.max && resolveMaximum(by.max, complain)
  const log = by.log && resolveLog(by.log, complain)
  const until = by.until && resolveUntil(by.until, complain)
  const isBroken = !from || !to || (rule.services && !traffic) || (by.limit && !limit) || (by.max && !max) || (by.log && !log) || (by.until && until === undefined)
  if (isBroken || !checkClauses(rule, by, complain)) return undefined
  return {
    kind: 'rule', verb: rule.verb, families: by.family ? [by.family.family] : BOTH, from, to, origin,
    ...(traffic ? { traffic } : {}), ...(limit ? { limit } : {}), ...(max ? { max } : {}), ...(log ? { log } : {}), ...(until === undefined ? {} : { until }),
  }
}

/** Returns the traffic of services, undefined where one is wrong. */
export function resolveServices(node: ServicesNode, names: Names, complain: Complain): readonly Traffic[] | undefined {
  const only = node.included[0]
  // What has a port of its own hardly repeats.
  if (only?.low && node.included.length === 1) return readServices(node, serviceLists(names), complain)
  const text = textOf(node.span)
  const traffic = names.known.traffic.get(text) ?? readServices(node, serviceLists(names), complain)
  if (traffic && names.known.traffic.size < MOST_KNOWN) names.known.traffic.set(text, traffic)
  return traffic
}

const MOST_KNOWN = 10_000

/** Returns how lists of services are looked up. */
export function serviceLists(names: Names): ServiceList {
  return name => {
    const list = names.list(name)
    return list?.kind === 'services' ? list.services : list?.kind === 'broken' ? [] : undefined
  }
}

type ByKind = { readonly [K in ClauseNode['kind']]?: Extract<ClauseNode, { kind: K }> }

function byKind(clauses: readonly ClauseNode[], complain: Complain): ByKind {
  const by: Record<string, ClauseNode> = {}
  for (const clause of clauses) {
    const earlier = by[clause.kind]
    if (earlier) complain('duplicate-clause', clause.span, `the sentence has \`${WORDS[clause.kind]}\` twice`, 'one list names them all, separated by commas', { related: [{ span: earlier.span, message: 'it has it here already' }] })
    else by[clause.kind] = clause
  }
  return by as ByKind
}

const WORDS: Readonly<Record<ClauseNode['kind'], string>> = { from: 'from', to: 'to', limit: 'limit', max: 'max', log: 'log', until: 'until', family: 'ipv4 or ipv6' }

/** Refuses clauses that would not mean what they seem to. */
function checkClauses(rule: RuleNode, by: ByKind, complain: Complain): boolean {
  const limiting = by.limit ?? by.max
  if (limiting && (rule.verb === 'deny' || rule.verb === 'reject')) {
    complain('misplaced-clause', limiting.span, `\`${rule.verb}\` cannot have a limit`, 'say what is allowed: `allow ... limit ...`; what is above it is not allowed')
    return false
  }
  if (rule.verb === 'untracked' && (limiting ?? by.log)) {
    complain('misplaced-clause', (limiting ?? by.log ?? rule).span, '`untracked` can have neither limit nor log', 'without connections every packet of it would count')
    return false
  }
  if (rule.verb === 'log' && by.log) {
    complain('misplaced-clause', by.log.span, 'the sentence logs already', 'a prefix and a limit may follow the verb: `log ... limit 10/min`')
    return false
  }
  return true
}
