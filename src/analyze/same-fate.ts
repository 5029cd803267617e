/**
 * What becomes of a rule's packets without it: they are followed through the rules after it, through the chains that these call, and back up
 * to whatever calls its own chain, until all have met the rule's fate or some that really come there meet another or leave a trace.
 */

import { effectsOf, memoryOf } from '../extensions/meaning-of.ts'
import type { Chain, Rule } from '../ir/ruleset.ts'
import type { Family } from '../net/address.ts'
import type { PacketCube, PacketSet } from '../packetset/packet-sets.ts'
import type { Rewriting } from '../packetset/rewrite.ts'
import { matched, through } from '../symbolic/flows.ts'
import type { Flow } from '../symbolic/flows.ts'
import type { ChainRun, RuleEnd, TableRun } from '../symbolic/run-chain.ts'
import { comesTo } from './comers.ts'
import { rulesMeeting } from './rule-index.ts'
import type { RuleRef } from './rule-reach.ts'

/** Where rules are followed: `gone` rules are not there any more, `dead` ones may stay or go. */
export interface Without {
  readonly run: TableRun
  readonly gone: ReadonlySet<number>
  readonly dead: ReadonlySet<number>
  readonly budget: { steps: number }
  /** By chain, which of its calls showed a difference last: it is asked first. */
  readonly lastCall: Map<Chain, number>
}

/** What was found for one rule; `areAll` tells whether all packets that are known to meet another fate are among others. */
export type Followed =
  | { readonly kind: 'same'; readonly instead: readonly RuleRef[]; readonly policyOf: Chain | undefined }
  | { readonly kind: 'differs'; readonly areAll: (among: PacketSet) => boolean }
  | { readonly kind: 'undecided' }

/** The state of one search. */
interface Search extends Without {
  readonly fate: string
  /** The rule in question, as gone as the others. */
  readonly rule: number
  /** Packets are followed that perhaps never come. */
  readonly isHypothetical: boolean
  readonly instead: RuleRef[]
  policyOf: Chain | undefined
  differing: PacketSet | undefined
}

/** The chain in whose terms the packets are, what was rewritten since they entered it, and what holds of all of them now. */
interface Level {
  readonly chain: Chain
  readonly rewriting: Rewriting
  readonly hull: PacketCube
}

/** So many of the rules that do the same are named. */
const NAMED = 3

/** Follows the packets of a rule that decides: do all of them meet its fate without it? */
export function followWithout(without: Without, here: ChainRun, index: number, fate: string): Followed {
  const match = here.matches[index]
  const flows = match ? (here.before[index] ?? []).map(flow => matched(without.run.ruleSets.sets, flow, match)) : []
  return follow({ ...without, fate, rule: idOf(here, index), isHypothetical: false, instead: [], policyOf: undefined, differing: undefined }, here, index, flows)
}

/** Follows packets that a rule matches and that may come to it, by whatever way, since other rules are gone: where any of them could meet another fate, that counts. */
export function followMoved(without: Without, here: ChainRun, index: number, fate: string, packets: PacketSet): Followed {
  return follow({ ...without, fate, rule: idOf(here, index), isHypothetical: true, instead: [], policyOf: undefined, differing: undefined }, here, index, [{ packets, rewriting: without.run.ruleSets.sets.unchanged }])
}

function follow(search: Search, here: ChainRun, index: number, flows: readonly Flow[]): Followed {
  const { sets } = search.run.ruleSets
  const hull = here.matches[index]?.hull()
  const isSame = hull !== undefined && flows.every(({ packets, rewriting }) => {
    const level = { chain: here.chain, rewriting, hull }
    const left = passOn(search, level, { here, from: index + 1, set: packets, hull })
    return left !== undefined && goUp(search, level, left)
  })
  if (search.budget.steps < 0) return { kind: 'undecided' }
  if (isSame) return { kind: 'same', instead: search.instead, policyOf: search.policyOf }
  const packets = search.differing ?? sets.none
  return { kind: 'differs', areAll: among => sets.isSubset(packets, among) }
}

/** Returns the number of a chain's rule. */
export function idOf({ chain }: ChainRun, index: number): number {
  return chain.rules[index]?.id ?? -1
}

/** Returns what a built-in chain's policy does, in the words of fates. */
export function policyFate({ policy }: Chain): string {
  return policy === 'DROP' ? 'drop' : 'accept'
}

/** Packets on their way through a chain, from a rule on. */
interface Passing {
  readonly here: ChainRun
  readonly from: number
  readonly set: PacketSet
  readonly hull: PacketCube
}

/** Returns the packets that leave the chain undecided; undefined where some meet another fate. */
function passOn(search: Search, level: Level, { here, from, set, hull }: Passing): PacketSet | undefined {
  const { sets } = search.run.ruleSets
  let open = set
  const back: PacketSet[] = []
  for (const index of rulesMeeting(here, hull, from)) {
    if (open === sets.none) break
    const id = idOf(here, index)
    if (id === search.rule || search.gone.has(id)) continue
    if (search.budget.steps-- < 0) return undefined
    const step = passRule(search, level, { here, from: index, set: open, hull })
    if (!step) return undefined
    open = step.open
    if (step.back !== sets.none) back.push(step.back)
  }
  return sets.union(...back, open)
}

/** Returns what goes on to the next rule, and what leaves the chain. */
function passRule(search: Search, level: Level, passing: Passing): { readonly open: PacketSet; readonly back: PacketSet } | undefined {
  const { run: { ruleSets }, dead, fate } = search
  const { sets } = ruleSets
  const { here, from: index } = passing
  const [rule, end, match] = [here.chain.rules[index], here.ends[index], here.matches[index]]
  const goOn = (set: PacketSet) => ({ open: set, back: sets.none })
  if (!rule || !end || !match || match.cube === 'never') return goOn(passing.set)
  const noticed = match.isForgetful ? sets.intersect(passing.set, now(search, level, noticedBy(search.run, here, index))) : sets.none
  if (noticed !== sets.none) return differs(search, level, noticed) ? undefined : goOn(sets.subtract(passing.set, noticed))
  if (end.kind === 'continue' && !rule.target) return goOn(passing.set)
  const set = match.isForgetful ? sets.forgetFree(passing.set, sets.freeVariables(match.set()).flatMap(({ key }) => (ruleSets.isForgetful(key) ? [key] : []))) : passing.set
  const part = matched(sets, { packets: set, rewriting: level.rewriting }, match).packets
  if (part === sets.none) return goOn(set)
  // A dead rule may stay or go: its packets must fare the same behind it.
  const others = dead.has(rule.id) ? set : sets.subtract(set, part)
  if (end.kind === 'return') return { open: others, back: part }
  if (end.kind === 'jump' || end.kind === 'goto') return passCall(search, level, { ...passing, set: part }, end, others)
  if (end.kind === 'continue' && isPlainRewriting(rule, ruleSets.ruleset.family)) {
    const changed = sets.intersect(part, now(search, level, sets.changedBy(end.rewriting)))
    return differs(search, level, changed) ? undefined : goOn(sets.subtract(set, changed))
  }
  if (!doesTheSame(search, end, fate)) return differs(search, level, part) ? undefined : goOn(sets.subtract(set, part))
  if (search.instead.length < NAMED && !dead.has(rule.id)) search.instead.push({ rule, number: index + 1, chain: here.chain })
  return goOn(others)
}

function passCall(search: Search, level: Level, { here, from, set, hull }: Passing, end: Extract<RuleEnd, { kind: 'jump' | 'goto' }>, others: PacketSet): { readonly open: PacketSet; readonly back: PacketSet } | undefined {
  const { sets } = search.run.ruleSets
  const called = search.run.runs.get(end.to)
  const narrower = sets.joinCubes(hull, here.matches[from]?.hull() ?? hull)
  const left = called ? passOn(search, level, { here: called, from: 0, set, hull: narrower === 'never' ? hull : narrower }) : set
  if (left === undefined) return undefined
  return end.kind === 'goto' ? { open: others, back: left } : { open: sets.union(others, left), back: sets.none }
}

/** Follows packets that leave a chain: to its callers, or to the chain policy. */
function goUp(search: Search, level: Level, set: PacketSet): boolean {
  const { sets } = search.run.ruleSets
  const { chain } = level
  if (set === sets.none) return true
  if (chain.hook) {
    if (policyFate(chain) !== search.fate) return !differs(search, level, set)
    search.policyOf = chain
    return true
  }
  const calls = search.run.calls.get(chain) ?? []
  const first = search.lastCall.get(chain) ?? 0
  for (let count = 0; count < calls.length; count++) {
    const number = (first + count) % calls.length
    const call = calls[number]
    if (!call || goBack(search, level, set, call)) continue
    search.lastCall.set(chain, number)
    return false
  }
  return true
}

/** Follows packets back to one of the calls by which they can have come. */
function goBack(search: Search, level: Level, set: PacketSet, { from, index }: { readonly from: Chain; readonly index: number }): boolean {
  const { run } = search
  const { sets } = run.ruleSets
  const caller = run.runs.get(from)
  const match = caller?.matches[index]
  if (!caller || !match || search.budget.steps-- < 0) return false
  // What the call asks for may be rewritten since.
  const hull = run.rewritten.length > 0 ? level.hull : sets.joinCubes(level.hull, match.hull())
  if (hull === 'never') return true
  if (search.isHypothetical) return followAbove(search, { chain: from, rewriting: level.rewriting, hull }, caller, index, run.rewritten.length > 0 ? set : sets.intersect(set, match.set()))
  return (caller.before[index] ?? []).every(flow => {
    const { packets, rewriting } = through(sets, matched(sets, flow, match), { packets: set, rewriting: level.rewriting })
    return followAbove(search, { chain: from, rewriting, hull }, caller, index, packets)
  })
}

/** Follows packets behind the call from which they come back. */
function followAbove(search: Search, above: Level, caller: ChainRun, index: number, set: PacketSet): boolean {
  if (set === search.run.ruleSets.sets.none) return true
  const left = caller.ends[index]?.kind === 'goto' ? set : passOn(search, above, { here: caller, from: index + 1, set, hull: above.hull })
  return left !== undefined && goUp(search, above, left)
}

/** Tells whether any of the packets really come to their chain; those are what makes a difference. */
function differs(search: Search, level: Level, packets: PacketSet): boolean {
  const { run } = search
  const { sets } = run.ruleSets
  if (search.isHypothetical) return packets !== sets.none
  if (!comesTo(run, level.chain, packets)) return false
  search.differing = packets
  return true
}

/** Tells whether a rule does nothing but write fields: of packets that have the values already it leaves no trace. */
function isPlainRewriting({ target }: Rule, family: Family): boolean {
  return target?.kind === 'target' && effectsOf(target, family).every(effect => effect.kind === 'adjust' || (effect.kind === 'assign' && effect.field !== 'priority'))
}

function doesTheSame({ run }: Search, end: RuleEnd, fate: string): boolean {
  return end.kind === 'decide' && end.fate === fate && end.rewriting === run.ruleSets.sets.unchanged
}

function now({ run }: Search, { rewriting }: Level, set: PacketSet): PacketSet {
  const { sets } = run.ruleSets
  return set === sets.none || rewriting === sets.unchanged ? set : sets.readBack(set, rewriting)
}

/** Returns the packets that a rule's matches with memory notice: those of the matches before them, which leave a trace. None where it has no memory. */
export function noticedBy({ ruleSets }: TableRun, here: ChainRun, index: number): PacketSet {
  const { sets, ruleset } = ruleSets
  const uses = here.chain.rules[index]?.matches ?? []
  const first = uses.findIndex(use => memoryOf(use, ruleset.family) !== undefined)
  if (first === -1) return sets.none
  return sets.intersect(...(here.matches[index]?.predicates ?? []).slice(0, first).map(predicate => sets.setOf(predicate)))
}
