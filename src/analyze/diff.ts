/** The packets that two rulesets treat differently: what becomes of them, or with which headers they arrive. */

import type { Backend } from '../ir/hooks.ts'
import type { Ruleset } from '../ir/ruleset.ts'
import { all, always } from '../meaning/predicate.ts'
import type { PacketSet, PacketSets } from '../packetset/packet-sets.ts'
import type { Decider, Fate, FateKind, FlowState } from '../symbolic/fate.ts'
import { prepareRuleset } from '../symbolic/prepare-rules.ts'
import type { PreparedRuleset } from '../symbolic/prepare-rules.ts'
import { makeSpace, reachableSets, startSet } from '../symbolic/reachable-sets.ts'
import type { Reached, Space, Start } from '../symbolic/reachable-sets.ts'
import { valuesEqual } from '../symbolic/value.ts'
import type { Ipset, Namespace } from '../topology/topology.ts'
import { causesOf, keyOfCause, narrowReached } from './causes.ts'
import type { CauseKind } from './causes.ts'
import { withOwnIpsets } from './own-ipsets.ts'
import { leavingBy, outcomeClasses } from './outcomes.ts'
import type { OutcomeClass } from './outcomes.ts'
import { usualAmong } from './plain-view.ts'
import { replayOf, sampleOf } from './replay.ts'
import type { Replay } from './replay.ts'
import { selfAddressed } from './self-addressed.ts'
import { suspectSet } from './suspects.ts'

/** Two rulesets of one family. Without a namespace every topology counts: what is equal is equal wherever it is loaded. */
export interface DiffOptions {
  readonly before: Ruleset
  readonly after: Ruleset
  readonly namespace?: Namespace
  /** Kernel sets whose content is known, of either side: a set of other content is a difference. They are the namespace's too. */
  readonly ipsets?: Readonly<Record<'before' | 'after', readonly Ipset[]>>
  readonly backend?: Backend
  readonly nodeLimit?: number
}

/** What one version does with the packets of a group. */
export interface DiffSide {
  readonly kind: FateKind
  /** Why; undefined where no rule or policy had a say. */
  readonly by: Decider | undefined
  /** There are more causes than are told apart: this is that of some of the packets. */
  readonly isMixed: boolean
  readonly fate: Fate
  /** Returns a packet of the group as the simulator sends it, the same for both sides; undefined where its connection would have to be known. */
  readonly replay: () => Replay | undefined
}

/** Packets that differ for one reason. */
export interface DiffGroup {
  readonly start: Start
  readonly state: FlowState
  readonly set: PacketSet
  readonly before: DiffSide
  readonly after: DiffSide
}

/** What differs. `isWhole` is false where the rulesets were too big to be compared to the end: there may be more. */
export interface RulesetDiff {
  readonly space: Space
  readonly groups: readonly DiffGroup[]
  readonly isWhole: boolean
  /** What is not followed, in words. */
  readonly notes: readonly string[]
}

const PASSES: readonly { readonly start: Start; readonly state: FlowState }[] = [
  { start: 'arrive', state: 'new' }, { start: 'arrive', state: 'known' }, { start: 'make', state: 'new' }, { start: 'make', state: 'known' },
]

/** Beyond so many nodes the rulesets are too big: a minute, and about a gigabyte. */
const MOST_NODES = 20_000_000

const NO_IPSETS = { before: [], after: [] }

/** Compares two rulesets over all packets. Nobody is told of a difference that is none, and none is missed while `isWhole`. */
export function diffRulesets({ before, after: given, namespace, ipsets: known = NO_IPSETS, backend = 'legacy', nodeLimit = MOST_NODES }: DiffOptions): RulesetDiff {
  const { ruleset: after, ipsets } = withOwnIpsets(given, known)
  const host = namespace && { ...namespace, ipsets: [...namespace.ipsets, ...ipsets] }
  const space = makeSpace({ family: before.family, rulesets: [before, after], backend, ipsets, ...(host ? { namespace: host } : {}) })
  const sides = { before: prepareRuleset(before, backend), after: prepareRuleset(after, backend) }
  const notes = new Set<string>()
  const groups: DiffGroup[] = []
  let isWhole = true
  for (const { start, state } of PASSES) {
    const found = space.sets.withinBudget(nodeLimit - space.sets.nodeCount(), () => diffPass(space, sides, start, state, notes))
    groups.push(...(found ?? []))
    isWhole &&= found !== undefined
  }
  return { space, groups, isWhole, notes: [...notes] }
}

function diffPass(space: Space, sides: Readonly<Record<'before' | 'after', PreparedRuleset>>, start: Start, state: FlowState, notes: Set<string>): readonly DiffGroup[] {
  const { sets } = space
  const within = sets.intersect(startSet(space, start, state), suspectSet(space, sides.before, sides.after, start))
  if (within === sets.none) return []
  const before = reachableSets(space, sides.before.ruleset, { start, state, within })
  const after = reachableSets(space, sides.after.ruleset, { start, state, within })
  for (const note of [...before.notes, ...after.notes]) notes.add(note)
  const cells = differences(space, outcomeClasses(space, before.fates), outcomeClasses(space, after.fates))
  const isPossible = space.surroundings.kind === 'free' && start === 'arrive' ? selfAddressed(sets).isPossible : undefined
  const found = joinGroups(space, cells.flatMap(cell => groupsOf(space, cell, { before, after })))
  return found.filter(({ set }) => isPossible?.(set) ?? true).map(group => withReplays(space, sides, { before, after }, { start, state, ...group }))
}

/** Packets of one outcome before and another one after. */
interface Cell {
  readonly kind: CauseKind
  readonly set: PacketSet
}

function differences(space: Space, before: ReadonlyMap<string, OutcomeClass>, after: ReadonlyMap<string, OutcomeClass>): readonly Cell[] {
  const { sets } = space
  const same = [...before].flatMap(([key, one]) => {
    const other = after.get(key)
    return other ? [sets.intersect(one.set, other.set)] : []
  })
  const equal = sets.union(...same)
  const left = new Map([...after].map(([key, one]) => [key, sets.subtract(one.set, equal)]))
  return [...before].flatMap(([key, one]) => {
    const rest = sets.subtract(one.set, equal)
    if (rest === sets.none) return []
    return [...after].flatMap(([otherKey, other]): Cell[] => {
      const set = left.get(otherKey) ?? sets.none
      if (key === otherKey || !sets.meets(rest, set)) return []
      const both = sets.intersect(rest, set)
      if (one.kind !== other.kind) return [{ kind: 'verdict', set: both }]
      const differing = sets.subtract(both, coincidence(space, one, other))
      return differing === sets.none ? [] : [{ kind: 'translation', set: differing }]
    })
  })
}

/** Packets to which two rewritings do the same, such as one to an address that they have already. */
function coincidence({ sets }: Space, one: OutcomeClass, other: OutcomeClass): PacketSet {
  const sameDevice = one.device === other.device ? sets.every : sets.union(...sets.deviceNames().map(name => sets.intersect(leavingBy(sets, one.device, name), leavingBy(sets, other.device, name))))
  const sameValues = all(one.values.flatMap((value, index) => {
    const otherValue = other.values[index]
    return otherValue ? [valuesEqual(value, otherValue)] : []
  }))
  return sets.intersect(sameDevice, sets.setOf(sameValues))
}

type Group = Omit<DiffGroup, 'start' | 'state' | 'before' | 'after'> & Readonly<Record<'before' | 'after', Omit<DiffSide, 'replay'>>>

/** So many parts of a cell are told apart by their cause on each side. */
const MOST_CAUSES = 40

function groupsOf({ sets, surroundings }: Space, { kind, set }: Cell, reached: Readonly<Record<'before' | 'after', Reached>>): readonly Group[] {
  const packets = (of: PacketSet): PacketSet => (surroundings.kind === 'free' ? of : sets.exists(of, 'device.out'))
  const [before, after] = [narrowReached(sets, reached.before, set), narrowReached(sets, reached.after, packets(set))]
  return causesOf(sets, before, set, { kind, limit: MOST_CAUSES }).flatMap(old => {
    const part = packets(old.set)
    return causesOf(sets, narrowReached(sets, after, part), part, { kind, limit: MOST_CAUSES }).map(now => ({
      set: now.set, before: { kind: old.fate.kind, by: old.by, isMixed: old.isMixed, fate: old.fate }, after: { kind: now.fate.kind, by: now.by, isMixed: now.isMixed, fate: now.fate },
    }))
  })
}

function joinGroups({ sets }: Space, groups: readonly Group[]): readonly Group[] {
  const joined = new Map<string, Group>()
  for (const group of groups) {
    const { before, after } = group
    const key = [before.kind, keyOfCause(before.by), before.fate.rewriting.key, after.kind, keyOfCause(after.by), after.fate.rewriting.key].join('|')
    const known = joined.get(key)
    joined.set(key, known ? joinedGroups(sets, known, group) : group)
  }
  return [...joined.values()]
}

function joinedGroups(sets: PacketSets, one: Group, other: Group): Group {
  const side = (which: 'before' | 'after'): Group['before'] => ({ ...one[which], isMixed: one[which].isMixed || other[which].isMixed })
  return { ...one, set: sets.union(one.set, other.set), before: side('before'), after: side('after') }
}

function withReplays(space: Space, sides: Readonly<Record<'before' | 'after', PreparedRuleset>>, reached: Readonly<Record<'before' | 'after', Reached>>, group: Group & Pick<DiffGroup, 'start' | 'state'>): DiffGroup {
  const sample = once(() => {
    if (group.state === 'known') return undefined
    const usual = usualAmong(space.sets, group.set, 'new', always)
    return sampleOf(space, usual === space.sets.none ? group.set : usual)
  })
  const side = (which: 'before' | 'after'): DiffSide => {
    const replay = once(() => {
      const one = sample()
      return one && replayOf(space, sides[which].ruleset, group[which].fate, one, reached[which].variables)
    })
    return { ...group[which], replay }
  }
  return { ...group, before: side('before'), after: side('after') }
}

/** Most groups are never shown: what is said of one is found when it is asked for. */
function once<Found>(find: () => Found): () => Found {
  let known: { readonly found: Found } | undefined
  return () => (known ??= { found: find() }).found
}
