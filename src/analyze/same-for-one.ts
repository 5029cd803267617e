/**
 * What becomes of one packet of a rule without it. Most rules make a difference, and most often the first packet that comes to mind shows it,
 * without any set being made.
 */

import type { Hook } from '../ir/hooks.ts'
import type { Chain } from '../ir/ruleset.ts'
import type { PacketPoint } from '../packetset/packet-sets.ts'
import type { ChainRun, Flow, TableRun } from '../symbolic/run-chain.ts'
import { isMatched, rulesComing } from './rule-index.ts'
import { idOf, noticedBy } from './same-fate.ts'
import type { Without } from './same-fate.ts'

/** Returns a packet that comes to a rule and meets another fate without it, or leaves a trace; undefined where none was found at once. */
export function differingPacket(without: Without, here: ChainRun, index: number, fate: string): PacketPoint | undefined {
  const { run } = without
  const { sets } = run.ruleSets
  const match = here.matches[index]
  if (!match || match.cube === 'never') return undefined
  for (const { packets, rewriting } of here.before[index] ?? []) {
    if (rewriting !== sets.unchanged) continue
    const point = match.cube ? sets.pointInCube(packets, match.cube) : sets.pointOf(sets.intersect(packets, match.set()))
    const hook = point && hookOf(run, here.chain, point)
    if (!point || !hook) continue
    const one = { point, fate, rule: idOf(here, index) }
    const end = passOne(without, one, here, index + 1)
    if (end === 'differs' || (end === 'leaves' && goUp(without, one, hook, here.chain) === 'differs')) return point
  }
  return undefined
}

/** A packet that nothing rewrote. */
interface One {
  readonly point: PacketPoint
  readonly fate: string
  /** The rule in question. */
  readonly rule: number
}

/** How a chain is left; `unclear` where it cannot be told without sets. */
type End = 'same' | 'differs' | 'leaves' | 'unclear'

function passOne(without: Without, one: One, here: ChainRun, from: number): End {
  const { run, gone, dead } = without
  const { sets } = run.ruleSets
  for (const index of rulesComing(sets, here, one.point, from)) {
    const [rule, end, match] = [here.chain.rules[index], here.ends[index], here.matches[index]]
    if (!rule || !end || !match || rule.id === one.rule || gone.has(rule.id)) continue
    if (without.budget.steps-- < 0 || dead.has(rule.id)) return 'unclear'
    if (match.isForgetful) {
      const noticed = noticedBy(run, here, index)
      if (noticed === sets.none) return 'unclear'
      if (sets.includesPoint(noticed, one.point)) return 'differs'
      continue
    }
    if (end.kind === 'continue' && !rule.target) continue
    if (end.kind === 'continue') return end.rewriting === sets.unchanged ? 'differs' : 'unclear'
    if (end.kind === 'return') return 'leaves'
    if (end.kind === 'decide') return end.fate === one.fate && end.rewriting === sets.unchanged ? 'same' : 'differs'
    const called = run.runs.get(end.to)
    const left = called ? passOne(without, one, called, 0) : 'unclear'
    if (left !== 'leaves' || end.kind === 'goto') return left
  }
  return 'leaves'
}

/** Follows a packet that leaves a chain along one of the ways by which it comes there from a hook. */
function goUp(without: Without, one: One, hook: Hook, chain: Chain): End {
  const { run, lastCall } = without
  const { sets } = run.ruleSets
  if (chain.hook) return (chain.policy === 'DROP' ? 'drop' : 'accept') === one.fate ? 'same' : 'differs'
  const calls = run.calls.get(chain) ?? []
  const first = lastCall.get(chain) ?? 0
  for (let count = 0; count < calls.length; count++) {
    const call = calls[(first + count) % calls.length]
    const caller = call && run.runs.get(call.from)
    if (!call || !caller || !isMatched(sets, caller.matches[call.index], one.point)) continue
    if (!hasPoint(run, caller.before[call.index], one.point) || !hasPoint(run, run.arrivals.get(hook)?.get(call.from), one.point)) continue
    const left = caller.ends[call.index]?.kind === 'goto' ? 'leaves' : passOne(without, one, caller, call.index + 1)
    const end = left === 'leaves' ? goUp(without, one, hook, call.from) : left
    if (end === 'differs') lastCall.set(chain, (first + count) % calls.length)
    return end
  }
  return 'unclear'
}

/** Returns a hook from which the packet comes to the chain as it is. */
function hookOf({ arrivals, ruleSets: { sets } }: TableRun, chain: Chain, point: PacketPoint): Hook | undefined {
  for (const [hook, chains] of arrivals) if (chains.get(chain)?.some(({ packets, rewriting }) => rewriting === sets.unchanged && sets.includesPoint(packets, point))) return hook
  return undefined
}

function hasPoint({ ruleSets: { sets } }: TableRun, flows: readonly Flow[] | undefined, point: PacketPoint): boolean {
  return flows?.some(({ packets, rewriting }) => rewriting === sets.unchanged && sets.includesPoint(packets, point)) ?? false
}
