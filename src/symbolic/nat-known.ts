/** Nat of packets whose connection is known: the rules are not asked, the translation is the connection's. */

import type { Hook } from '../ir/hooks.ts'
import type { PacketClass } from './packet-class.ts'
import type { Run } from './run.ts'

/** Returns the packets as their connection's translation leaves them at a hook. */
export function translateKnown(_run: Run, _hook: Hook, packets: PacketClass): readonly PacketClass[] {
  return [packets]
}
