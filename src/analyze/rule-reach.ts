/** For every rule the packets that reach it and match, from each hook; and whether there are any. */

import type { Backend, Hook, TableName } from '../ir/hooks.ts'
import type { Chain, Rule, Ruleset } from '../ir/ruleset.ts'
import { CT_STATE } from '../meaning/fields.ts'
import { hasAnyBit, not, onDevice } from '../meaning/predicate.ts'
import { isTooBig } from '../packetset/packet-sets.ts'
import type { PacketSet, PacketSets } from '../packetset/packet-sets.ts'
import type { PacketUniverse } from '../packetset/space.ts'
import { universeOf } from '../symbolic/rule-sets.ts'
import type { RuleMatch } from '../symbolic/rule-sets.ts'
import { matched } from '../symbolic/flows.ts'
import type { Flow } from '../symbolic/flows.ts'
import { flowsMatched, runTable } from '../symbolic/run-chain.ts'
import type { TableRun } from '../symbolic/run-chain.ts'
import { LOOPBACK } from '../topology/loopback.ts'
import type { Ipset } from '../topology/topology.ts'
import { comesToRule } from './comers.ts'
import { makeOrderedSets } from './field-order.ts'

/** What a rule is and where it stands; `number` is 1-based. */
export interface RuleRef {
  readonly rule: Rule
  readonly number: number
  readonly chain: Chain
}

/** The sets of a ruleset's tables. */
export interface RuleReach {
  readonly ruleset: Ruleset
  readonly sets: PacketSets
  readonly tables: readonly TableRun[]
  /** Tables that are too big to be run. */
  readonly skipped: readonly TableName[]
  /** The kernel sets whose content is known. */
  readonly ipsets: readonly Ipset[]
}

/** `universe` says what is known beyond the ruleset; `starts` which packets come to a table at a hook, in place of all that could. */
export interface ReachOptions {
  readonly backend?: Backend
  readonly universe?: Parameters<typeof universeOf>[2]
  readonly nodeLimit?: number
  readonly starts?: (sets: PacketSets, table: TableName, hook: Hook) => PacketSet | undefined
}

/** Room that is made for each rule: a rule of exact addresses and ports adds some 80 nodes, of IPv6 some 200, to the set of what is left. */
const NODES_PER_RULE = { ipv4: 64, ipv6: 192 }

/** Returns the sets of every table, each table by itself: with any packet that the kernel can bring to it at a hook. */
export function ruleReach(ruleset: Ruleset, options: ReachOptions = {}): RuleReach {
  const backend = options.backend ?? 'legacy'
  const known = universeOf([ruleset], backend, { ...options.universe, devices: [...(options.universe?.devices ?? []), LOOPBACK.name] })
  const universe: PacketUniverse = { ...known, expectedNodes: ruleset.ruleCount * NODES_PER_RULE[ruleset.family], ...(options.nodeLimit === undefined ? {} : { nodeLimit: options.nodeLimit }) }
  const ruleSets = makeOrderedSets(ruleset, backend, universe)
  const { sets } = ruleSets
  const tables: TableRun[] = []
  const skipped: TableName[] = []
  for (const table of ruleset.tables) {
    try {
      const starts = new Map(table.chains.flatMap(({ hook }) => (hook ? [[hook, options.starts?.(sets, table.name, hook) ?? packetsAt(sets, table.name, hook)] as const] : [])))
      tables.push(runTable(ruleSets, table, starts))
    } catch (error) {
      if (!isTooBig(error)) throw error
      skipped.push(table.name)
    }
  }
  return { ruleset, sets, tables, skipped, ipsets: options.universe?.ipsets ?? [] }
}

/** Returns every packet that the kernel can bring to a table at a hook: with the devices that it has there; nat sees connections only, and established ones never. */
export function packetsAt(sets: PacketSets, table: TableName, hook: Hook): PacketSet {
  const without = (field: 'device.in' | 'device.out'): PacketSet => sets.setOf(onDevice(field, { name: '', prefix: false }))
  const parts = [
    ...(hook === 'PREROUTING' || hook === 'INPUT' ? [sets.complement(without('device.in')), without('device.out')] : []),
    ...(hook === 'FORWARD' ? [sets.complement(without('device.in')), sets.complement(without('device.out'))] : []),
    ...(hook === 'OUTPUT' ? [without('device.in'), sets.complement(without('device.out'))] : []),
    ...(hook === 'POSTROUTING' ? [sets.complement(without('device.out'))] : []),
    ...(table === 'nat' ? [sets.setOf(not(hasAnyBit('ct.state', CT_STATE.INVALID | CT_STATE.UNTRACKED | CT_STATE.ESTABLISHED)))] : []),
  ]
  return sets.intersect(...parts)
}

/** Tells whether any packet reaches a rule and matches. */
export function isReached(run: TableRun, { chain, number }: RuleRef): boolean {
  const here = run.runs.get(chain)
  return here !== undefined && comesToRule(run, here, number - 1)
}

/** Returns the part of a flow's packets that a rule matches. */
export function matchedPackets(sets: PacketSets, flow: Flow, match: RuleMatch): PacketSet {
  return matched(sets, flow, match).packets
}

/** Returns the packets that reach a rule and match, as they are when they enter its table at the hook. */
export function packetsReaching({ sets }: RuleReach, run: TableRun, hook: Hook, { chain, number }: RuleRef): PacketSet {
  return sets.union(...flowsMatched(run, hook, chain, number - 1).map(flow => flow.packets))
}
