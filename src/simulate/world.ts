/** The world that packets are sent into: a topology, its rulesets, and all that remembers earlier packets. */

import type { Backend } from '../ir/hooks.ts'
import type { Ruleset } from '../ir/ruleset.ts'
import type { Topology } from '../topology/topology.ts'

/** What a world is made of. One ruleset per family; a family without has empty tables. */
export interface WorldOptions {
  readonly topology: Topology
  readonly rulesets: readonly Ruleset[]
  /** Default: legacy. */
  readonly backend?: Backend
}

/** A world; `trace` changes it. */
export interface World {
  readonly topology: Topology
  readonly backend: Backend
  /** Milliseconds since the world began; advance it to let time pass between packets. */
  now: number
}

/** Returns a fresh world: no connections, all limits full. */
export function makeWorld(options: WorldOptions): World {
  return { topology: options.topology, backend: options.backend ?? 'legacy', now: 0 }
}
