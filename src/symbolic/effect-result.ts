/** How a target ended for some of its packets. */

import type { PacketClass } from './packet-class.ts'

/** `reason` where the kernel decided rather than the rule. */
export interface EffectResult {
  readonly kind: 'continue' | 'accept' | 'drop' | 'reject' | 'return' | 'queue' | 'stolen'
  readonly packets: PacketClass
  readonly reason?: string
}
