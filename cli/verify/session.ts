/** A rebuilt topology in use: what sending packets into it needs and changes. */

import type { Family } from '../../src/net/address.ts'
import type { World } from '../../src/simulate/world.ts'
import type { Counters } from './counters.ts'
import type { Lab } from './lab.ts'
import type { Wires } from './wires.ts'

/** A lab in use. */
export interface Session {
  readonly lab: Lab
  readonly wires: Wires
  readonly family: Family
  /** The namespaces with rules of the family. */
  readonly ruled: readonly string[]
  /** A fresh world in which the kernel's choices of ports are made as it made them. */
  readonly newWorld: (choices: ReadonlyMap<string, number>) => World
  /** The counters as they were read last, by namespace. */
  readonly counters: Map<string, Counters>
  /** Neighbours that were made known. */
  readonly neighbours: Set<string>
}
