/** How things end: a target, a table, a hook. */

import type { Hook } from '../ir/hooks.ts'
import type { Decider, KernelReason } from './trace-events.ts'

/** How a rule's target ended; `by` where the kernel decided rather than the rule. */
export interface EffectVerdict {
  readonly kind: 'continue' | 'accept' | 'drop' | 'reject' | 'return' | 'queue' | 'stolen'
  readonly by?: Decider
}

/** How a table's chains ended. `by` is what decided. */
export interface TableVerdict {
  readonly kind: 'accept' | 'drop' | 'reject' | 'queue' | 'stolen'
  readonly by: Decider
}

/** How a packet's way ended at a hook. */
export interface Ended {
  readonly kind: 'drop' | 'reject' | 'queue' | 'stolen'
  readonly by: Decider
}

/** Returns an end that no rule made. */
export function byKernel(reason: KernelReason, hook?: Hook): Ended {
  return { kind: 'drop', by: hook ? { kind: 'kernel', reason, hook } : { kind: 'kernel', reason } }
}
