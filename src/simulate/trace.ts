/** Traces one packet through a world. */

import { invariant } from '../diagnostics/diagnostic.ts'
import type { Probe } from '../packet/probe.ts'
import type { Assumption, Trace } from './trace-events.ts'
import type { World } from './world.ts'

/** What a run should do beside finding the outcome. */
export interface TraceOptions {
  /** `none` is fastest; `matches` tells all but the rules that do not match; `all` tells these too. Default: matches. */
  readonly record?: 'none' | 'matches' | 'all'
  /** Values of free variables; one that is not given is assumed not to match. */
  readonly assume?: ReadonlyMap<string, boolean>
}

/** A trace, and whether its outcome hangs on what had to be assumed. */
export interface CheckedTrace {
  readonly trace: Trace
  /** Assumptions that, turned round one at a time, lead to another outcome. */
  readonly decisive: readonly { readonly assumption: Assumption; readonly otherwise: Trace }[]
}

/** Sends a packet into the world and returns its way. Changes the world: connections, limits and ipsets remember it. */
export function trace(world: World, probe: Probe, options: TraceOptions = {}): Trace {
  invariant(world && probe && options, 'not written yet')
  throw new Error('not written yet')
}

/** Sends a packet like `trace`, and finds out which assumptions the outcome depends on (at most `limit` reruns on copies of the world). */
export function traceChecked(world: World, probe: Probe, options: TraceOptions = {}, limit = 16): CheckedTrace {
  invariant(limit >= 0, 'a limit is not negative')
  return { trace: trace(world, probe, options), decisive: [] }
}
