/** Whether a packet's end hangs on what had to be assumed on its way. */

import type { Probe } from '../packet/probe.ts'
import { legsOf, mainWay, sendThrough } from './journey.ts'
import type { Journey, Leg } from './journey.ts'
import type { TraceOptions } from './trace.ts'
import type { Assumption } from './trace-events.ts'
import type { World } from './world.ts'

/** A journey, and which of its assumptions decide how it ends. */
export interface CheckedJourney {
  readonly journey: Journey
  readonly assumed: readonly Assumption[]
  /** Assumptions that, turned round one at a time, lead to another end. */
  readonly decisive: readonly { readonly assumption: Assumption; readonly otherwise: Journey }[]
  /** There were more assumptions than were tried. */
  readonly isBounded: boolean
}

/**
 * Sends a packet like `sendThrough` and finds out which assumptions its end depends on: each of the first `limit` is turned round in a
 * world of its own, which `remake` brings to the same state (a fresh world with the earlier packets sent again).
 */
export function sendChecked(world: World, probe: Probe, options: TraceOptions, remake: () => World, limit = 16): CheckedJourney {
  const journey = sendThrough(world, probe, options)
  const assumed = assumptionsOf(journey)
  const decisive = assumed.slice(0, limit).flatMap(assumption => {
    const assume = new Map(options.assume).set(assumption.key, !assumption.value)
    const otherwise = sendThrough(remake(), probe, { ...options, assume })
    return hasSameEnd(journey, otherwise) ? [] : [{ assumption, otherwise }]
  })
  return { journey, assumed, decisive, isBounded: assumed.length > limit }
}

function assumptionsOf({ start }: Journey): readonly Assumption[] {
  const seen = new Map<string, Assumption>()
  for (const assumption of legsOf(start).flatMap(leg => leg.trace.assumed)) if (!seen.has(assumption.key)) seen.set(assumption.key, assumption)
  return [...seen.values()]
}

function hasSameEnd(one: Journey, other: Journey): boolean {
  const [left, right] = [endOf(one), endOf(other)]
  if (left.namespace !== right.namespace) return false
  const [before, after] = [left.trace.outcome, right.trace.outcome]
  if (before.kind !== after.kind) return false
  const isSameHeader = before.packet.src === after.packet.src && before.packet.dst === after.packet.dst && before.packet.sport === after.packet.sport && before.packet.dport === after.packet.dport && before.packet.mark === after.packet.mark
  const isSameDevice = !('device' in before) || !('device' in after) || before.device === after.device
  return isSameHeader && isSameDevice
}

/** Returns the leg in which a journey ends. */
export function endOf({ start }: Journey): Leg {
  return mainWay(start).at(-1) ?? start
}
