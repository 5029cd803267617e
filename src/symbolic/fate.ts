/** What becomes of sets of packets: the twin of the simulator's outcomes. */

import type { Hook, TableName } from '../ir/hooks.ts'
import type { Chain, Rule } from '../ir/ruleset.ts'
import type { PacketSet } from '../packetset/packet-sets.ts'
import type { Rewriting } from './rewriting.ts'

/** A rule, or a chain's policy, or the kernel itself. `number` is 1-based; `namespace` is where, if there are several. */
export type Decider = { readonly namespace?: string } & (
  | { readonly kind: 'rule'; readonly hook: Hook; readonly table: TableName; readonly chain: Chain; readonly rule: Rule; readonly number: number }
  | { readonly kind: 'policy'; readonly hook: Hook; readonly table: TableName; readonly chain: Chain }
  | { readonly kind: 'kernel'; readonly reason: string; readonly hook?: Hook }
)

/** How a packet's way ends. `reject`: a REJECT rule ended it, whether or not its answer finds a way. */
export type FateKind = 'local' | 'forward' | 'sent' | 'drop' | 'reject' | 'queue' | 'stolen'

/**
 * What a connection is to packets: they are its first (or belong to none at all), later ones of either direction, about it, or any of
 * these but the first (`known`). `again`: its sender's next ones while nobody has answered. `expected`: they begin one that another
 * announced, and nat's rules are asked. `invalid`: conntrack knows them to be wrong, whatever they are.
 */
export type FlowState = 'new' | 'established' | 'reply' | 'related' | 'known' | 'again' | 'expected' | 'invalid'

/** Packets with one fate: as they were at first, and what became of them. */
export interface Fate {
  readonly kind: FateKind
  /** What ended it; absent where the packet got through. */
  readonly by: Decider | undefined
  readonly rewriting: Rewriting
  readonly set: PacketSet
}

/** Packets on which a rule or policy had the last word in one table of one hook. `pass` counts how often the hook was entered (over lo: twice). */
export interface Decision {
  readonly verdict: 'accept' | 'drop' | 'reject' | 'queue' | 'stolen'
  readonly by: Decider
  readonly set: PacketSet
}

/** Returns a text that is equal for equal deciders only. */
export function keyOfDecider(decider: Decider | undefined): string {
  if (!decider) return ''
  const at = decider.namespace === undefined ? '' : `${decider.namespace} `
  switch (decider.kind) {
    case 'rule':
      return `${at}${decider.hook} ${decider.table} rule ${decider.rule.id}`
    case 'policy':
      return `${at}${decider.hook} ${decider.table} policy`
    default:
      return `${at}kernel ${decider.reason} ${decider.hook ?? ''}`
  }
}
