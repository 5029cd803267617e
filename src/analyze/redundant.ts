/**
 * Rules that change nothing: were one gone, the same would become of each of its packets, and no rule on the way would do anything else to
 * it. Found from the end of each chain: what becomes of a packet from here on, for each fate, unless a rule on the way leaves a trace of it.
 */

import type { Chain } from '../ir/ruleset.ts'
import { memoryOf } from '../extensions/meaning-of.ts'
import type { PacketSet, PacketSets } from '../packetset/packet-sets.ts'
import type { ChainRun, Flow, TableRun } from '../symbolic/run-chain.ts'
import { flowsBefore, matched } from '../symbolic/run-chain.ts'
import { indexOf, rulesMatching } from './rule-index.ts'
import type { RuleReach, RuleRef } from './rule-reach.ts'

/** A rule, and who does the same with its packets: rules after it, or the chain policy. */
export interface Redundant {
  readonly at: RuleRef
  readonly fate: string
  readonly instead: readonly RuleRef[]
  /** The chain policy does the same with some. */
  readonly policyOf: Chain | undefined
}

/** What becomes of packets from a place on without a trace: by fate, and what returns from the chain. */
interface Ahead {
  readonly fates: ReadonlyMap<string, PacketSet>
  readonly back: PacketSet
}

/** Fates that are followed: of more kinds (thousands of nat targets) only the most frequent. */
const MOST_FATES = 24

/** More places from which a chain is called with different ends are not told apart. */
const MOST_CONTEXTS = 24

interface Context {
  readonly reach: RuleReach
  readonly run: TableRun
  readonly dead: ReadonlySet<number>
  readonly fates: ReadonlySet<string>
  /** From a chain's first rule on. */
  readonly whole: Map<Chain, Ahead>
  /** What follows after a chain returned, for each kind of place that calls it; undefined where they are too many. */
  readonly after: Map<Chain, Ahead[] | undefined>
}

/** Returns the redundant rules of a table: all of them can go together, and any of the `dead` ones with them. */
export function redundantRules(reach: RuleReach, run: TableRun, dead: ReadonlySet<number>): readonly Redundant[] {
  const context: Context = { reach, run, dead, fates: frequentFates(run), whole: new Map(), after: new Map() }
  for (const chain of run.order.toReversed()) {
    const here = run.runs.get(chain)
    if (here && !chain.hook) context.whole.set(chain, walkBack(context, here, { fates: new Map(), back: reach.sets.every }, () => 'keep'))
  }
  const found: Redundant[] = []
  for (const chain of run.order) {
    const here = run.runs.get(chain)
    if (here) findIn(context, here, found)
  }
  return found
}

/** Walks a chain from its end; `visit` sees each rule with what is ahead after it, and may leave the rule out. */
function walkBack(context: Context, here: ChainRun, start: Ahead, visit: (index: number, ahead: Ahead) => 'keep' | 'leaveOut'): Ahead {
  let ahead = start
  for (let index = here.ends.length - 1; index >= 0; index--) {
    const rule = here.chain.rules[index]
    if (!rule) continue
    if (context.dead.has(rule.id)) {
      ahead = pastDead(context, here, index, ahead)
      continue
    }
    if (visit(index, ahead) === 'leaveOut') continue
    ahead = aheadOf(context, here, index, ahead)
  }
  return ahead
}

/** A dead rule may stay or go: what becomes of a packet is known where both are the same. */
function pastDead(context: Context, here: ChainRun, index: number, next: Ahead): Ahead {
  const { sets } = context.reach
  const kept = aheadOf(context, here, index, next)
  return { fates: new Map([...next.fates].map(([fate, set]) => [fate, sets.intersect(set, kept.fates.get(fate) ?? sets.none)])), back: sets.intersect(next.back, kept.back) }
}

function aheadOf(context: Context, here: ChainRun, index: number, next: Ahead): Ahead {
  const { sets } = context.reach
  const end = here.ends[index]
  const match = here.matches[index]
  if (!end || !match || match.cube === 'never') return next
  const without = (set: PacketSet): PacketSet => (typeof match.cube === 'object' ? sets.subtractCube(set, match.cube) : sets.subtract(set, match.set()))
  const rest = leavesTrace(context, here, index) ? untouched(context, here, index, next) : next
  const mine = end.kind === 'decide' ? end.fate : undefined
  const others: Ahead = { fates: new Map([...rest.fates].map(([fate, set]) => [fate, fate === mine && !leavesTrace(context, here, index) && end.kind === 'decide' && end.rewriting === sets.unchanged ? set : without(set)])), back: without(rest.back) }
  if (leavesTrace(context, here, index)) return others
  if (end.kind === 'continue') return here.chain.rules[index]?.target ? others : next
  const fates = new Map(others.fates)
  const add = (fate: string, set: PacketSet): Map<string, PacketSet> => fates.set(fate, sets.union(fates.get(fate) ?? sets.none, set))
  if (end.kind === 'decide') {
    if (!context.fates.has(end.fate) || end.rewriting !== sets.unchanged) return others
    const before = rest.fates.get(end.fate) ?? sets.none
    fates.set(end.fate, typeof match.cube === 'object' ? sets.complement(sets.subtractCube(sets.complement(before), match.cube)) : sets.union(before, match.set()))
    return { fates, back: others.back }
  }
  if (end.kind === 'return') return { fates, back: sets.union(others.back, match.set()) }
  const inner = context.whole.get(end.to)
  if (!inner) return others
  const entering = match.set()
  const back = sets.intersect(entering, inner.back)
  for (const [fate, set] of inner.fates) add(fate, sets.intersect(entering, set))
  if (end.kind === 'goto') return { fates, back: sets.union(others.back, back) }
  for (const [fate, set] of next.fates) add(fate, sets.intersect(back, set))
  return { fates, back: sets.union(others.back, sets.intersect(back, next.back)) }
}

/** Matches with memory notice every packet that comes to them: those of their rule's other matches are not untouched. */
function leavesTrace({ run }: Context, here: ChainRun, index: number): boolean {
  return (here.chain.rules[index]?.matches ?? []).some(use => memoryOf(use, run.ruleSets.ruleset.family) !== undefined)
}

function untouched(context: Context, here: ChainRun, index: number, next: Ahead): Ahead {
  const { sets } = context.reach
  const uses = here.chain.rules[index]?.matches ?? []
  const firstMemory = uses.findIndex(use => memoryOf(use, context.run.ruleSets.ruleset.family) !== undefined)
  const noticed = sets.intersect(...(here.matches[index]?.predicates ?? []).slice(0, firstMemory).map(predicate => sets.setOf(predicate)))
  return { fates: new Map([...next.fates].map(([fate, set]) => [fate, sets.subtract(set, noticed)])), back: sets.subtract(next.back, noticed) }
}

function findIn(context: Context, here: ChainRun, found: Redundant[]): void {
  const contexts = contextsOf(context, here.chain)
  const nothing: Ahead = { fates: new Map(), back: context.reach.sets.every }
  // What a built-in chain's policy does is known from the start: nothing returns from it.
  walkBack(context, here, here.chain.hook ? (contexts?.[0] ?? nothing) : nothing, (index, ahead) => {
    const end = here.ends[index]
    const rule = here.chain.rules[index]
    if (!end || !rule) return 'keep'
    if (end.kind === 'jump' || end.kind === 'goto') passOn(context, { here, index, end, ahead }, contexts)
    if (end.kind !== 'decide' || !context.fates.has(end.fate) || end.rewriting !== context.reach.sets.unchanged || leavesTrace(context, here, index)) return 'keep'
    if (!isSameAhead(context, here, index, ahead, contexts, end.fate)) return 'keep'
    found.push({ at: { rule, number: index + 1, chain: here.chain }, fate: end.fate, ...insteadOf(context, here, index) })
    return 'leaveOut'
  })
}

/** Returns what follows after a chain; for a built-in chain its policy does. */
function contextsOf({ reach, after }: Context, chain: Chain): readonly Ahead[] | undefined {
  if (!chain.hook) return after.get(chain) ?? (after.has(chain) ? undefined : [])
  return [{ fates: new Map([[chain.policy === 'DROP' ? 'drop' : 'accept', reach.sets.every]]), back: reach.sets.none }]
}

interface Call {
  readonly here: ChainRun
  readonly index: number
  readonly end: { readonly kind: 'jump' | 'goto'; readonly to: Chain }
  readonly ahead: Ahead
}

/** Tells a called chain what follows after it here. */
function passOn({ reach: { sets }, after }: Context, { end, ahead }: Call, contexts: readonly Ahead[] | undefined): void {
  if (after.has(end.to) && after.get(end.to) === undefined) return
  const list = after.get(end.to) ?? []
  const nothing: Ahead = { fates: new Map(), back: sets.every }
  const mine = contexts?.map(context => joinAhead(sets, end.kind === 'goto' ? nothing : ahead, context))
  for (const one of mine ?? []) if (!list.some(other => isSame(one, other))) list.push(one)
  after.set(end.to, mine === undefined || list.length > MOST_CONTEXTS ? undefined : list)
}

function joinAhead(sets: PacketSets, first: Ahead, next: Ahead): Ahead {
  const fates = new Map(first.fates)
  for (const [fate, set] of next.fates) fates.set(fate, sets.union(fates.get(fate) ?? sets.none, sets.intersect(first.back, set)))
  return { fates, back: sets.none }
}

function isSame(one: Ahead, other: Ahead): boolean {
  return one.fates.size === other.fates.size && [...one.fates].every(([fate, set]) => other.fates.get(fate) === set)
}

/** Tells whether all packets that a rule matches, wherever they come from, meet its fate without it. */
function isSameAhead(context: Context, here: ChainRun, index: number, ahead: Ahead, contexts: readonly Ahead[] | undefined, fate: string): boolean {
  const { sets } = context.reach
  const match = here.matches[index]
  if (!match) return false
  const own = ahead.fates.get(fate) ?? sets.none
  const isIn = (flow: Flow): boolean => {
    const now = (set: PacketSet): PacketSet => (flow.rewriting === sets.unchanged ? set : sets.readBack(set, flow.rewriting))
    const rest = sets.subtract(matched(sets, flow, match).packets, now(own))
    if (rest === sets.none) return true
    if (contexts === undefined || contexts.length === 0 || !sets.isSubset(rest, now(ahead.back))) return false
    return contexts.every(one => sets.isSubset(rest, now(one.fates.get(fate) ?? sets.none)))
  }
  if ((here.before[index] ?? []).every(isIn)) return true
  return [...context.run.arrivals.keys()].every(hook => flowsBefore(context.run, hook, here.chain, index).every(isIn))
}

/** Names who decides instead: later rules of the chain that take some of the rule's packets, three at most. */
function insteadOf(context: Context, here: ChainRun, index: number): { readonly instead: readonly RuleRef[]; readonly policyOf: Chain | undefined } {
  const { sets } = context.reach
  const match = here.matches[index]
  let rest = match ? sets.union(...(here.before[index] ?? []).map(flow => matched(sets, flow, match).packets)) : sets.none
  const instead: RuleRef[] = []
  for (let point = sets.pointOf(rest); point && instead.length < 3; point = sets.pointOf(rest)) {
    const next = rulesMatching(sets, here.matches, indexOf(here), point).find(later => later > index && here.ends[later]?.kind !== 'continue' && !context.dead.has(here.chain.rules[later]?.id ?? -1))
    const rule = next === undefined ? undefined : here.chain.rules[next]
    if (next === undefined || !rule) return { instead, policyOf: here.chain.hook ? here.chain : undefined }
    instead.push({ rule, number: next + 1, chain: here.chain })
    rest = sets.subtract(rest, here.matches[next]?.set() ?? sets.none)
  }
  return { instead, policyOf: undefined }
}

function frequentFates(run: TableRun): ReadonlySet<string> {
  const counts = new Map<string, number>([['accept', 1e9], ['drop', 1e9]])
  for (const here of run.runs.values()) for (const end of here.ends) if (end.kind === 'decide') counts.set(end.fate, (counts.get(end.fate) ?? 0) + 1)
  const often = [...counts].filter(([, count]) => count > 1).sort((one, other) => other[1] - one[1])
  return new Set(often.slice(0, MOST_FATES).map(([fate]) => fate))
}
