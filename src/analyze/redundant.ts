/**
 * Rules that change nothing: were one gone, the same would become of each of its packets, and no rule on the way would do anything else to
 * it. A rule that goes sends its packets on, so rules are asked in an order in which that matters to none that is asked later: from the end of
 * each chain, a called chain where it is called. In chains that are called from several places there is no such order: there all that
 * went before must fare the same too, and where that is not sure they are asked again, with what then comes to them.
 */

import { memoryOf } from '../extensions/meaning-of.ts'
import type { Chain } from '../ir/ruleset.ts'
import { isTooBig } from '../packetset/packet-sets.ts'
import type { PacketCube, PacketSet } from '../packetset/packet-sets.ts'
import { matched } from '../symbolic/flows.ts'
import { runTable } from '../symbolic/run-chain.ts'
import type { ChainRun, TableRun } from '../symbolic/run-chain.ts'
import { rulesMeeting } from './rule-index.ts'
import type { RuleRef } from './rule-reach.ts'
import { followMoved, followWithout, idOf, policyFate } from './same-fate.ts'
import type { Followed, Without } from './same-fate.ts'
import { differingPacket } from './same-for-one.ts'

/** A rule, and who does the same with its packets: rules after it, or the chain policy. */
export interface Redundant {
  readonly at: RuleRef
  readonly fate: string
  readonly instead: readonly RuleRef[]
  /** The chain policy does the same with some. */
  readonly policyOf: Chain | undefined
}

/** The redundant rules; `isWhole` where no other rule is. */
export interface RedundantRules {
  readonly found: readonly Redundant[]
  readonly isWhole: boolean
}

/** Steps (a rule and the packets that come to it) after which the search in a table ends: some twenty seconds. */
const STEPS = 4_000_000

/** Rules that are asked again, in all passes together, where rules of chains with several callers went. */
const ASKED_AGAIN = 20_000

/** One walk over all rules. */
interface Pass extends Without {
  readonly gone: Set<number>
  readonly asked: ReadonlyMap<string, number>
  readonly found: Redundant[]
  /** By the chain they were in: the packets of rules of chains with several callers that went in this pass, with any value in fields that rules write. */
  readonly wentFrom: Map<Chain, PacketSet>
  /** All that went in this pass. */
  went: PacketSet
  /** Rules of chains with several callers that make a difference, and whether all packets that showed it are among others. */
  readonly differing: { readonly here: ChainRun; readonly index: number; readonly areAll: (among: PacketSet) => boolean }[]
  /** Some rule can be decided only when others are gone. */
  isPostponed: boolean
  isUndecided: boolean
}

/** Returns the redundant rules of a table: all of them can go together, and any of the `dead` ones with them. */
export function redundantRules(first: TableRun, dead: ReadonlySet<number>): RedundantRules {
  const gone = new Set<number>()
  const found: Redundant[] = []
  const asked = countFates(first)
  const budget = { steps: STEPS }
  const rules = first.order.reduce((sum, chain) => sum + chain.rules.length, 0)
  const passes = 1 + Math.floor(ASKED_AGAIN / rules)
  for (let [run, number] = [first, 1]; ; number++) {
    const pass: Pass = { run, gone, dead, budget, asked, found, lastCall: new Map(), wentFrom: new Map(), went: run.ruleSets.sets.none, differing: [], isPostponed: false, isUndecided: false }
    const before = gone.size
    askAll(pass)
    const isFinal = gone.size === before || !canFindMore(pass)
    if (isFinal || pass.isUndecided || number >= passes) return { found, isWhole: isFinal && !pass.isUndecided }
    run = runTable(run.ruleSets, run.table, run.starts, gone)
  }
}

/** Tells whether what went in this pass makes other rules redundant: those that were asked before it and made a difference to nothing else. */
function canFindMore(pass: Pass): boolean {
  return pass.isPostponed || pass.differing.some(({ here, index, areAll }) => areAll(pass.went) && ask(pass, here, index)?.kind !== 'differs')
}

function askAll(pass: Pass): void {
  const { run } = pass
  const calledOnce = chainsCalledOnce(run)
  for (const chain of run.order.toReversed()) if (!calledOnce.has(chain)) askManyTimesCalled(pass, chain)
  const movedBefore = run.ruleSets.sets.union(...pass.wentFrom.values())
  for (const chain of run.order) if (chain.hook) askFromTheEnd(pass, chain, calledOnce, movedBefore)
}

/** Built-in chains, and those to which a single rule of such a chain jumps: their rules have one order. */
function chainsCalledOnce({ order, calls }: TableRun): ReadonlySet<Chain> {
  const once = new Set<Chain>()
  for (const chain of order) {
    const [call, ...others] = calls.get(chain) ?? []
    if (chain.hook || (call && others.length === 0 && once.has(call.from))) once.add(chain)
  }
  return once
}

/** What goes here sends packets on to rules that may stand before others of the chain: only rules that see none of them are decided now. */
function askManyTimesCalled(pass: Pass, chain: Chain): void {
  const { run, wentFrom } = pass
  const { sets } = run.ruleSets
  const here = run.runs.get(chain)
  if (!here) return
  const comesAgain = canComeAgain(run, chain)
  for (let index = chain.rules.length - 1; index >= 0; index--) {
    const answer = ask(pass, here, index)
    if (answer?.kind === 'differs') pass.differing.push({ here, index, areAll: answer.areAll })
    if (answer?.kind !== 'same') continue
    const moved = sets.union(...[...wentFrom].flatMap(([from, packets]) => (from === chain && !comesAgain ? [] : [packets])))
    if (!isSameForMoved(pass, here, index, moved)) continue
    remove(pass, here, index, answer)
    wentFrom.set(chain, sets.union(wentFrom.get(chain) ?? sets.none, packetsOf(pass, here, index)))
  }
}

/** Each rule is asked after all to which its packets can go. */
function askFromTheEnd(pass: Pass, chain: Chain, calledOnce: ReadonlySet<Chain>, movedBefore: PacketSet): void {
  const { run } = pass
  const stack = [{ chain, index: chain.rules.length }]
  for (let place = stack.at(-1); place; place = stack.at(-1)) {
    const index = --place.index
    const here = run.runs.get(place.chain)
    const end = here?.ends[index]
    if (index < 0 || !here) stack.pop()
    else if ((end?.kind === 'jump' || end?.kind === 'goto') && calledOnce.has(end.to)) stack.push({ chain: end.to, index: end.to.rules.length })
    else {
      const answer = ask(pass, here, index)
      if (answer?.kind === 'same' && isSameForMoved(pass, here, index, movedBefore)) remove(pass, here, index, answer)
    }
  }
}

/** Tells whether packets of rules that went would fare the same without this one too, should they come to it; where they might not, it is asked again. */
function isSameForMoved(pass: Pass, here: ChainRun, index: number, moved: PacketSet): boolean {
  const { sets } = pass.run.ruleSets
  if (moved === sets.none) return true
  const packets = sets.intersect(moved, here.matches[index]?.set() ?? sets.none)
  const end = here.ends[index]
  if (packets === sets.none) return true
  const isSame = end?.kind === 'decide' && attempt(() => followMoved(pass, here, index, end.fate, packets)).kind === 'same'
  if (!isSame) pass.isPostponed = true
  return isSame
}

/** Tells whether a packet that was in a chain can come to it again: whether some chain has two jumps that lead there. */
function canComeAgain({ calls }: TableRun, chain: Chain): boolean {
  const leading = new Set([chain])
  const jumping = new Set<Chain>()
  for (const to of leading) {
    for (const { from } of calls.get(to) ?? []) {
      if (jumping.has(from)) return true
      jumping.add(from)
      leading.add(from)
    }
  }
  return false
}

/** Returns what was found of a rule; undefined of rules that are never redundant. */
function ask(pass: Pass, here: ChainRun, index: number): Followed | undefined {
  const { run, gone, dead, asked } = pass
  const end = here.ends[index]
  const rule = here.chain.rules[index]
  if (!rule || end?.kind !== 'decide' || gone.has(rule.id) || dead.has(rule.id)) return undefined
  if ((asked.get(end.fate) ?? 0) < 2 || end.rewriting !== run.ruleSets.sets.unchanged) return undefined
  if (rule.matches.some(use => memoryOf(use, run.ruleSets.ruleset.family) !== undefined)) return undefined
  const answer = attempt(() => followRule(pass, here, index, end.fate))
  if (answer.kind === 'undecided') pass.isUndecided = true
  return answer
}

/** One packet first: it mostly shows that the rule makes a difference. */
function followRule(pass: Pass, here: ChainRun, index: number, fate: string): Followed {
  const { sets } = pass.run.ruleSets
  const alone = leftToPolicy(pass, here, index, fate)
  if (alone) return alone
  const point = differingPacket(pass, here, index, fate)
  return point ? { kind: 'differs', areAll: among => sets.includesPoint(among, point) } : followWithout(pass, here, index, fate)
}

/** Where no rule on their way can match any of a rule's packets the chain policy decides, without a look at the packets; undefined elsewhere. */
function leftToPolicy(pass: Pass, here: ChainRun, index: number, fate: string): Followed | undefined {
  const { sets } = pass.run.ruleSets
  const match = here.matches[index]
  const policyOf = match && policyBehind(pass, here, index + 1, match.hull())
  if (!policyOf) return undefined
  if (policyFate(policyOf) === fate) return { kind: 'same', instead: [], policyOf }
  return { kind: 'differs', areAll: among => (here.before[index] ?? []).every(flow => sets.isSubset(matched(sets, flow, match).packets, among)) }
}

/** Returns the built-in chain at whose end packets come out that no rule from one on can match; undefined where one may, or a chain on the way has several callers. */
function policyBehind(pass: Pass, here: ChainRun, from: number, hull: PacketCube): Chain | undefined {
  const { run, gone } = pass
  for (const later of rulesMeeting(here, hull, from)) if (!gone.has(idOf(here, later))) return undefined
  if (here.chain.hook) return here.chain
  const calls = run.calls.get(here.chain)
  const call = calls?.length === 1 ? calls[0] : undefined
  const caller = call && run.runs.get(call.from)
  return caller && policyBehind(pass, caller, caller.ends[call.index]?.kind === 'goto' ? caller.matches.length : call.index + 1, hull)
}

function attempt(follow: () => Followed): Followed {
  try {
    return follow()
  } catch (error) {
    if (!isTooBig(error)) throw error
    return { kind: 'undecided' }
  }
}

/** Returns what a rule can match, with any value in the fields that rules write. */
function packetsOf({ run: { ruleSets: { sets }, rewritten } }: Pass, here: ChainRun, index: number): PacketSet {
  return rewritten.reduce((set, field) => sets.exists(set, field), here.matches[index]?.set() ?? sets.none)
}

function remove(pass: Pass, here: ChainRun, index: number, { instead, policyOf }: Extract<Followed, { kind: 'same' }>): void {
  const { run: { ruleSets: { sets } } } = pass
  const rule = here.chain.rules[index]
  const end = here.ends[index]
  if (!rule || end?.kind !== 'decide') return
  pass.gone.add(rule.id)
  pass.found.push({ at: { rule, number: index + 1, chain: here.chain }, fate: end.fate, instead, policyOf })
  if (pass.differing.length > 0) pass.went = sets.union(pass.went, packetsOf(pass, here, index))
}

/** Returns how many rules of a table do what others or a chain policy do too: no other can be redundant. */
export function countCandidates(run: TableRun): number {
  const counts = countFates(run)
  let count = 0
  for (const { ends } of run.runs.values()) for (const end of ends) if (end.kind === 'decide' && (counts.get(end.fate) ?? 0) > 1) count++
  return count
}

/** How many rules and policies have a fate: only one that others have too can be redundant. */
function countFates(run: TableRun): ReadonlyMap<string, number> {
  const counts = new Map<string, number>([['accept', 1], ['drop', 1]])
  for (const here of run.runs.values()) for (const end of here.ends) if (end.kind === 'decide') counts.set(end.fate, (counts.get(end.fate) ?? 0) + 1)
  return counts
}
