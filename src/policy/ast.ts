/**
 * The tree of a policy file: what was written, with its places, before any name is looked up. Every node has its span; words keep
 * their spelling. A sentence that could not be read is missing here and reported.
 */

import type { SourceFile, Span } from '../diagnostics/source-file.ts'
import type { Family } from '../net/address.ts'

/** A word or text as it was written; of quoted text what stands between the quotes. */
export interface Word {
  readonly kind: 'word'
  readonly text: string
  readonly span: Span
}

/** A whole number. */
export interface WholeNumber {
  readonly kind: 'number'
  readonly value: number
  readonly span: Span
}

/** An address, prefix or range of addresses, unread. */
export interface AddressNode {
  readonly kind: 'address'
  readonly low: Word
  readonly high?: Word
  readonly span: Span
}

/** A port by number or service name. */
export type PortNode = Word

/** `ssh`, `tcp/80`, `tcp/8000-8100`, `icmp/echo-request`, `published tcp/8080`; in a list also the name of another list. */
export interface ServiceNode {
  readonly kind: 'service'
  readonly published: boolean
  readonly name: Word
  readonly low?: PortNode
  readonly high?: PortNode
  readonly span: Span
}

/** An element of a list. */
export type ItemNode = AddressNode | ServiceNode

/** Services, and those left out. */
export interface ServicesNode {
  readonly kind: 'services'
  readonly included: readonly ServiceNode[]
  readonly excluded: readonly ServiceNode[]
  readonly span: Span
}

/** One end of a packet's way: `any`, `fw`, a name or an address; `where` is the zone after `in`. */
export interface EndNode {
  readonly kind: 'end'
  readonly what: Word | AddressNode
  readonly where?: Word
  readonly span: Span
}

/** Ends, and those left out. */
export interface EndsNode {
  readonly kind: 'ends'
  readonly included: readonly EndNode[]
  readonly excluded: readonly EndNode[]
  readonly span: Span
}

/** `from ...` or `to ...`. */
export interface WayNode {
  readonly kind: 'from' | 'to'
  readonly ends: EndsNode
  readonly span: Span
}

/** `limit 4/min per source burst 4`. */
export interface LimitNode {
  readonly kind: 'limit'
  readonly count: WholeNumber
  readonly unit: Word
  readonly per?: Word
  readonly burst?: WholeNumber
  readonly span: Span
}

/** `max 20 connections per source`. */
export interface MaxNode {
  readonly kind: 'max'
  readonly count: WholeNumber
  readonly perSource: boolean
  readonly span: Span
}

/** `log "prefix" limit 10/min`. */
export interface LogNode {
  readonly kind: 'log'
  readonly prefix?: Word
  readonly limit?: LimitNode
  readonly span: Span
}

/** `until 2026-12-31`. */
export interface UntilNode {
  readonly kind: 'until'
  readonly day: Word
  readonly span: Span
}

/** `ipv4` or `ipv6`. */
export interface FamilyNode {
  readonly kind: 'family'
  readonly family: Family
  readonly span: Span
}

/** A clause of a rule or block. */
export type ClauseNode = WayNode | LimitNode | MaxNode | LogNode | UntilNode | FamilyNode

/** What a rule does. */
export type Verb = 'allow' | 'deny' | 'reject' | 'log' | 'untracked'

/** A rule. */
export interface RuleNode {
  readonly kind: 'rule'
  readonly verb: Verb
  readonly verbSpan: Span
  readonly services?: ServicesNode
  readonly clauses: readonly ClauseNode[]
  readonly reason?: Word
  readonly span: Span
}

/** Rules that share clauses. */
export interface BlockNode {
  readonly kind: 'block'
  readonly clauses: readonly ClauseNode[]
  readonly rules: readonly RuleNode[]
  readonly span: Span
}

/** `include "other.gate"`. */
export interface IncludeNode {
  readonly kind: 'include'
  readonly path: Word
  readonly span: Span
}

/** `let name = ...`. */
export interface LetNode {
  readonly kind: 'let'
  readonly name: Word
  readonly items: readonly ItemNode[]
  readonly span: Span
}

/** `zone name = eth0 at 10.0.0.0/8 owned by docker`. */
export interface ZoneNode {
  readonly kind: 'zone'
  readonly name: Word
  readonly devices: readonly Word[]
  readonly at: readonly ItemNode[]
  readonly owner?: Word
  readonly span: Span
}

/** `default drop log ...`. */
export interface DefaultNode {
  readonly kind: 'default'
  readonly verdict: 'drop' | 'reject'
  readonly log?: LogNode
  readonly span: Span
}

/** `option name = value`. */
export interface OptionNode {
  readonly kind: 'option'
  readonly name: Word
  readonly value: Word
  readonly span: Span
}

/** An address by name or number, with a port where it has one. */
export interface TargetNode {
  readonly kind: 'target'
  readonly address: Word
  readonly port?: PortNode
  readonly span: Span
}

/** `publish http on wan_ip to web:8080 from wan`. */
export interface PublishNode {
  readonly kind: 'publish'
  readonly services: ServicesNode
  readonly on: readonly ItemNode[]
  readonly to: TargetNode
  readonly from?: WayNode
  readonly family?: Family
  readonly reason?: Word
  readonly span: Span
}

/** `masquerade lan out wan`. */
export interface MasqueradeNode {
  readonly kind: 'masquerade'
  readonly ends: EndsNode
  readonly out: Word
  readonly family?: Family
  readonly reason?: Word
  readonly span: Span
}

/** `snat lan out wan to 203.0.113.2`. */
export interface SnatNode {
  readonly kind: 'snat'
  readonly ends: EndsNode
  readonly out: Word
  readonly to: TargetNode
  readonly family?: Family
  readonly reason?: Word
  readonly span: Span
}

/** `redirect http from lan to port 3128`. */
export interface RedirectNode {
  readonly kind: 'redirect'
  readonly services: ServicesNode
  readonly from?: WayNode
  readonly port: PortNode
  readonly family?: Family
  readonly reason?: Word
  readonly span: Span
}

/** A rule in iptables' words, to stand first or last in a chain. */
export interface RawNode {
  readonly kind: 'raw'
  readonly family?: Family
  readonly table: Word
  readonly chain: Word
  readonly place: 'first' | 'last'
  readonly rule: Word
  readonly span: Span
}

/** The packets that an assertion speaks of. `dialled` is the port after `to ADDRESS:`. */
export interface FlowNode {
  readonly kind: 'flow'
  readonly services?: ServicesNode
  readonly from?: WayNode
  readonly to?: WayNode
  readonly dialled?: PortNode
  readonly established: boolean
  readonly span: Span
}

/** What is expected of them. `as` is the source that they have then; the word `fw` is the firewall's own. */
export type OutcomeNode = {
  readonly span: Span
  readonly as?: TargetNode
} & ({ readonly kind: 'accepted' | 'dropped' | 'rejected' } | { readonly kind: 'reaches'; readonly target: TargetNode } | { readonly kind: 'leaves'; readonly zone: Word })

/** `expect ...` with an outcome, `never ...` without. */
export interface AssertNode {
  readonly kind: 'assert'
  readonly flow: FlowNode
  readonly outcome?: OutcomeNode
  readonly span: Span
}

/** Assertions under a name. */
export interface TestNode {
  readonly kind: 'test'
  readonly name: Word
  readonly asserts: readonly AssertNode[]
  readonly span: Span
}

/** A sentence of a policy. */
export type StatementNode =
  | IncludeNode | LetNode | ZoneNode | DefaultNode | OptionNode | RuleNode | BlockNode | PublishNode | MasqueradeNode | SnatNode | RedirectNode | RawNode | TestNode

/** A comment, `#` included. `ownLine`: nothing but blanks stands before it. */
export interface CommentNode {
  readonly kind: 'comment'
  readonly text: string
  readonly ownLine: boolean
  readonly span: Span
}

/** A policy file. Comments stand beside the tree, in the order of the text. `partial`: a sentence is missing. */
export interface PolicyFile {
  readonly kind: 'policy'
  readonly source: SourceFile
  readonly statements: readonly StatementNode[]
  readonly comments: readonly CommentNode[]
  readonly partial: boolean
  readonly span: Span
}
