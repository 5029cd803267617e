/**
 * What becomes of one packet of a rule without it. Most rules make a difference, and most often the first packet that comes to mind shows it,
 * without any set being made.
 */

import type { Chain } from '../ir/ruleset.ts'
import type { PacketPoint } from '../packetset/packet-sets.ts'
import type { ChainRun } from '../symbolic/run-chain.ts'
import { comerTo } from './comers.ts'
import type { Call } from './comers.ts'
import { rulesComing } from './rule-index.ts'
import { idOf, noticedBy, policyFate } from './same-fate.ts'
import type { Without } from './same-fate.ts'

/** Returns a packet that comes to a rule and meets another fate without it, or leaves a trace; undefined where none was found at once. */
export function differingPacket(without: Without, here: ChainRun, index: number, fate: string): PacketPoint | undefined {
  const { run, lastCall } = without
  const comer = comerTo(run, here, index, lastCall)
  if (!comer) return undefined
  const one = { point: comer.point, fate, rule: idOf(here, index) }
  const end = passOne(without, one, here, index + 1)
  return end === 'differs' || (end === 'leaves' && goUp(without, one, here.chain, comer.way) === 'differs') ? one.point : undefined
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

/** Follows a packet that leaves a chain back along the way by which it came. */
function goUp(without: Without, one: One, from: Chain, way: readonly Call[]): End {
  const { run, lastCall } = without
  let chain = from
  let end: End = 'leaves'
  for (const call of way) {
    const caller = run.runs.get(call.from)
    if (!caller) return 'unclear'
    if (caller.ends[call.index]?.kind !== 'goto') end = passOne(without, one, caller, call.index + 1)
    if (end === 'differs') lastCall.set(chain, call.number)
    if (end !== 'leaves') return end
    chain = call.from
  }
  return policyFate(chain) === one.fate ? 'same' : 'differs'
}
