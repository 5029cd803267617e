/** One symbolic run: what all its parts share, and what they note down. */

import type { Backend } from '../ir/hooks.ts'
import type { Family } from '../net/address.ts'
import type { PacketCube, PacketSet, PacketSets } from '../packetset/packet-sets.ts'
import { keyOfDecider } from './fate.ts'
import type { Decider, Decision, Fate, FateKind, FlowState } from './fate.ts'
import type { PacketClass } from './packet-class.ts'
import { unionOf } from './packet-class.ts'
import type { PreparedRule, PreparedRuleset } from './prepare-rules.ts'
import { readThrough } from './read-through.ts'
import type { Rewriting, Rewritings } from './rewriting.ts'
import type { Surroundings } from './surroundings.ts'
import type { Predicate } from '../meaning/predicate.ts'

/** What a run is made of. */
export interface RunOptions {
  readonly sets: PacketSets
  readonly rewritings: Rewritings
  readonly prepared: PreparedRuleset
  readonly surroundings: Surroundings
  readonly backend: Backend
  readonly state: FlowState
  /** The namespace, where there are several. */
  readonly namespace?: string
}

/** A run. The functions note; `fatesOf` and `decisionsOf` tell what was noted. */
export interface Run extends RunOptions {
  readonly family: Family
  /** Returns the packets at first of which a predicate holds once they are rewritten so. */
  readonly setOf: (predicate: Predicate, rewriting: Rewriting) => PacketSet
  /** Returns the packets of a class that match a rule, and those that do not. */
  readonly splitByRule: (rule: PreparedRule, packets: PacketClass) => { readonly hit: PacketSet; readonly missed: PacketSet }
  readonly end: (kind: FateKind, by: Decider | undefined, packets: PacketClass) => void
  readonly decide: (verdict: Decision['verdict'], by: Decider, set: PacketSet) => void
  /** Takes packets that are not followed any further, and why in words. */
  readonly leaveOpen: (why: string, set: PacketSet) => void
  readonly openPackets: () => PacketSet
  /** What was forwarded over lo, by how it was rewritten. */
  readonly looped: Map<string, PacketSet>
  /** Things that took part and are not followed, in words. */
  readonly notes: Set<string>
  readonly fatesOf: () => readonly Fate[]
  readonly decisionsOf: () => readonly Decision[]
}

/** Returns a run in which nothing happened yet. */
export function makeRun(options: RunOptions): Run {
  const { sets, prepared, surroundings } = options
  const fates = new Map<string, { readonly kind: FateKind; readonly by: Decider | undefined; readonly rewriting: Rewriting; readonly parts: PacketSet[] }>()
  const decisions = new Map<string, { readonly verdict: Decision['verdict']; readonly by: Decider; readonly parts: PacketSet[] }>()
  const notes = new Set<string>()
  const open: PacketSet[] = []
  const cubes: Cubes = new WeakMap()
  const setOf = (predicate: Predicate, rewriting: Rewriting): PacketSet => sets.setOf(readThrough(surroundings.ground(predicate), rewriting))
  return {
    ...options,
    family: prepared.ruleset.family,
    setOf,
    splitByRule: (rule, packets) => split(sets, readThrough(surroundings.ground(rule.when), packets.rewriting), packets.set, cubes),
    notes,
    looped: new Map(),
    leaveOpen(why, set) {
      if (set === sets.none) return
      notes.add(why)
      open.push(set)
    },
    openPackets: () => unionOf(sets, open),
    end(kind, by, { rewriting, set }) {
      const key = `${kind} ${keyOfDecider(by)} ${rewriting.key}`
      const known = fates.get(key)
      if (known) known.parts.push(set)
      else fates.set(key, { kind, by, rewriting, parts: [set] })
    },
    decide(verdict, by, set) {
      const key = `${verdict} ${keyOfDecider(by)}`
      const known = decisions.get(key)
      if (known) known.parts.push(set)
      else decisions.set(key, { verdict, by, parts: [set] })
    },
    fatesOf: () => [...fates.values()].map(({ kind, by, rewriting, parts }) => ({ kind, by, rewriting, set: unionOf(sets, parts) })),
    decisionsOf: () => [...decisions.values()].map(({ verdict, by, parts }) => ({ verdict, by, set: unionOf(sets, parts) })),
  }
}

type Cubes = WeakMap<Predicate, PacketCube | 'never' | undefined>

/** Most rules are cubes: those are taken out of a set along one path. */
function split(sets: PacketSets, predicate: Predicate, set: PacketSet, cubes: Cubes): { readonly hit: PacketSet; readonly missed: PacketSet } {
  if (predicate.kind === 'always') return { hit: set, missed: sets.none }
  if (predicate.kind === 'never') return { hit: sets.none, missed: set }
  const cube = cubeOf(sets, cubes, predicate)
  if (cube === 'never') return { hit: sets.none, missed: set }
  if (cube) return sets.meetsCube(set, cube) ? { hit: sets.intersectCube(set, cube), missed: sets.subtractCube(set, cube) } : { hit: sets.none, missed: set }
  const matching = sets.setOf(predicate)
  const hit = sets.intersect(set, matching)
  return { hit, missed: hit === sets.none ? set : hit === set ? sets.none : sets.subtract(set, matching) }
}

function cubeOf(sets: PacketSets, cubes: Cubes, predicate: Predicate): PacketCube | 'never' | undefined {
  const known = cubes.get(predicate)
  if (known !== undefined || cubes.has(predicate)) return known
  const cube = sets.cubeOf([predicate])
  cubes.set(predicate, cube)
  return cube
}
