/**
 * Runs sets of packets through the chains of one table: the twin of simulate/run-chain.ts. Every chain is run once, callees first, on all
 * that its jumps may bring; arrivals.ts tells what arrives from which hook. Both are exact.
 */

import type { Hook } from '../ir/hooks.ts'
import type { Chain, Rule, Table, TargetUse } from '../ir/ruleset.ts'
import { effectsOf } from '../extensions/meaning-of.ts'
import type { Effect } from '../meaning/effect.ts'
import type { NumberField } from '../meaning/fields.ts'
import type { PacketSet } from '../packetset/packet-sets.ts'
import type { Rewriting } from '../packetset/rewrite.ts'
import { makeArrivals } from './arrivals.ts'
import type { Arrivals } from './arrivals.ts'
import { chainOrder } from './chain-order.ts'
import type { ChainOrder } from './chain-order.ts'
import { joinFlows, matched, through, unmatched } from './flows.ts'
import type { Flow } from './flows.ts'
import { VISIT } from './rule-sets.ts'
import type { RuleMatch, RuleSets } from './rule-sets.ts'

/** What a rule does to the packets that it matches. */
export type RuleEnd =
  /** The packet goes on to the next rule, rewritten or not. */
  | { readonly kind: 'continue'; readonly rewriting: Rewriting }
  | { readonly kind: 'return' }
  | { readonly kind: 'jump' | 'goto'; readonly to: Chain }
  /** The packet's way through the table ends; `fate` says how: equal where rules do the same. */
  | { readonly kind: 'decide'; readonly fate: string; readonly rewriting: Rewriting; readonly effect: Effect }

/** One chain, run on all that its jumps may bring: `start`. Sets are of packets as they enter the chain. */
export interface ChainRun {
  readonly chain: Chain
  readonly start: PacketSet
  readonly matches: readonly RuleMatch[]
  readonly ends: readonly RuleEnd[]
  /** By the rule's index: what comes to it, one flow for each rewriting. */
  readonly before: readonly (readonly Flow[])[]
  /** What comes to the chain's end or returns: for a built-in chain, what its policy decides. */
  readonly returned: readonly Flow[]
}

/** All chains of a table. */
export interface TableRun {
  readonly table: Table
  readonly ruleSets: RuleSets
  /** Callers before callees. */
  readonly order: readonly Chain[]
  readonly runs: ReadonlyMap<Chain, ChainRun>
  /** The rules that jump to a chain, of chains that jumps reach. */
  readonly calls: ChainOrder['calls']
  /** By hook: what arrives at a chain. To know whether anything does, see analyze/comers.ts. */
  readonly arrivals: ReadonlyMap<Hook, Arrivals>
  /** What came to the table at a hook, where it was said. */
  readonly starts: ReadonlyMap<Hook, PacketSet>
  /** Fields that some rule of the table writes. */
  readonly rewritten: readonly NumberField[]
}

/** Chains with more callers are run on every packet: the union of what their jumps match says little. */
const MANY_CALLERS = 16

/** Runs a table; `starts` says which packets come to it at a hook, every packet where it says nothing. The rules `gone` do nothing, as if they were not there. */
export function runTable(ruleSets: RuleSets, table: Table, starts: ReadonlyMap<Hook, PacketSet>, gone: ReadonlySet<number> = new Set()): TableRun {
  const { order, calls } = chainOrder(table)
  const context: Context = { ruleSets, table, gone, runs: new Map(), rewritten: rewrittenFields(ruleSets, table), ends: new Map(), opened: new Map() }
  const prepared = new Map(order.map(chain => [chain, prepareChain(context, chain)]))
  const begins = new Map<Chain, PacketSet>()
  for (const chain of order) begins.set(chain, chain.hook ? (starts.get(chain.hook) ?? ruleSets.sets.every) : startOf(context, calls.get(chain) ?? [], prepared, begins))
  for (const chain of order.toReversed()) {
    const parts = prepared.get(chain)
    if (parts) context.runs.set(chain, runChain(context, chain, parts, begins.get(chain) ?? ruleSets.sets.every))
  }
  const arrivals = new Map(order.flatMap(chain => (chain.hook ? [[chain.hook, makeArrivals(ruleSets.sets, { order, calls }, context.runs, chain)] as const] : [])))
  return { table, ruleSets, starts, order, runs: context.runs, calls, arrivals, rewritten: context.rewritten }
}

/** Returns the flows that come to a rule at a hook (before its own matches), of packets as they enter the table there. */
export function flowsBefore(run: TableRun, hook: Hook, chain: Chain, index: number): readonly Flow[] {
  const { sets } = run.ruleSets
  const here = run.runs.get(chain)?.before[index] ?? []
  return (run.arrivals.get(hook)?.at(chain) ?? []).flatMap(arrival => here.map(flow => through(sets, arrival, flow)).filter(({ packets }) => packets !== sets.none))
}

/** Returns the flows that a rule matches at a hook, of packets as they enter the table there. */
export function flowsMatched(run: TableRun, hook: Hook, chain: Chain, index: number): readonly Flow[] {
  const match = run.runs.get(chain)?.matches[index]
  if (!match) return []
  return flowsBefore(run, hook, chain, index).map(flow => matched(run.ruleSets.sets, flow, match)).filter(({ packets }) => packets !== run.ruleSets.sets.none)
}

interface Context {
  readonly ruleSets: RuleSets
  readonly table: Table
  readonly gone: ReadonlySet<number>
  readonly runs: Map<Chain, ChainRun>
  /** Fields that some rule of the table writes. */
  readonly rewritten: readonly NumberField[]
  readonly ends: Map<TargetUse, RuleEnd>
  /** What chains begin with, with any value in the written fields. */
  readonly opened: Map<Chain, PacketSet>
}

type Calls = readonly { readonly from: Chain; readonly index: number }[]

interface Prepared {
  readonly matches: readonly RuleMatch[]
  readonly ends: readonly RuleEnd[]
}

function prepareChain(context: Context, chain: Chain): Prepared {
  const { ruleSets } = context
  return { matches: chain.rules.map((rule, index) => ruleSets.matchOf(rule, index + 1, chain)), ends: chain.rules.map(rule => (context.gone.has(rule.id) ? { kind: 'continue', rewriting: ruleSets.sets.unchanged } : endOf(context, rule))) }
}

/** Returns what the jumps to a chain can bring: what they match, of what their own chains can see; written fields may have any value. */
function startOf(context: Context, calls: Calls, prepared: ReadonlyMap<Chain, Prepared>, begins: ReadonlyMap<Chain, PacketSet>): PacketSet {
  const { ruleSets: { sets }, rewritten, opened } = context
  if (calls.length > MANY_CALLERS) return sets.every
  const open = (set: PacketSet): PacketSet => rewritten.reduce((all, field) => sets.exists(all, field), set)
  return sets.union(...calls.map(({ from, index }) => {
    const [begin, match] = [begins.get(from) ?? sets.every, prepared.get(from)?.matches[index]]
    const cube = match?.cube
    if (typeof cube !== 'object' || sets.asksForAny(cube, rewritten)) return open(sets.intersect(begin, match?.set() ?? sets.every))
    const known = opened.get(from) ?? open(begin)
    opened.set(from, known)
    return sets.intersectCube(known, cube)
  }))
}

function runChain(context: Context, chain: Chain, { matches, ends }: Prepared, start: PacketSet): ChainRun {
  const { ruleSets } = context
  const { sets } = ruleSets
  const before: (readonly Flow[])[] = []
  const returned: Flow[] = []
  let flows: readonly Flow[] = start === sets.none ? [] : [{ packets: start, rewriting: sets.unchanged }]
  matches.forEach((match, index) => {
    before.push(flows)
    const end = ends[index]
    if (!end || (end.kind === 'continue' && end.rewriting === sets.unchanged)) return
    if (end.kind === 'decide' || isEnded(context, end)) {
      flows = joinFlows(sets, flows.map(flow => unmatched(sets, flow, match)))
      return
    }
    const next: Flow[] = []
    for (const flow of flows) {
      next.push(unmatched(sets, flow, match))
      follow(context, { chain, index, end, flow: matched(sets, flow, match) }, next, returned)
    }
    flows = joinFlows(sets, next)
  })
  return { chain, start, matches, ends, before, returned: joinFlows(sets, [...returned, ...flows]) }
}

/** Tells whether a rule leads to a chain from which nothing comes back. */
function isEnded({ runs }: Context, end: RuleEnd): boolean {
  return (end.kind === 'jump' || end.kind === 'goto') && runs.get(end.to)?.returned.length === 0
}

interface Step {
  readonly chain: Chain
  readonly index: number
  readonly end: RuleEnd
  readonly flow: Flow
}

/** Puts what goes on behind a matching rule into `next`, what leaves the chain into `returned`. */
function follow(context: Context, { chain, index, end, flow }: Step, next: Flow[], returned: Flow[]): void {
  const { sets } = context.ruleSets
  if (flow.packets === sets.none) return
  if (end.kind === 'return') returned.push(flow)
  else if (end.kind === 'continue') next.push({ packets: flow.packets, rewriting: sets.compose(flow.rewriting, end.rewriting) })
  else if (end.kind !== 'decide') {
    const back = ownVisit(context, context.runs.get(end.to)?.returned ?? [], `${VISIT}rule ${index + 1} in ${chain.name}`)
    for (const one of back) (end.kind === 'goto' ? returned : next).push(through(sets, flow, one))
  }
}

/** Matches with memory answer anew each time: the variables of a called chain are the call's own. */
function ownVisit({ ruleSets }: Context, flows: readonly Flow[], visit: string): readonly Flow[] {
  const { sets } = ruleSets
  return flows.map(flow => {
    const own = sets.freeVariables(flow.packets).filter(({ key }) => ruleSets.isForgetful(key))
    if (own.length === 0) return flow
    return { ...flow, packets: sets.renameFree(flow.packets, ({ key, words }) => (ruleSets.isForgetful(key) ? { key: key + visit, words } : undefined)) }
  })
}

/** Returns what a rule's target does, in sets' terms. */
function endOf(context: Context, { target }: Rule): RuleEnd {
  const known = target && context.ends.get(target)
  if (known) return known
  const end = makeEnd(context, target)
  if (target) context.ends.set(target, end)
  return end
}

function makeEnd({ ruleSets, table }: Context, target: Rule['target']): RuleEnd {
  const { sets, ruleset } = ruleSets
  if (!target) return { kind: 'continue', rewriting: sets.unchanged }
  if (target.kind !== 'target') {
    const to = table.chainByName.get(target.chain)
    return to ? { kind: target.kind, to } : { kind: 'continue', rewriting: sets.unchanged }
  }
  let rewriting = sets.unchanged
  const effects = effectsOf(target, ruleset.family)
  for (const effect of effects) {
    if (effect.kind === 'verdict' && effect.verdict === 'return') return { kind: 'return' }
    if ((effect.kind === 'verdict' && effect.verdict !== 'continue') || effect.kind === 'nat' || effect.kind === 'reject') return { kind: 'decide', fate: fateOf(effects), rewriting, effect }
    rewriting = sets.compose(rewriting, rewritingOf(ruleSets, effect))
  }
  return { kind: 'continue', rewriting }
}

/** `accept` and `drop` where a target does nothing else, so that they are equal to a chain policy's. */
function fateOf(effects: readonly Effect[]): string {
  const [only] = effects
  if (effects.length === 1 && only?.kind === 'verdict' && (only.verdict === 'accept' || only.verdict === 'drop')) return only.verdict
  return JSON.stringify(effects, (_key, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))
}

/** Effects on what no rule can ask about change nothing here; what is not followed bit by bit may become anything. */
function rewritingOf(ruleSets: RuleSets, effect: Effect): Rewriting {
  const { sets } = ruleSets
  if (effect.kind === 'adjust') return sets.adjusting(effect.field, effect.by)
  if (effect.kind === 'assign' && effect.field !== 'priority' && effect.from?.field !== 'priority') {
    const { clear, flip, shift } = effect
    return sets.assigning(effect.field, { clear, flip, ...(effect.from ? { from: { field: effect.from.field, mask: effect.from.mask } } : {}), ...(shift === undefined ? {} : { shift }) })
  }
  return writtenFields(effect).reduce((rewriting, field) => {
    const top = (1n << 256n) - 1n
    return sets.compose(rewriting, sets.choosing(field, 0, top).rewriting)
  }, sets.unchanged)
}

/** Returns the fields that an effect may change. */
function writtenFields(effect: Effect): readonly NumberField[] {
  switch (effect.kind) {
    case 'assign':
      return effect.field === 'priority' ? [] : [effect.field]
    case 'adjust':
      return [effect.field]
    case 'clampMss':
      return ['tcp.mss', 'tcp.options', 'ip.length']
    case 'stripOptions':
      return ['tcp.mss', 'tcp.options']
    case 'untrack':
      return ['ct.state']
    case 'translatePrefix':
      return [effect.side === 'source' ? 'ip.src' : 'ip.dst']
    default:
      return []
  }
}

function rewrittenFields({ ruleset }: RuleSets, table: Table): readonly NumberField[] {
  const fields = new Set<NumberField>()
  for (const chain of table.chains) {
    for (const { target } of chain.rules) {
      if (target?.kind !== 'target') continue
      for (const effect of effectsOf(target, ruleset.family)) for (const field of writtenFields(effect)) fields.add(field)
    }
  }
  return [...fields]
}
