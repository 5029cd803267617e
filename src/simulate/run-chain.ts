/** Runs a packet through one chain. Source: net/ipv4/netfilter/ip_tables.c ipt_do_table(). */

import { invariant } from '../diagnostics/diagnostic.ts'
import type { Hook, TableName } from '../ir/hooks.ts'
import { failedOption } from '../extensions/meaning-of.ts'
import { evaluate } from '../meaning/evaluate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import { applyEffects } from './apply-effects.ts'
import type { Flight } from './flight.ts'
import { ipsetKey } from './ipsets.ts'
import type { PreparedChain, PreparedMatch, PreparedRule } from './prepare.ts'
import type { ChainPlace, RulePlace } from './trace-events.ts'
import type { EffectVerdict, TableVerdict } from './verdict.ts'

interface Place {
  readonly hook: Hook
  readonly table: TableName
  readonly depth: number
}

/** Runs a built-in chain: where its rules decide nothing, its policy does. */
export function runBuiltInChain(flight: Flight, hook: Hook, table: TableName, prepared: PreparedChain): TableVerdict {
  const verdict = runChain(flight, { hook, table, depth: 0 }, prepared)
  if (verdict) return verdict
  const place: ChainPlace = { hook, table, chain: prepared.chain, depth: 0 }
  const policy = prepared.chain.policy
  flight.record?.({ kind: 'policy', place, policy })
  return { kind: policy === 'DROP' ? 'drop' : 'accept', by: { kind: 'policy', place } }
}

/** Returns undefined where the chain ended or returned without a verdict. */
function runChain(flight: Flight, place: Place, prepared: PreparedChain): TableVerdict | undefined {
  for (const rule of prepared.rules) {
    const match = matchRule(flight, place, prepared, rule)
    if (match === 'no') continue
    const rulePlace = placeOf(place, prepared, rule)
    if (match === 'hotdrop') return { kind: 'drop', by: { kind: 'kernel', reason: 'truncated-header', hook: place.hook } }
    if (rule.jump) {
      const { kind, to } = rule.jump
      flight.record?.({ kind: 'rule', place: rulePlace, result: { kind, chain: to.chain } })
      const inner = { ...place, depth: place.depth + 1 }
      const verdict = runChain(flight, inner, to)
      if (verdict) return verdict
      flight.record?.({ kind: 'return', from: { ...inner, chain: to.chain }, to: { ...place, chain: prepared.chain } })
      if (kind === 'goto') return undefined
      continue
    }
    const verdict = applyEffects(flight, rulePlace, rule.effects)
    if (verdict.kind === 'continue') continue
    if (verdict.kind === 'return') return undefined
    return asTableVerdict(verdict, rulePlace)
  }
  return undefined
}

function asTableVerdict(verdict: EffectVerdict, place: RulePlace): TableVerdict {
  const kind = verdict.kind === 'continue' || verdict.kind === 'return' ? 'accept' : verdict.kind
  return { kind, by: verdict.by ?? { kind: 'rule', place } }
}

function matchRule(flight: Flight, place: Place, prepared: PreparedChain, rule: PreparedRule): 'yes' | 'no' | 'hotdrop' {
  for (const match of rule.matches) {
    if (isHotdrop(flight, match)) return 'hotdrop'
    if (matches(flight, place, prepared, rule, match)) continue
    if (flight.recordsMisses) recordMiss(flight, placeOf(place, prepared, rule), match)
    return 'no'
  }
  return 'yes'
}

function recordMiss(flight: Flight, place: RulePlace, match: PreparedMatch): void {
  const option = failedOption(match.use, flight.packet.family, flight)
  flight.record?.({ kind: 'miss', place, failed: match.use, ...(option === undefined ? {} : { option }) })
}

function matches(flight: Flight, place: Place, prepared: PreparedChain, rule: PreparedRule, match: PreparedMatch): boolean {
  if (match.memory) return stepMemory(flight, match)
  for (;;) {
    const value = evaluate(match.predicate, flight)
    if (value !== undefined) return value
    const free = undecided(match.predicate, flight)
    invariant(free, 'an undecided predicate has a free variable')
    const assumption = { ...free, value: false }
    flight.decisions.set(free.key, false)
    flight.assumed.push(assumption)
    flight.record?.({ kind: 'assumption', place: placeOf(place, prepared, rule), ...assumption })
  }
}

function stepMemory(flight: Flight, match: PreparedMatch): boolean {
  const { memory, use } = match
  if (!memory) return false
  const { memories } = flight.host
  const key = memory.sharedBy?.(use.infos) ?? match
  let state = memories.get(key)
  if (state === undefined) {
    state = memory.start(use.infos)
    memories.set(key, state)
  }
  return memory.step(state, use.infos, flight, flight.world.now)
}

/** Kernel: -m tcp and its kin drop a packet whose header is cut short (legacy; nft does not match). Source: xt_tcpudp.c tcp_mt() `hotdrop`. */
function isHotdrop(flight: Flight, match: PreparedMatch): boolean {
  return flight.packet.malformed === 'truncated' && flight.world.backend === 'legacy' && HOTDROPPING.has(match.use.name)
}

const HOTDROPPING = new Set(['tcp', 'udp', 'sctp', 'dccp', 'multiport', 'icmp', 'icmp6', 'esp', 'ah'])

/** Finds the free variable or set on which the predicate hangs. */
function undecided(predicate: Predicate, flight: Flight): { readonly key: string; readonly words: string } | undefined {
  switch (predicate.kind) {
    case 'opaque':
      return flight.decide(predicate.key) === undefined ? { key: predicate.key, words: predicate.words } : undefined
    case 'ipset': {
      const key = ipsetKey(predicate.name, predicate.directions)
      return evaluate(predicate, flight) === undefined ? { key, words: key } : undefined
    }
    case 'not':
      return undecided(predicate.of, flight)
    case 'all':
    case 'any':
      for (const part of predicate.of) {
        const found = undecided(part, flight)
        if (found) return found
      }
      return undefined
    default:
      return undefined
  }
}

function placeOf(place: Place, prepared: PreparedChain, rule: PreparedRule): RulePlace {
  return { hook: place.hook, table: place.table, chain: prepared.chain, rule: rule.rule, number: rule.number, depth: place.depth }
}
