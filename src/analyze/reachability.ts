/** Which packets of a question get through, which do not, and which rules see to it: on one host, or through several that are joined. */

import type { Backend } from '../ir/hooks.ts'
import { ADDRESS_TYPE } from '../meaning/fields.ts'
import { tableNamed } from '../ir/ruleset.ts'
import type { Ruleset } from '../ir/ruleset.ts'
import { all, always, any, equals, hasAnyBit, not, opaque } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import type { Family } from '../net/address.ts'
import { PROTOCOL } from '../net/protocol.ts'
import type { Probe } from '../packet/probe.ts'
import type { PacketSet, PacketSets } from '../packetset/packet-sets.ts'
import { SCTP_BEGINS } from '../symbolic/conntrack-sets.ts'
import type { Decider, Fate } from '../symbolic/fate.ts'
import { knownPackets } from '../symbolic/known-connections.ts'
import type { KnownPackets } from '../symbolic/known-connections.ts'
import { unionOf } from '../symbolic/packet-class.ts'
import { readThrough } from '../symbolic/read-through.ts'
import { makeSpace, reachableSets, startSet } from '../symbolic/reachable-sets.ts'
import type { Reached, Space } from '../symbolic/reachable-sets.ts'
import type { Ipset, Namespace } from '../topology/topology.ts'
import { causesOf, keyOfCause, narrowReached } from './causes.ts'
import { gotThrough, partLeavingBy } from './outcomes.ts'
import { usualAmong } from './plain-view.ts'
import type { ReachGoal, ReachQuery } from './reach-query.ts'
import { replaySample } from './replay.ts'
import type { Condition } from './replay.ts'

/** A packet that the simulator confirmed, and what must be so for free variables. */
export interface Example {
  readonly probe: Probe
  readonly conditions: readonly Condition[]
}

/** Where packets end in a world of several namespaces; `port`: by which they leave it. */
export interface ReachPlace {
  readonly namespace: string
  readonly port: string | undefined
}

/** Packets of a question with one fate for one reason. */
export interface ReachGroup {
  readonly fate: Fate
  /** Absent where there is one host. */
  readonly place?: ReachPlace
  readonly by: Decider | undefined
  readonly set: PacketSet
  /** Undefined where the connection would have to be known, or none was confirmed. */
  readonly example: Example | undefined
}

/** The answer to a question. */
export interface Reachability {
  readonly family: Family
  readonly sets: PacketSets
  /** `free`: every network is possible. */
  readonly kind: 'free' | 'described'
  /** The packets that were asked for. */
  readonly asked: PacketSet
  /** Those that get where they are meant to. */
  readonly through: readonly ReachGroup[]
  /** Those that end. */
  readonly ended: readonly ReachGroup[]
  /** Those that get somewhere else: to the host, or out of another device. */
  readonly elsewhere: readonly ReachGroup[]
  /** Those of which too much would have to be told apart to follow them to the end. */
  readonly undecided: PacketSet
  readonly notes: readonly string[]
}

/** What is asked of which ruleset. Without a namespace every network is possible. */
export interface ReachabilityOptions {
  readonly ruleset: Ruleset
  readonly query: ReachQuery
  readonly namespace?: Namespace
  /** Kernel sets whose content is known, where no namespace has them. */
  readonly ipsets?: readonly Ipset[]
  readonly backend?: Backend
  readonly nodeLimit?: number
}

/** More reasons than this stand together. */
const MOST_REASONS = 200

/** So many groups of each kind get an example. */
const MOST_EXAMPLES = 24

/** Nodes that following the packets, and telling their reasons apart, may take. */
export const MOST_NODES = 20_000_000

/** Packets come to a host and leave its sockets without a mark, and an SCTP packet that begins something has the chunk that does. */
export const UNMARKED: Predicate = all([equals('mark', 0), any([not(equals('ip.protocol', PROTOCOL.sctp)), opaque(SCTP_BEGINS, SCTP_BEGINS)])])

/** Returns who gets through and why. The question is about usual packets: whole, between hosts, and of tcp those with SYN, of known connections with ACK. */
export function reachability({ ruleset, query, namespace, ipsets = [], backend = 'legacy', nodeLimit = MOST_NODES }: ReachabilityOptions): Reachability {
  const space = makeSpace({ family: ruleset.family, rulesets: [ruleset], backend, named: query.devices, ipsets, ...(namespace ? { namespace } : {}) })
  const { sets } = space
  const { start, state, goal } = query
  const meant = usualAmong(sets, sets.intersect(startSet(space, start, state), sets.setOf(all([UNMARKED, query.when])), freeGoal(space, goal)), state, likelySource(space, start))
  const known = state === 'known' && translates(ruleset) ? sets.withinBudget(nodeLimit, () => connectionsOf(space, ruleset)) : undefined
  const asked = known ? sets.intersect(meant, unionOf(sets, known.packets.map(({ set }) => set))) : meant
  const reached = reachableSets(space, ruleset, { start, state, within: asked, nodeLimit, ...(known ? { known: known.packets } : {}) })
  const exampleOf = ({ fate, set }: ReachGroup): Example | undefined => {
    const replay = state === 'new' ? replaySample({ space, ruleset, fate, set, variables: reached.variables }) : undefined
    return replay?.isConfirmed ? replay : undefined
  }
  const notes = [...reached.notes, ...(known?.notes ?? (state === 'known' && translates(ruleset) ? [KNOWN_NAT] : []))]
  return answerFrom({ family: ruleset.family, sets, kind: space.surroundings.kind, asked, goal, reached: { ...reached, notes }, nodeLimit, exampleOf, isHost: () => true, deviceOf: (fate, name) => partLeavingBy(sets, fate, name) })
}

/** A host's own packets have an address of its own, what arrives has another one. */
function likelySource({ surroundings }: Space, start: ReachQuery['start']): Predicate {
  const isOwn = surroundings.ground(hasAnyBit('addressType.src', ADDRESS_TYPE.LOCAL))
  return start === 'arrive' ? not(isOwn) : surroundings.kind === 'free' ? always : isOwn
}

/** The packets of connections whose first packet, a usual one, is accepted by the rules; undefined where these are of too many kinds. */
function connectionsOf(space: Space, ruleset: Ruleset): { readonly packets: readonly KnownPackets[]; readonly notes: readonly string[] } | undefined {
  const { sets, rewritings } = space
  const notes = new Set<string>()
  const fates = (['arrive', 'make'] as const).flatMap(start => {
    const within = usualAmong(sets, sets.intersect(startSet(space, start, 'new'), sets.setOf(UNMARKED)), 'new', likelySource(space, start))
    return reachableSets(space, ruleset, { start, state: 'new', within }).fates
  })
  const packets = knownPackets({ sets, rewritings, note: words => void notes.add(words) }, fates)
  return packets && { packets, notes: [...notes] }
}

/** What is said of known connections where there is nat. */
export const KNOWN_NAT = 'nat of known connections: their packets are asked about as if it left them as they are'

/** Tells whether the nat table has any rules. */
export function translates(ruleset: Ruleset): boolean {
  return tableNamed(ruleset, 'nat')?.chains.some(({ rules }) => rules.length > 0) ?? false
}

/** Where every network is possible the question is about networks in which the packets go where they are meant to. */
function freeGoal({ sets, surroundings }: Space, goal: ReachGoal): PacketSet {
  if (surroundings.kind === 'described' || goal.kind === 'any' || goal.kind === 'place') return sets.every
  return sets.setOfDevice('device.out', { name: goal.kind === 'host' ? '' : goal.name, prefix: false })
}

/** A fate, with its place where there are several hosts. */
export type PlacedFate = Fate & Partial<ReachPlace>

/** What a run found, and what is asked of it. */
export interface AnswerParts {
  readonly family: Family
  readonly sets: PacketSets
  readonly kind: Reachability['kind']
  readonly asked: PacketSet
  readonly goal: ReachGoal
  readonly reached: Omit<Reached, 'variables' | 'fates'> & { readonly fates: readonly PlacedFate[] }
  readonly nodeLimit: number
  readonly exampleOf: (group: ReachGroup) => Example | undefined
  /** Tells whether the host that is asked about is the place of a fate. */
  readonly isHost: (fate: PlacedFate) => boolean
  /** The packets of a fate that went out of a device. */
  readonly deviceOf: (fate: PlacedFate, device: string) => PacketSet
}

/** Returns the fates of a run as the answer to a question: by where packets get, then by reason. */
export function answerFrom(parts: AnswerParts): Reachability {
  const { family, sets, kind, asked, reached } = parts
  let budget = parts.nodeLimit
  const groups = reached.fates.flatMap(fate => {
    const before = sets.nodeCount()
    const found = groupsOf(parts, fate, budget)
    budget -= sets.nodeCount() - before
    return found
  }).flatMap(group => split(parts, group))
  const of = (where: Where): readonly ReachGroup[] => joinReasons(sets, groups.filter(one => one.where === where).map(({ group }) => group)).map((group, index) => (index < MOST_EXAMPLES ? { ...group, example: parts.exampleOf(group) } : group))
  return { family, sets, kind, asked, through: of('through'), ended: of('ended'), elsewhere: of('elsewhere'), undecided: reached.undecided, notes: reached.notes }
}

/** The packets of a fate by their reasons. What ended was ended by one; where the reasons are too many to be told apart nobody is named. */
function groupsOf({ sets, reached }: AnswerParts, fate: PlacedFate, budget: number): readonly ReachGroup[] {
  const place = fate.namespace === undefined ? {} : { place: { namespace: fate.namespace, port: fate.port } }
  const whole = [{ by: fate.by, set: fate.set }]
  const parts = gotThrough(fate.kind) ? sets.withinBudget(budget, () => causesOf(sets, narrowReached(sets, { ...reached, variables: new Map(), fates: [fate] }, fate.set), fate.set, { kind: 'verdict', limit: MOST_REASONS })) : whole
  return (parts ?? whole).map(({ by, set }) => ({ fate, ...place, by, set, example: undefined }))
}

type Where = 'through' | 'ended' | 'elsewhere'

interface At {
  readonly where: Where
  readonly group: ReachGroup
}

function split(parts: AnswerParts, group: ReachGroup): readonly At[] {
  const { sets, goal } = parts
  const { fate } = group
  if (goal.kind === 'place') return splitByPlace(sets, goal, group)
  if (!gotThrough(fate.kind)) return [{ where: 'ended', group }]
  if (goal.kind === 'any') return [{ where: 'through', group }]
  if (goal.kind === 'host') return [{ where: fate.kind === 'local' && parts.isHost(fate) ? 'through' : 'elsewhere', group }]
  if (fate.kind === 'local' && group.place === undefined) return [{ where: 'elsewhere', group }]
  const there = sets.intersect(group.set, parts.deviceOf(fate, goal.name))
  return partsOf(sets, group, there)
}

/** What matters is whom a packet is for in the end: those that end on their way to the place are told, others are no part of the question. */
function splitByPlace(sets: PacketSets, { place, service }: Extract<ReachGoal, { kind: 'place' }>, group: ReachGroup): readonly At[] {
  const { fate } = group
  const holds = (predicate: Predicate): PacketSet => sets.intersect(group.set, sets.setOf(readThrough(predicate, fate.rewriting)))
  const served = { ...group, set: holds(service) }
  if (fate.kind === 'local' && group.place?.namespace === place.namespace) return served.set === sets.none ? [] : [{ where: 'through', group: served }]
  const meant = sets.intersect(served.set, sets.union(...addressesIn(place.addresses, sets.family).map(address => holds({ kind: 'within', field: 'ip.dst', low: address, high: address }))))
  return meant === sets.none ? [] : [{ where: gotThrough(fate.kind) ? 'elsewhere' : 'ended', group: { ...group, set: meant } }]
}

function addressesIn<A extends number | bigint>(addresses: readonly A[], family: Family): readonly A[] {
  return addresses.filter(address => typeof address === (family === 'ipv4' ? 'number' : 'bigint'))
}

function partsOf(sets: PacketSets, group: ReachGroup, there: PacketSet): readonly At[] {
  const parts = [{ where: 'through' as const, group: { ...group, set: there } }, { where: 'elsewhere' as const, group: { ...group, set: sets.subtract(group.set, there) } }]
  return parts.filter(part => part.group.set !== sets.none)
}

/** One group for each reason; usual packets, which begin a connection, stand for the others. */
function joinReasons(sets: PacketSets, groups: readonly ReachGroup[]): readonly ReachGroup[] {
  const joined = new Map<string, ReachGroup>()
  for (const group of groups) {
    const translated = ['ip.src', 'ip.dst', 'l4.sport', 'l4.dport'].filter(field => [...group.fate.rewriting.values.keys()].some(one => one === field)).join(' ')
    const key = `${group.place?.namespace ?? ''} ${group.place?.port ?? ''} ${group.fate.kind} ${keyOfCause(group.by)} ${translated === '' ? '' : group.fate.rewriting.key}`
    const known = joined.get(key)
    const better = known && group.fate.rewriting.connection !== 'new' ? known : group
    joined.set(key, known ? { ...better, set: sets.union(known.set, group.set) } : group)
  }
  return [...joined.values()]
}
