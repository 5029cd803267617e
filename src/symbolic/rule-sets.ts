/** Rules as packet sets: the universe that rulesets speak of, and for each rule the packets that it matches. */

import { effectsOf, memoryOf, predicateOf } from '../extensions/meaning-of.ts'
import { invariant } from '../diagnostics/diagnostic.ts'
import type { Backend } from '../ir/hooks.ts'
import { eachRule } from '../ir/ruleset.ts'
import type { Chain, Rule, Ruleset } from '../ir/ruleset.ts'
import { always, opaque } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import type { PacketCube, PacketSet, PacketSets } from '../packetset/packet-sets.ts'
import type { PacketUniverse } from '../packetset/space.ts'
import type { Ipset } from '../topology/topology.ts'
import { devicesOfIpsets } from './device-universe.ts'
import { ipsetMeaning } from './ipset-meaning.ts'

/** What one rule matches. `set` is made when it is asked for. */
export interface RuleMatch {
  readonly predicates: readonly Predicate[]
  /** 'never' where the rule matches no packet by itself; undefined where its matches are no cube. */
  readonly cube: PacketCube | 'never' | undefined
  set(): PacketSet
  /** Cubes that together are what the rule matches, none where it is 'never'; undefined where they would be many. */
  cubes(): readonly PacketCube[] | undefined
  /** What must hold beside the hull. */
  beside(): PacketSet
  /** A cube that holds of all packets that the rule matches, whatever its forgetful variables are: its own where it has one and none of those. */
  hull(): PacketCube
  /** The rule asks for variables that are others whenever it is asked again; see `isForgetful`. */
  readonly isForgetful: boolean
}

/** The matches of a ruleset's rules. */
export interface RuleSets {
  readonly sets: PacketSets
  readonly ruleset: Ruleset
  readonly backend: Backend
  matchOf(rule: Rule, number: number, chain: Chain): RuleMatch
  /** Tells whether a free variable is another one whenever its rule is asked again: limits and other matches with memory, sets that rules change. */
  isForgetful(key: string): boolean
}

/** Returns the universe of rulesets: their device patterns, the given devices (all there are where `isClosed`), and kernel sets as `ipsetMeaning` knows them, or whose content is given. */
export function universeOf(rulesets: readonly Ruleset[], backend: Backend, given: { readonly devices?: readonly string[]; readonly isClosed?: boolean; readonly ipsetMeaning?: PacketUniverse['ipsetMeaning']; readonly ipsets?: readonly Ipset[] } = {}): PacketUniverse {
  const names = new Set([...(given.devices ?? []), ...devicesOfIpsets(given.ipsets ?? [])])
  const prefixes = new Set<string>()
  const visit = (predicate: Predicate): void => {
    if (predicate.kind === 'device') (predicate.pattern.prefix ? prefixes : names).add(predicate.pattern.name)
    else if (predicate.kind === 'all' || predicate.kind === 'any') predicate.of.forEach(visit)
    else if (predicate.kind === 'not') visit(predicate.of)
  }
  for (const ruleset of rulesets) {
    eachRule(ruleset, rule => {
      for (const use of rule.matches) visit(predicateOf(use, ruleset.family, backend))
    })
  }
  names.delete('')
  const { ipsets, ipsetMeaning: meaning = ipsets && (use => ipsetMeaning(ipsets, use, rulesets[0]?.family)) } = given
  return { devices: { names: [...names], prefixes: [...prefixes], isClosed: given.isClosed ?? false }, ...(meaning ? { ipsetMeaning: meaning } : {}) }
}

/** Returns the matches of a ruleset's rules as sets of `sets`, each made once. */
export function makeRuleSets(ruleset: Ruleset, backend: Backend, sets: PacketSets): RuleSets {
  const matches: (RuleMatch | undefined)[] = []
  const forgetful = new Set<string>()
  const changed = changedIpsets(ruleset)
  const withOwnVariables = (rule: Rule, plain: readonly Predicate[], place: string): RuleMatch => {
    const predicates = rule.matches.map((use, index) => ownVariables(plain[index] ?? always, memoryOf(use, ruleset.family) !== undefined, place, changed, forgetful))
    return makeMatch(sets, predicates, predicates.filter((predicate, index) => predicate === plain[index]))
  }
  return {
    sets, ruleset, backend,
    matchOf(rule, number, chain) {
      const known = matches[rule.id]
      if (known) return known
      const plain = rule.matches.map(use => predicateOf(use, ruleset.family, backend))
      const isLasting = changed.size === 0 && rule.matches.every(use => memoryOf(use, ruleset.family) === undefined)
      const match = isLasting ? makeMatch(sets, plain, plain) : withOwnVariables(rule, plain, ` of rule ${number} in ${chain.name} of ${chain.table}`)
      matches[rule.id] = match
      return match
    },
    isForgetful: key => forgetful.has(key) || key.includes(VISIT),
  }
}

/** Stands in the keys of variables that belong to one call of a chain. */
export const VISIT = ' when called by '

/** `lasting`: the predicates without forgetful variables. */
function makeMatch(sets: PacketSets, predicates: readonly Predicate[], lasting: readonly Predicate[]): RuleMatch {
  const isForgetful = lasting.length < predicates.length
  const { cube: part, rest } = sets.cubePartOf(predicates)
  if (part !== 'never' && rest.length === 0 && !isForgetful) return matchOfCube(sets, predicates, part)
  let set: PacketSet | undefined
  let hull: PacketCube | undefined
  let cubes: readonly PacketCube[] | 'many' | undefined = part === 'never' ? [] : rest.length === 0 ? [part] : undefined
  const besidePart = (): PacketSet => sets.intersect(...rest.map(predicate => sets.setOf(predicate)))
  const wholeSet = (): PacketSet => (set ??= part === 'never' ? sets.none : rest.length === 0 ? sets.setOfCube(part) : sets.intersectCube(besidePart(), part))
  return {
    predicates,
    cube: part === 'never' || rest.length === 0 ? part : undefined,
    set: wholeSet,
    cubes() {
      cubes ??= (part === 'never' ? [] : joinEach(sets, part, sets.cubesOf(besidePart(), FEW))) ?? 'many'
      return cubes === 'many' ? undefined : cubes
    },
    beside: () => (isForgetful ? wholeSet() : besidePart()),
    hull() {
      hull ??= hullOf(isForgetful ? sets.cubePartOf(lasting).cube : part, sets)
      return hull
    },
    isForgetful,
  }
}

/** Most rules are this: a hundred thousand of them are kept, so each holds no more than it needs. */
function matchOfCube(sets: PacketSets, predicates: readonly Predicate[], cube: PacketCube): RuleMatch {
  let set: PacketSet | undefined
  return { predicates, cube, set: () => (set ??= sets.setOfCube(cube)), cubes: () => [cube], beside: () => sets.every, hull: () => cube, isForgetful: false }
}

/** Negated devices and the like are few cubes: sets of them are quicker without than with a set for each rule. */
const FEW = 8

function joinEach(sets: PacketSets, part: PacketCube, others: readonly PacketCube[] | undefined): readonly PacketCube[] | undefined {
  return others?.map(other => sets.joinCubes(part, other)).filter(cube => cube !== 'never')
}

function hullOf(part: PacketCube | 'never', sets: PacketSets): PacketCube {
  return part === 'never' ? sets.noLiterals : part
}

/** Chance is drawn, and a changing set looked up, for each rule anew: the variable is the rule's own, under the key that the simulator asks for. */
function ownVariables(predicate: Predicate, hasMemory: boolean, place: string, changed: ReadonlySet<string>, forgetful: Set<string>): Predicate {
  if (hasMemory) {
    invariant(predicate.kind === 'opaque', 'a match with memory is a free variable')
    forgetful.add(predicate.key + place)
    return opaque(predicate.key + place, predicate.words)
  }
  if (changed.size === 0 || !usesIpset(predicate, changed)) return predicate
  switch (predicate.kind) {
    case 'ipset': {
      const words = `-m set --match-set ${predicate.name} ${predicate.directions.join(',')}`
      forgetful.add(words + place)
      return opaque(words + place, words)
    }
    case 'not':
      return { kind: 'not', of: ownVariables(predicate.of, false, place, changed, forgetful) }
    case 'all':
    case 'any':
      return { kind: predicate.kind, of: predicate.of.map(part => ownVariables(part, false, place, changed, forgetful)) }
    default:
      return predicate
  }
}

function usesIpset(predicate: Predicate, names: ReadonlySet<string>): boolean {
  if (predicate.kind === 'ipset') return names.has(predicate.name)
  if (predicate.kind === 'not') return usesIpset(predicate.of, names)
  return (predicate.kind === 'all' || predicate.kind === 'any') && predicate.of.some(part => usesIpset(part, names))
}

const changedBy = new WeakMap<Ruleset, ReadonlySet<string>>()

/** Returns the kernel sets that the ruleset's own SET targets change while packets pass. */
export function changedIpsets(ruleset: Ruleset): ReadonlySet<string> {
  const known = changedBy.get(ruleset)
  if (known) return known
  const names = new Set<string>()
  changedBy.set(ruleset, names)
  eachRule(ruleset, ({ target }) => {
    if (target?.kind !== 'target' || target.name !== 'SET') return
    for (const effect of effectsOf(target, ruleset.family)) if (effect.kind === 'ipset') names.add(effect.name)
  })
  return names
}
