/** Why packets that a rule would match never come to it: which rules of other tables and hooks rewrite or end them before. */

import { HOOK_STEPS } from '../ir/hooks.ts'
import type { Backend, Hook, TableName } from '../ir/hooks.ts'
import type { Chain, Rule, Ruleset, Table } from '../ir/ruleset.ts'
import { effectsOf, predicateOf } from '../extensions/meaning-of.ts'
import type { Effect } from '../meaning/effect.ts'
import { CT_STATE } from '../meaning/fields.ts'
import { all, always, onDevice } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import type { Family } from '../net/address.ts'
import type { PacketSet, PacketSets } from '../packetset/packet-sets.ts'
import type { Decision } from '../symbolic/fate.ts'
import { unionOf } from '../symbolic/packet-class.ts'
import { reachableSets } from '../symbolic/reachable-sets.ts'
import type { Space } from '../symbolic/reachable-sets.ts'
import { constantOf } from '../symbolic/value.ts'
import type { RuleRef } from './rule-reach.ts'

/** A rule or chain policy that takes packets of a rule away. */
export interface AcrossCause {
  readonly hook: Hook
  readonly table: TableName
  readonly chain: Chain
  /** Undefined for the chain policy. */
  readonly at: RuleRef | undefined
  /** What it changes; undefined where it ends the packets. */
  readonly effect: Changing | undefined
}

/** An effect that changes what rules may ask for. */
export type Changing = Extract<Effect, { kind: 'nat' | 'assign' | 'adjust' }>

/** What is known of the run through all tables. `metIn` runs another ruleset and returns the rules that are met there. */
export interface AcrossRun {
  readonly decisions: readonly Decision[]
  readonly metIn: (ruleset: Ruleset) => ReadonlySet<number>
}

/** Returns by rule what takes its packets; rules that no other table or hook has to do with are left out. */
export function causesAcross(space: Space, ruleset: Ruleset, unmet: readonly RuleRef[], { decisions, metIn }: AcrossRun): ReadonlyMap<number, readonly AcrossCause[]> {
  const causes = new Map<number, readonly AcrossCause[]>()
  const alone = matchedAlone(space, ruleset, new Map(unmet.map(({ rule, chain }) => [rule.id, chain.table])))
  const later: RuleRef[] = []
  for (const at of unmet) {
    const { rule, chain: { table } } = at
    const packets = alone.get(rule.id)
    const before = (by: Decision['by']): boolean => by.kind !== 'kernel' && (packets?.hooks ?? ROUTED).some(hook => isBefore(space, by, { hook, table }))
    const earlier = decisions.filter(({ by }) => before(by))
    const found = packets ? whoTakes(space, ruleset, at, earlier, { packets: unionOf(space.sets, packets.parts), hooks: packets.hooks }) : whoTranslates(space, ruleset, at, earlier)
    if (found.length > 0) causes.set(rule.id, found)
    else if (!packets) later.push(at)
  }
  if (later.length > 0) {
    const withoutNat = metIn({ ...ruleset, tables: ruleset.tables.filter(({ name }) => name !== 'nat') })
    for (const { rule } of later) if (withoutNat.has(rule.id)) causes.set(rule.id, [])
  }
  return causes
}

/** Hooks behind routing. */
const ROUTED: readonly Hook[] = ['FORWARD', 'POSTROUTING']

/** Hooks through which packets come before they come to a hook; what the host makes comes over lo to itself. */
const EARLIER: Readonly<Record<Hook, readonly Hook[]>> = { PREROUTING: ['OUTPUT'], INPUT: ['OUTPUT', 'PREROUTING'], FORWARD: ['PREROUTING'], OUTPUT: [], POSTROUTING: ['PREROUTING', 'FORWARD', 'OUTPUT'] }

interface Place {
  readonly hook: Hook
  readonly table: TableName
}

function isBefore({ backend }: Pick<Space, 'backend'>, one: Place, other: Place): boolean {
  const steps: readonly string[] = HOOK_STEPS[backend][other.hook]
  return one.hook === other.hook ? steps.indexOf(one.table) < steps.indexOf(other.table) : EARLIER[other.hook].includes(one.hook)
}

/** What would match a rule, and at which hooks. */
interface Alone {
  readonly parts: PacketSet[]
  readonly hooks: Hook[]
}

/** Returns for each rule the packets, with a connection or untracked, that would match it if there were only the chains of its own table at one hook. */
function matchedAlone(space: Space, ruleset: Ruleset, tableOf: ReadonlyMap<number, TableName>): ReadonlyMap<number, Alone> {
  const found = new Map<number, Alone>()
  const invalid = BigInt(CT_STATE.INVALID)
  for (const table of ruleset.tables.filter(({ name }) => [...tableOf.values()].includes(name))) {
    for (const hook of table.chains.flatMap(chain => chain.hook ?? [])) {
      const only = { ...ruleset, tables: [onlyAt(table, hook)] }
      for (const start of ['arrive', 'make'] as const) {
        reachableSets(space, only, {
          start,
          onMatch(rule, { rewriting, set }) {
            const state = rewriting.values.get('ct.state')
            if (tableOf.get(rule.id) !== table.name || (rewriting.connection === 'none' && state && constantOf(state) === invalid)) return
            const known = found.get(rule.id) ?? { parts: [], hooks: [] }
            found.set(rule.id, known)
            known.parts.push(set)
            if (!known.hooks.includes(hook)) known.hooks.push(hook)
          },
        })
      }
    }
  }
  return found
}

/** Returns the table with one built-in chain; the others let everything through. */
function onlyAt(table: Table, hook: Hook): Table {
  const chains = table.chains.map((chain): Chain => (chain.hook && chain.hook !== hook ? { id: chain.id, table: chain.table, name: chain.name, hook: chain.hook, policy: 'ACCEPT', counters: chain.counters, rules: [], span: chain.span } : chain))
  return { name: table.name, chains, chainByName: new Map(chains.map(chain => [chain.name, chain])) }
}

/** Nat, where it changes what the rule asks for; else what ends the packets; else what writes a field that it asks for. */
function whoTakes({ backend, sets }: Space, ruleset: Ruleset, at: RuleRef, decisions: readonly Decision[], { packets, hooks }: { readonly packets: PacketSet; readonly hooks: readonly Hook[] }): readonly AcrossCause[] {
  const { family } = ruleset
  const translations = decisions.filter(decision => isTranslation(decision, family))
  const ends = decisions.filter(({ verdict }) => verdict === 'drop' || verdict === 'reject')
  const left = sets.subtract(packets, unionOf(sets, [...translations, ...ends].map(({ set }) => set)))
  if (left !== sets.none) return writers({ backend, ruleset }, at, hooks)
  const nat = causesAmong(sets, translations, packets, family)
  return nat.length > 0 ? nat : causesAmong(sets, ends, packets, family)
}

/**
 * A host that a topology describes takes packets to its own addresses for itself: a rule behind routing that asks for such an address sees none. Nat
 * is why there would be some: it sends on what was addressed to the host.
 */
function whoTranslates({ sets, surroundings, namespace }: Space, { family }: Ruleset, { rule }: RuleRef, decisions: readonly Decision[]): readonly AcrossCause[] {
  if (!namespace) return []
  const when = all(rule.matches.map(use => atFirst(predicateOf(use, family))))
  const bridges = namespace.devices.filter(({ name }) => namespace.devices.some(({ master }) => master === name))
  const mayCross = bridges.some(({ name }) => sets.meets(sets.setOf(all(rule.matches.map(use => predicateOf(use, family)))), sets.setOf(onDevice('device.in', { name, prefix: false }))))
  // What only crosses a bridge is not routed.
  if (mayCross) return []
  return causesAmong(sets, decisions.filter(decision => isTranslation(decision, family)), sets.setOf(surroundings.ground(when)), family)
}

/** What the predicate asks of a packet as it arrives: the way out and the connection are not known by then. */
function atFirst(predicate: Predicate): Predicate {
  switch (predicate.kind) {
    case 'all':
      return all(predicate.of.map(atFirst))
    case 'within':
    case 'masked':
      return predicate.field.startsWith('ct.') ? always : predicate
    case 'device':
      return predicate.field === 'device.in' ? predicate : always
    default:
      return always
  }
}

function isTranslation({ verdict, by }: Decision, family: Family): boolean {
  return verdict === 'accept' && by.kind === 'rule' && by.table === 'nat' && changesOf(by.rule, family).some(({ kind }) => kind === 'nat')
}

function causesAmong(sets: PacketSets, decisions: readonly Decision[], packets: PacketSet, family: Family): readonly AcrossCause[] {
  const causes: AcrossCause[] = []
  for (const { by, set } of decisions) {
    if (by.kind === 'kernel' || !sets.meets(packets, set)) continue
    const at = by.kind === 'rule' ? { rule: by.rule, number: by.number, chain: by.chain } : undefined
    if (causes.some(cause => cause.hook === by.hook && cause.chain === by.chain && cause.at?.rule === at?.rule)) continue
    causes.push({ hook: by.hook, table: by.table, chain: by.chain, at, effect: at && changesOf(at.rule, family).find(({ kind }) => kind === 'nat') })
  }
  return causes
}

/** Rules of tables that are asked before and write a field that the rule asks for. */
function writers({ backend, ruleset }: { readonly backend: Backend; readonly ruleset: Ruleset }, { rule, chain }: RuleRef, hooks: readonly Hook[]): readonly AcrossCause[] {
  const asked = new Set(rule.matches.flatMap(use => fieldsOf(predicateOf(use, ruleset.family))))
  const causes: AcrossCause[] = []
  for (const table of ruleset.tables) {
    for (const hook of table.chains.flatMap(one => one.hook ?? [])) {
      if (!hooks.some(own => isBefore({ backend }, { hook, table: table.name }, { hook: own, table: chain.table }))) continue
      for (const from of chainsBehind(table, hook)) {
        from.rules.forEach((one, index) => {
          const effect = changesOf(one, ruleset.family).find(change => change.kind !== 'nat' && asked.has(change.field))
          if (effect) causes.push({ hook, table: table.name, chain: from, at: { rule: one, number: index + 1, chain: from }, effect })
        })
      }
    }
  }
  return causes
}

/** The built-in chain of a hook and those that jumps lead to from there. */
function chainsBehind(table: Table, hook: Hook): ReadonlySet<Chain> {
  const found = new Set(table.chains.filter(chain => chain.hook === hook))
  for (const { rules } of found) {
    for (const { target } of rules) {
      const to = target && target.kind !== 'target' ? table.chainByName.get(target.chain) : undefined
      if (to) found.add(to)
    }
  }
  return found
}

function fieldsOf(predicate: Predicate): readonly string[] {
  switch (predicate.kind) {
    case 'within':
    case 'masked':
      return [predicate.field]
    case 'not':
      return fieldsOf(predicate.of)
    case 'all':
    case 'any':
      return predicate.of.flatMap(fieldsOf)
    default:
      return []
  }
}

function changesOf({ target }: Rule, family: Family): readonly Changing[] {
  if (target?.kind !== 'target') return []
  return effectsOf(target, family).filter((effect): effect is Changing => effect.kind === 'nat' || effect.kind === 'assign' || effect.kind === 'adjust')
}
