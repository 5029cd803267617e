/** What a policy means once its names are looked up, and before it is rules: zones, addresses, traffic, sentences. */

import type { Span } from '../diagnostics/source-file.ts'
import type { TableName } from '../ir/hooks.ts'
import type { Address, Family, Prefix } from '../net/address.ts'
import type { DevicePattern } from '../net/device-name.ts'
import type { NumberRange } from '../net/ranges.ts'
import type { Verb } from './ast.ts'

/** Prefixes of both families. */
export interface Prefixes {
  readonly ipv4: readonly Prefix[]
  readonly ipv6: readonly Prefix[]
}

/** A zone. `at` is absent where the zone is whatever its devices lead to. */
export interface Zone {
  readonly kind: 'zone'
  readonly name: string
  readonly devices: readonly DevicePattern[]
  readonly at?: Prefixes
  readonly isDockers: boolean
  readonly span: Span
}

/** One end of a packet's way. `addresses` are absent where all count; `list` is the name of the list that they come from. */
export interface End {
  readonly place: 'any' | 'fw' | Zone
  readonly addresses?: Prefixes
  readonly list?: string
  readonly span: Span
}

/** Ends, without those left out. `isNamed`: names alone say them, and wherever the same names stand they are the same object. */
export interface Ends {
  readonly isNamed?: true
  readonly included: readonly End[]
  readonly excluded: readonly End[]
}

/** Messages of ICMP or ICMPv6. */
export interface IcmpMessage {
  readonly type: number
  /** Inclusive range of codes. */
  readonly low: number
  readonly high: number
}

/**
 * Packets of one protocol. `ports` are destination ports, sorted, apart; absent: all. `published`: the ports are those that were dialled
 * before a destination NAT. `comesRelated`: errors, which conntrack lets in with the connection that they speak of.
 */
export interface Traffic {
  readonly families: readonly Family[]
  readonly protocol: number
  readonly ports?: readonly NumberRange[]
  readonly messages?: readonly IcmpMessage[]
  readonly published: boolean
  readonly comesRelated: boolean
  /** Where the message belongs: neighbour discovery never leaves the link. */
  readonly onLink: boolean
}

/** A rate: so many packets a unit. */
export interface Limit {
  readonly rate: string
  readonly per?: 'source' | 'destination' | 'flow'
  readonly burst?: number
}

/** At most so many connections. */
export interface Maximum {
  readonly count: number
  readonly perSource: boolean
}

/** Where a sentence comes from. */
export interface Origin {
  /** `file:line`. */
  readonly place: string
  readonly span: Span
  /** The comment of its rules, as iptables-save writes it. */
  readonly comment: string
  /** A short word for names of chains and tables: the line, with the number of the file where that is not the first. */
  readonly mark: string
}

/** What is logged. */
export interface Logging {
  readonly prefix?: string
  readonly limit?: Limit
}

/** A rule. `traffic` is absent where all packets count. */
export interface RuleSentence {
  readonly kind: 'rule'
  readonly verb: Verb
  readonly families: readonly Family[]
  readonly traffic?: readonly Traffic[]
  readonly from: Ends
  readonly to: Ends
  readonly limit?: Limit
  readonly max?: Maximum
  readonly log?: Logging
  /** The last second, since 1970. */
  readonly until?: number
  readonly origin: Origin
}

/** A published service: destination NAT, its accept and its hairpin. */
export interface PublishSentence {
  readonly kind: 'publish'
  readonly family: Family
  readonly traffic: readonly Traffic[]
  readonly on: readonly Prefix[]
  readonly to: Address
  readonly port?: number
  readonly from: Ends
  readonly origin: Origin
}

/** Source NAT; without `to` it is masquerading. */
export interface SourceNatSentence {
  readonly kind: 'sourceNat'
  readonly families: readonly Family[]
  readonly from: Ends
  readonly out: Zone
  readonly to?: Address
  readonly origin: Origin
}

/** Connections that are sent to a port of the firewall itself. */
export interface RedirectSentence {
  readonly kind: 'redirect'
  readonly families: readonly Family[]
  readonly traffic: readonly Traffic[]
  readonly from: Ends
  readonly port: number
  readonly origin: Origin
}

/** A rule in iptables' words. */
export interface RawSentence {
  readonly kind: 'raw'
  readonly families: readonly Family[]
  readonly isForOneFamily: boolean
  readonly table: TableName
  readonly chain: string
  readonly place: 'first' | 'last'
  readonly rule: string
  readonly ruleSpan: Span
  readonly origin: Origin
}

/** Whatever becomes rules. */
export type Sentence = RuleSentence | PublishSentence | SourceNatSentence | RedirectSentence | RawSentence

/** What becomes of packets that no sentence speaks of. */
export interface DefaultVerdict {
  readonly verdict: 'drop' | 'reject'
  readonly log?: Logging
  readonly origin: Origin
}

/** The packets of an assertion: those that begin a connection, or with `established` those of one that exists. */
export interface Flow {
  readonly families: readonly Family[]
  readonly traffic?: readonly Traffic[]
  readonly from: Ends
  readonly to: Ends
  readonly established: boolean
  /** Of `except published ...`: what was dialled so and translated is left out. */
  readonly published?: readonly Traffic[]
}

/** What is expected; `port` is absent where any will do. `source` is the source address then, `fw` one of the firewall's own. */
export type Outcome = { readonly source?: Address | 'fw' } & (
  | { readonly kind: 'accepted' | 'dropped' | 'rejected' | 'refused' }
  | { readonly kind: 'reaches'; readonly address: Address; readonly port?: number }
  | { readonly kind: 'leaves'; readonly zone: Zone }
)

/** An assertion. `never ...` is the outcome `refused`: dropped or rejected. */
export interface Assertion {
  readonly test: string
  readonly flow: Flow
  readonly outcome: Outcome
  readonly span: Span
}

/** What holds for all sentences of a policy. */
export interface PolicyFrame {
  readonly zones: readonly Zone[]
  readonly defaultVerdict: DefaultVerdict
  readonly managesAll: boolean
  readonly path: string
  readonly span: Span
}

/** A whole policy. */
export interface ResolvedPolicy extends PolicyFrame {
  readonly sentences: readonly Sentence[]
  readonly assertions: readonly Assertion[]
}
