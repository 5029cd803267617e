/** Rules as proofs see them: which packets they match, which they take notice of, and what they do that anybody could see. */

import { effectsOf, memoryOf, predicateOf } from '../../extensions/meaning-of.ts'
import { targetInWords } from '../../extensions/option-words.ts'
import type { Backend } from '../../ir/hooks.ts'
import { eachRule } from '../../ir/ruleset.ts'
import type { MatchUse, Rule, Ruleset, TargetUse } from '../../ir/ruleset.ts'
import type { Effect } from '../../meaning/effect.ts'
import { opaque } from '../../meaning/predicate.ts'
import type { Predicate } from '../../meaning/predicate.ts'
import type { Family } from '../../net/address.ts'
import type { PacketCube, PacketSet, PacketSets } from '../../packetset/packet-sets.ts'

/** Where a matching packet's way goes on: at the next rule, back at the caller, at its end, or in another chain. */
export type ActEnd =
  | { readonly kind: 'on' | 'back' }
  | { readonly kind: 'decide'; readonly fate: string }
  | { readonly kind: 'jump' | 'goto'; readonly to: string }

/** Fields and ipsets, by name; `all` of what could be anything. All of a connection's fields are one. */
export type Touched = ReadonlySet<string> | 'all'

/** One rule. Two acts of equal `id` are the same rule. */
export interface RuleAct {
  readonly id: number
  readonly cube: PacketCube | 'never' | undefined
  /** Packets that match. What its matches with memory answer is a free variable of the rule. */
  readonly set: () => PacketSet
  /** Packets that its matches with memory take notice of, whatever they answer; undefined where it has none. */
  readonly noticed: (() => PacketSet) | undefined
  readonly end: ActEnd
  /** What it does to matching packets before that, in words that are equal for equal deeds: a log line, a mark, a count. */
  readonly deed: string | undefined
  /** What its target writes, and what its matches read. */
  readonly writes: Touched
  readonly reads: Touched
}

/** What rules are seen in. */
export interface ActSpace {
  readonly sets: PacketSets
  readonly family: Family
  readonly backend: Backend
  /** Kernel sets whose entries' counters some rule asks for: to match them is to count. */
  readonly counted: ReadonlySet<string>
}

const NOTHING: ReadonlySet<string> = new Set()

/** How the deed of a rule that only counts begins. */
export const COUNT = 'count of rule '

/** Returns the kernel sets of whose entries some rule compares the counters. */
export function countedIpsets(ruleset: Ruleset): ReadonlySet<string> {
  const names = new Set<string>()
  eachRule(ruleset, ({ matches }) => {
    for (const use of matches) {
      if (use.name !== 'set' || !Object.keys(use.infos).some(option => /^(packets|bytes)-/.test(option))) continue
      for (const name of ipsetsOf(predicateOf(use, ruleset.family))) names.add(name)
    }
  })
  return names
}

/** Returns a rule as a proof sees it. `id` is another one for each rule, and stays with a rule that is only moved. */
export function actOf(space: ActSpace, rule: Rule, id: number): RuleAct {
  const { sets, family, backend } = space
  const memories = rule.matches.map(use => hasMemory(space, use))
  const predicates = rule.matches.map((use, index) => (memories[index] ? opaque(`match ${index} of rule ${id}`, use.name) : predicateOf(use, family, backend)))
  const first = memories.indexOf(true)
  const cube = sets.cubeOf(predicates)
  const setOfAll = (some: readonly Predicate[]): PacketSet => sets.intersect(...some.map(predicate => sets.setOf(predicate)))
  return {
    id, cube,
    set: once(() => (cube === 'never' ? sets.none : cube ? sets.setOfCube(cube) : setOfAll(predicates))),
    noticed: first === -1 ? undefined : once(() => setOfAll(predicates.slice(0, first))),
    reads: readsOf(predicates.filter((_, index) => !memories[index])),
    ...doingOf(rule, id, family, backend, first !== -1),
  }
}

function once(make: () => PacketSet): () => PacketSet {
  let made: PacketSet | undefined
  return () => (made ??= make())
}

/** Matches that remember, count, log or write: that they were asked can be seen, so the same packets must come to them. */
function hasMemory({ family, backend, counted }: ActSpace, use: MatchUse): boolean {
  if (use.words || memoryOf(use, family)) return true
  if (use.name === 'nfacct' || ACTING[use.name]?.some(option => use.infos[option])) return true
  return counted.size > 0 && ipsetsOf(predicateOf(use, family, backend)).some(name => counted.has(name))
}

/** Options with which a match does something. */
const ACTING: Readonly<Record<string, readonly string[]>> = { connlabel: ['set'], socket: ['restore-skmark'], osf: ['log'] }

function ipsetsOf(predicate: Predicate): readonly string[] {
  if (predicate.kind === 'ipset') return [predicate.name]
  if (predicate.kind === 'not') return ipsetsOf(predicate.of)
  return predicate.kind === 'all' || predicate.kind === 'any' ? predicate.of.flatMap(ipsetsOf) : []
}

type Doing = Pick<RuleAct, 'end' | 'deed' | 'writes'>

function doingOf({ target }: Rule, id: number, family: Family, backend: Backend, notices: boolean): Doing {
  // A rule without a target is there to count, or for what its matches remember.
  if (!target) return { end: { kind: 'on' }, deed: notices ? undefined : `${COUNT}${id}`, writes: NOTHING }
  if (target.kind !== 'target') return { end: { kind: target.kind, to: target.chain }, deed: undefined, writes: NOTHING }
  const words = targetInWords(target, family, backend)
  if (target.words) return { end: { kind: 'on' }, deed: words, writes: 'all' }
  const effects = effectsOf(target, family)
  const end = endOf(effects, words)
  return { end, deed: end.kind === 'on' ? words : undefined, writes: end.kind === 'on' ? writesOf(target, effects) : NOTHING }
}

/** The words of a target say all that it does, so equal words are equal fates. */
function endOf(effects: readonly Effect[], words: string): ActEnd {
  for (const effect of effects) {
    if (effect.kind === 'verdict' && effect.verdict === 'return') return { kind: 'back' }
    if ((effect.kind === 'verdict' && effect.verdict !== 'continue') || effect.kind === 'nat' || effect.kind === 'reject') return { kind: 'decide', fate: words }
  }
  return { kind: 'on' }
}

/** Targets whose effect is told in words only, and which some match could notice. */
const UNSEEN_WRITERS: ReadonlySet<string> = new Set(['RATEEST', 'CHECKSUM'])

function writesOf(target: TargetUse, effects: readonly Effect[]): Touched {
  if (target.kind === 'target' && UNSEEN_WRITERS.has(target.name)) return 'all'
  return joinTouched(effects.map(writesOfEffect))
}

function writesOfEffect(effect: Effect): Touched {
  switch (effect.kind) {
    case 'assign':
    case 'adjust':
      return new Set([fieldName(effect.field)])
    case 'untrack':
    case 'track':
      return new Set(['ct'])
    case 'clampMss':
    case 'stripOptions':
      return new Set(['tcp.mss', 'tcp.options', 'ip.length'])
    case 'ipset':
      return new Set([`ipset ${effect.name}`])
    case 'verdict':
    case 'observe':
      return NOTHING
    default:
      return 'all'
  }
}

function readsOf(predicates: readonly Predicate[]): Touched {
  return joinTouched(predicates.map(readsOfPredicate))
}

function readsOfPredicate(predicate: Predicate): Touched {
  switch (predicate.kind) {
    case 'always':
    case 'never':
      return NOTHING
    case 'within':
    case 'masked':
      return new Set([fieldName(predicate.field)])
    case 'device':
      return new Set([predicate.field])
    case 'not':
      return readsOfPredicate(predicate.of)
    case 'all':
    case 'any':
      return readsOf(predicate.of)
    case 'ipset':
      return new Set([`ipset ${predicate.name}`, 'ip.src', 'ip.dst', 'l4.sport', 'l4.dport', 'mark'])
    default:
      return 'all'
  }
}

function fieldName(field: string): string {
  return field.startsWith('ct.') ? 'ct' : field
}

/** Returns what is touched by any of several. */
export function joinTouched(parts: readonly Touched[]): Touched {
  const filled = parts.filter(part => part === 'all' || part.size > 0)
  if (filled.length <= 1) return filled[0] ?? NOTHING
  return filled.some(part => part === 'all') ? 'all' : new Set(filled.flatMap(part => [...part]))
}

/** Tells whether what is written may be what is read. */
export function touches(writes: Touched, reads: Touched): boolean {
  if (writes === 'all') return reads === 'all' || reads.size > 0
  if (writes.size === 0) return false
  return reads === 'all' || [...writes].some(name => reads.has(name))
}
