/** What one run of a packet tells: the events in order, and what became of it. All of it is data; report/ puts it into words. */

import type { Hook, TableName } from '../ir/hooks.ts'
import type { Chain, ChainPolicy, MatchUse, Rule } from '../ir/ruleset.ts'
import type { RejectAnswer } from '../meaning/effect.ts'
import type { ConnectionView } from '../meaning/subject.ts'
import type { Address } from '../net/address.ts'
import type { Packet } from '../packet/packet.ts'
import type { RouteDecision } from '../topology/fib.ts'

/** A rule in its place; `number` is 1-based in its chain, `depth` 0 in a built-in chain and one more in each chain jumped to. */
export interface RulePlace {
  readonly hook: Hook
  readonly table: TableName
  readonly chain: Chain
  readonly rule: Rule
  readonly number: number
  readonly depth: number
}

/** A chain as it is run. */
export interface ChainPlace {
  readonly hook: Hook
  readonly table: TableName
  readonly chain: Chain
  readonly depth: number
}

/** What a matching rule did with the packet's way. `continue` = the next rule is looked at. */
export type RuleResult =
  | { readonly kind: 'continue' | 'accept' | 'drop' | 'return' | 'queue' | 'stolen' }
  | { readonly kind: 'jump' | 'goto'; readonly chain: Chain }
  | { readonly kind: 'reject'; readonly with: RejectAnswer }

/** A header field or piece of metadata that was changed; addresses as `Address`, all else as a number. */
export interface Change {
  readonly field: 'ip.src' | 'ip.dst' | 'l4.sport' | 'l4.dport' | 'icmp.id' | 'ip.ttl' | 'ip.tos' | 'mark' | 'ct.mark' | 'priority' | 'tcp.flags' | 'tcp.mss' | 'quoted packet'
  readonly before: Address | undefined
  readonly after: Address
}

/** Who changed a packet: a rule, conntrack's translation (`nat`: at the place of the nat hook), or the routing (ttl). */
export type Changer = { readonly kind: 'rule'; readonly place: RulePlace } | { readonly kind: 'nat'; readonly hook: Hook } | { readonly kind: 'forwarding' }

/** A translation that a rule (or a clash of tuples: no rule) gave to a connection. */
export interface NatBinding {
  readonly side: 'source' | 'destination'
  readonly address: Address
  /** Port or ICMP id, where the protocol has one. */
  readonly port?: number
  /** The kernel draws one of these ports by lot, both ends included: `port` is only one possible choice. */
  readonly choice?: { readonly ports: readonly [number, number]; readonly why: 'random' | 'clash' }
}

/** One thing that happened. */
export type TraceEvent =
  /** The packet came in. */
  | { readonly kind: 'arrive'; readonly namespace: string; readonly device: string; readonly port?: string; readonly packet: Packet }
  /** This host made the packet. */
  | { readonly kind: 'make'; readonly namespace: string; readonly packet: Packet }
  /** conntrack looked at the packet; `connection` is absent for INVALID and UNTRACKED. Bits of CT_STATE. */
  | { readonly kind: 'conntrack'; readonly hook: Hook; readonly ctState: number; readonly connection: ConnectionView | undefined; readonly why?: string }
  /** A table's built-in chain is about to be run. */
  | { readonly kind: 'table'; readonly hook: Hook; readonly table: TableName }
  /** The nat table was not asked, since its answer was given with the connection's first packet (or never is). */
  | { readonly kind: 'natSkipped'; readonly hook: Hook; readonly why: 'known connection' | 'invalid' | 'untracked' | 'related' }
  | { readonly kind: 'rule'; readonly place: RulePlace; readonly result: RuleResult; readonly observed?: string }
  /** Only with `all`: the rule does not match because of this use, the first that fails, and there of this option. */
  | { readonly kind: 'miss'; readonly place: RulePlace; readonly failed: MatchUse; readonly option?: string }
  /** The end of a user chain, or RETURN from it: the packet is back in `to`. */
  | { readonly kind: 'return'; readonly from: ChainPlace; readonly to: ChainPlace }
  /** A built-in chain ended: its policy is the verdict. */
  | { readonly kind: 'policy'; readonly place: ChainPlace; readonly policy: ChainPolicy }
  | { readonly kind: 'rewrite'; readonly by: Changer; readonly changes: readonly Change[]; readonly packet: Packet }
  /** A connection was given a translation; the packet itself changes with the `rewrite` that follows. */
  | { readonly kind: 'nat'; readonly hook: Hook; readonly by: RulePlace | undefined; readonly binding: NatBinding }
  /** A free variable had no value, so it was taken to be `value`. */
  | { readonly kind: 'assumption'; readonly place: RulePlace; readonly key: string; readonly words: string; readonly value: boolean }
  | { readonly kind: 'route'; readonly decision: RouteDecision; readonly why: 'arrival' | 'output' | 'reroute' }
  /** Over the loopback device and in again. */
  | { readonly kind: 'loop'; readonly device: string }
  /** The connection's entry was entered into the table. */
  | { readonly kind: 'confirm'; readonly connection: ConnectionView }
  /** The kernel made a packet of its own because of this one; its way is told in full. */
  | { readonly kind: 'answer'; readonly cause: RulePlace | KernelReason; readonly packet: Packet; readonly trace: Trace }
  /** A copy of the frame for one port of the bridge, and its way. */
  | { readonly kind: 'copy'; readonly port: string; readonly trace: Trace }
  /** A fragment was put to the `came` - 1 that came before; where that makes the datagram whole, rules see it in one. */
  | { readonly kind: 'fragment'; readonly hook: Hook; readonly came: number; readonly isWhole: boolean }
  /** Something that this simulator does not model took part; said so that nobody trusts the result blindly. */
  | { readonly kind: 'notModelled'; readonly words: string }

/** Why the kernel itself ended a packet's way. */
export type KernelReason =
  | 'no-route'
  | 'blackhole-route'
  | 'prohibit-route'
  | 'unreachable-route'
  | 'ttl-exceeded'
  | 'martian-source'
  | 'martian-destination'
  | 'reverse-path'
  | 'forwarding-off'
  | 'not-unicast-frame'
  | 'not-for-this-host'
  | 'too-big'
  | 'no-device'
  | 'nat-failed'
  | 'confirm-clash'
  | 'truncated-header'
  | 'nothing-counted'
  | 'fragment-waits'
  | 'bridge-same-port'
  | 'neighbour-unknown'
  | 'no-output-route'
  | 'no-listener'
  | 'endless-loop'

/** What decided the packet's fate. */
export type Decider =
  | { readonly kind: 'rule'; readonly place: RulePlace }
  | { readonly kind: 'policy'; readonly place: ChainPlace }
  | { readonly kind: 'kernel'; readonly reason: KernelReason; readonly hook?: Hook }

/** What became of the packet. */
export type Outcome =
  /** Handed to this host's own stack, arrived on `device` (`lo` for what it sent to itself). */
  | { readonly kind: 'local'; readonly namespace: string; readonly device: string; readonly packet: Packet }
  /** Out of a device: routed through (`forward`), made here (`sent`) or crossing a bridge (`bridge`). `device` is what rules see, `ports` the wires. */
  | {
      readonly kind: 'forward' | 'sent' | 'bridge'
      readonly namespace: string
      readonly device: string
      readonly ports: readonly string[]
      readonly gateway?: Address | undefined
      /** Whom the frame is addressed to, as 12 hex digits; absent where nobody was asked. */
      readonly macDestination?: string | undefined
      readonly packet: Packet
    }
  | { readonly kind: 'drop'; readonly by: Decider; readonly packet: Packet }
  /** Ended, and an answer went out. */
  | { readonly kind: 'reject'; readonly by: Decider; readonly packet: Packet }
  /** Given to user space or another part of the kernel by a rule. */
  | { readonly kind: 'queue' | 'stolen'; readonly by: Decider; readonly packet: Packet }

/** A free variable that a run asked for and had to assume. */
export interface Assumption {
  readonly key: string
  readonly words: string
  readonly value: boolean
}

/** A rule that a packet matched, by its 1-based number, or the end of a built-in chain, where its policy decides. */
export interface PathStep {
  readonly table: TableName
  readonly chain: string
  readonly number: number | 'policy'
}

/** What is noted of every packet, recorded or not; all in the order in which it happened. */
export interface Way {
  /** What it matched, in bridged copies of it too. */
  readonly path: PathStep[]
  /** How conntrack saw it, each time it came by. Bits of CT_STATE. */
  readonly states: { readonly ctState: number; readonly direction: 0 | 1 }[]
  /** What became of copies for other ports of a bridge. */
  readonly copies: Outcome[]
}

/** One packet's way. `events` is empty where nobody asked to record. */
export interface Trace {
  readonly events: readonly TraceEvent[]
  readonly outcome: Outcome
  readonly way: Way
  /** In the order of first use, each key once. */
  readonly assumed: readonly Assumption[]
  /** Packets that the kernel made because of this one and that went somewhere. */
  readonly answers: readonly Trace[]
}
