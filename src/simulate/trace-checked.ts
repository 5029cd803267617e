/** Whether a trace hangs on what had to be assumed. */

import type { Probe } from '../packet/probe.ts'
import { trace } from './trace.ts'
import type { TraceOptions } from './trace.ts'
import type { Assumption, Outcome, Trace } from './trace-events.ts'
import type { World } from './world.ts'

/** A trace, and which of its assumptions decide its outcome. */
export interface CheckedTrace {
  readonly trace: Trace
  /** Assumptions that, turned round one at a time, lead to another outcome. */
  readonly decisive: readonly { readonly assumption: Assumption; readonly otherwise: Trace }[]
  /** There were more assumptions than were tried. */
  readonly isBounded: boolean
}

/**
 * Sends a packet like `trace` and finds out which assumptions the outcome depends on: each of the first `limit` is turned round in a
 * world of its own, which `remake` brings to the same state (a fresh world with the earlier packets sent again).
 */
export function traceChecked(world: World, probe: Probe, options: TraceOptions, remake: () => World, limit = 16): CheckedTrace {
  const first = trace(world, probe, options)
  const decisive = first.assumed.slice(0, limit).flatMap(assumption => {
    const assume = new Map(options.assume).set(assumption.key, !assumption.value)
    const otherwise = trace(remake(), probe, { ...options, assume })
    return sameOutcome(first.outcome, otherwise.outcome) ? [] : [{ assumption, otherwise }]
  })
  return { trace: first, decisive, isBounded: first.assumed.length > limit }
}

function sameOutcome(one: Outcome, other: Outcome): boolean {
  if (one.kind !== other.kind) return false
  const [left, right] = [one.packet, other.packet]
  const sameHeader = left.src === right.src && left.dst === right.dst && left.sport === right.sport && left.dport === right.dport && left.mark === right.mark
  const sameDevice = !('device' in one) || !('device' in other) || one.device === other.device
  return sameHeader && sameDevice
}
