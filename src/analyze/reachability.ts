/** Which packets of a question get through, which do not, and which rules see to it. */

import type { Backend } from '../ir/hooks.ts'
import type { Ruleset } from '../ir/ruleset.ts'
import type { PacketSet } from '../packetset/packet-sets.ts'
import type { Decider, Fate } from '../symbolic/fate.ts'
import { makeSpace, reachableSets, startSet } from '../symbolic/reachable-sets.ts'
import type { Space } from '../symbolic/reachable-sets.ts'
import type { Namespace } from '../topology/topology.ts'
import { causesOf, keyOfCause, narrowReached } from './causes.ts'
import { gotThrough } from './outcomes.ts'
import { usualPacket } from './plain-view.ts'
import type { ReachQuery } from './reach-query.ts'
import { replaySample } from './replay.ts'
import type { Replay } from './replay.ts'

/** Packets of a question with one fate for one reason. */
export interface ReachGroup {
  readonly fate: Fate
  readonly by: Decider | undefined
  readonly set: PacketSet
  /** A packet that the simulator confirmed; undefined where its connection would have to be known, or none was confirmed. */
  readonly replay: Replay | undefined
}

/** The answer to a question. */
export interface Reachability {
  readonly space: Space
  /** The packets that were asked for. */
  readonly asked: PacketSet
  /** Those that get where they are meant to. */
  readonly through: readonly ReachGroup[]
  /** Those that end. */
  readonly ended: readonly ReachGroup[]
  /** Those that get somewhere else: to the host, or out of another device. */
  readonly elsewhere: readonly ReachGroup[]
  readonly notes: readonly string[]
}

/** What is asked of which ruleset. Without a namespace every network is possible. */
export interface ReachabilityOptions {
  readonly ruleset: Ruleset
  readonly query: ReachQuery
  readonly namespace?: Namespace
  readonly backend?: Backend
}

/** More reasons than this stand together. */
const MOST_REASONS = 200

/** So many groups of each kind get an example. */
const MOST_REPLAYS = 24

/** Returns who gets through and why. The question is about usual packets: whole, between hosts, and of tcp those with SYN, of known connections with ACK. */
export function reachability({ ruleset, query, namespace, backend = 'legacy' }: ReachabilityOptions): Reachability {
  const space = makeSpace({ family: ruleset.family, rulesets: [ruleset], backend, named: query.devices, ...(namespace ? { namespace } : {}) })
  const { sets } = space
  const { start, state, goal } = query
  const asked = sets.intersect(startSet(space, start, state), sets.setOf(usualPacket(ruleset.family, state)), sets.setOf(query.when), freeGoal(space, goal))
  const reached = reachableSets(space, ruleset, { start, state, within: asked })
  const groups = reached.fates.flatMap((fate): readonly ReachGroup[] => {
    const narrow = narrowReached(sets, { ...reached, fates: [fate] }, fate.set)
    return causesOf(sets, narrow, fate.set, { kind: 'verdict', limit: MOST_REASONS }).map(({ by, set }) => ({ fate, by, set, replay: undefined }))
  })
  const withReplay = (group: ReachGroup): ReachGroup => {
    const replay = state === 'new' ? replaySample({ space, ruleset, fate: group.fate, set: group.set, variables: reached.variables }) : undefined
    return replay?.isConfirmed ? { ...group, replay } : group
  }
  const atGoal = groups.flatMap(group => split(space, group, goal))
  const of = (where: Place): readonly ReachGroup[] => joinReasons(space, atGoal.filter(one => one.where === where).map(({ group }) => group)).map((group, index) => (index < MOST_REPLAYS ? withReplay(group) : group))
  return { space, asked, through: of('through'), ended: of('ended'), elsewhere: of('elsewhere'), notes: reached.notes }
}

/** Where every network is possible the question is about networks in which the packets go where they are meant to. */
function freeGoal({ sets, surroundings }: Space, goal: ReachQuery['goal']): PacketSet {
  if (surroundings.kind === 'described' || goal.kind === 'any') return sets.every
  return sets.setOfDevice('device.out', { name: goal.kind === 'host' ? '' : goal.name, prefix: false })
}

type Place = 'through' | 'ended' | 'elsewhere'

function split({ sets }: Space, group: ReachGroup, goal: ReachQuery['goal']): readonly { readonly where: Place; readonly group: ReachGroup }[] {
  const { fate } = group
  if (!gotThrough(fate.kind)) return [{ where: 'ended', group }]
  if (goal.kind === 'any') return [{ where: 'through', group }]
  if (goal.kind === 'host') return [{ where: fate.kind === 'local' ? 'through' : 'elsewhere', group }]
  if (fate.kind === 'local') return [{ where: 'elsewhere', group }]
  const bound = fate.rewriting.devices['device.out']
  const there = bound === undefined ? sets.intersect(group.set, sets.setOfDevice('device.out', { name: goal.name, prefix: false })) : bound === goal.name ? group.set : sets.none
  const parts = [{ where: 'through' as const, group: { ...group, set: there } }, { where: 'elsewhere' as const, group: { ...group, set: sets.subtract(group.set, there) } }]
  return parts.filter(part => part.group.set !== sets.none)
}

/** One group for each reason; usual packets, which begin a connection, stand for the others. */
function joinReasons({ sets }: Space, groups: readonly ReachGroup[]): readonly ReachGroup[] {
  const joined = new Map<string, ReachGroup>()
  for (const group of groups) {
    const translated = ['ip.src', 'ip.dst', 'l4.sport', 'l4.dport'].filter(field => [...group.fate.rewriting.values.keys()].some(one => one === field)).join(' ')
    const key = `${group.fate.kind} ${keyOfCause(group.by)} ${translated === '' ? '' : group.fate.rewriting.key}`
    const known = joined.get(key)
    const better = known && group.fate.rewriting.connection !== 'new' ? known : group
    joined.set(key, known ? { ...better, set: sets.union(known.set, group.set) } : group)
  }
  return [...joined.values()]
}
