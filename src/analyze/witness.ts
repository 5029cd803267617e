/** For every rule a packet that gets there: a natural member of the set that reaches it, sent through the simulator before anyone sees it. */

import type { Backend, Hook } from '../ir/hooks.ts'
import { CT_STATE } from '../meaning/fields.ts'
import { hasAnyBit } from '../meaning/predicate.ts'
import type { Address } from '../net/address.ts'
import { addressWidth, familyOf, maskOfLength } from '../net/address.ts'
import type { Probe } from '../packet/probe.ts'
import type { PacketSet } from '../packetset/packet-sets.ts'
import type { Sample } from '../packetset/sample.ts'
import { trace } from '../simulate/trace.ts'
import { makeWorld } from '../simulate/world.ts'
import type { TableRun } from '../symbolic/run-chain.ts'
import { LOOPBACK } from '../topology/loopback.ts'
import { ROUTE_TABLE } from '../topology/topology.ts'
import type { Device, Ipset, Route, Topology } from '../topology/topology.ts'
import { isReached, packetsReaching } from './rule-reach.ts'
import type { RuleReach, RuleRef } from './rule-reach.ts'

/** What is known of one rule. */
export type Witness =
  /** The packet reaches the rule in the simulator; `conditions` had to be so for what headers do not decide. */
  | { readonly kind: 'packet'; readonly at: RuleRef; readonly hook: Hook; readonly probe: Probe; readonly conditions: readonly Decision[] }
  /** Packets reach it, but no single first packet was found that the simulator brings there. */
  | { readonly kind: 'unconfirmed'; readonly at: RuleRef; readonly why: string }
  /** No packet reaches it. */
  | { readonly kind: 'dead'; readonly at: RuleRef }

/** What a free variable had to be. */
export interface Decision {
  readonly words: string
  readonly value: boolean
}

/** Returns a witness for every rule of the ruleset's tables, in their order. */
export function findWitnesses(reach: RuleReach, backend: Backend): readonly Witness[] {
  return reach.tables.flatMap(run => run.table.chains.flatMap(chain => chain.rules.map((rule, index) => witnessOf(reach, run, { rule, number: index + 1, chain }, backend))))
}

function witnessOf(reach: RuleReach, run: TableRun, at: RuleRef, backend: Backend): Witness {
  if (!isReached(run, at)) return { kind: 'dead', at }
  for (const hook of run.arrivals.keys()) {
    const set = packetsReaching(reach, run, hook, at)
    for (const part of plainestParts(reach, set)) {
      const sample = reach.sets.sample(part)
      const probe = sample && probeOf(sample, hook)
      if (sample && probe && getsThere(reach, sample, { at, hook, probe, backend })) return { kind: 'packet', at, hook, probe, conditions: decisionsOf(reach, part, sample) }
    }
  }
  return { kind: 'unconfirmed', at, why: needsConnection(reach, run, at) ? 'it needs a connection that earlier packets made' : 'no first packet was found that gets there in the simulator' }
}

/** New connections first, whole packets before fragments: what one packet alone can be. */
function plainestParts({ sets }: RuleReach, set: PacketSet): readonly PacketSet[] {
  const isNew = sets.setOf(hasAnyBit('ct.state', CT_STATE.NEW))
  const syn = sets.union(sets.setOfMasked('tcp.flags', 0x17, 2), sets.complement(sets.setOfField('ip.protocol', 6, 6)))
  const local = sets.setOfMasked('addressType.dst', 4, 4)
  const home = sets.family === 'ipv4' ? 0x7f000001 : 1n
  const onLoopback = sets.intersect(sets.setOfDevice('device.in', { name: LOOPBACK.name, prefix: false }), sets.setOfField('ip.src', home, home), sets.setOfField('ip.dst', home, home))
  const invalid = sets.setOf(hasAnyBit('ct.state', CT_STATE.INVALID))
  const parts = [sets.intersect(set, isNew, syn, local), sets.intersect(set, isNew, syn), sets.intersect(set, isNew), sets.intersect(set, isNew, onLoopback), sets.intersect(set, invalid), sets.subtract(set, isNew)]
  return [...new Set(parts)].filter(part => part !== sets.none)
}

function needsConnection({ sets }: RuleReach, run: TableRun, { chain, number }: RuleRef): boolean {
  const match = run.runs.get(chain)?.matches[number - 1]
  return match !== undefined && sets.isSubset(match.set(), sets.setOf(hasAnyBit('ct.state', CT_STATE.ESTABLISHED | CT_STATE.RELATED)))
}

/** Packets of other hosts come in by a device; what the host sends has none. */
function probeOf({ packet, inDevice }: Sample, hook: Hook): Probe | undefined {
  if (hook === 'OUTPUT' || (hook === 'POSTROUTING' && inDevice === '')) return { packet: { ...packet, mark: 0 } }
  return { packet: { ...packet, mark: 0 }, inDevice: inDevice === '' ? 'eth0' : inDevice }
}

interface Replayed {
  readonly at: RuleRef
  readonly hook: Hook
  readonly probe: Probe
  readonly backend: Backend
}

function getsThere({ ruleset, ipsets }: RuleReach, sample: Sample, { at, hook, probe, backend }: Replayed): boolean {
  const world = makeWorld({ topology: hostFor(sample, probe, hook, ipsets), rulesets: [ruleset], backend })
  const { events } = trace(world, probe, { assume: sample.decisions })
  return events.some(event => event.kind === 'rule' && event.place.rule.id === at.rule.id)
}

function decisionsOf({ sets }: RuleReach, part: PacketSet, { decisions }: Sample): readonly Decision[] {
  return sets.freeVariables(part).flatMap(({ key, words }) => {
    const value = decisions.get(key)
    return value === undefined ? [] : [{ words, value }]
  })
}

/** The plainest host on which a packet passes a hook: it has the destination, or a route to it. */
function hostFor({ packet, outDevice }: Sample, { inDevice }: Probe, hook: Hook, ipsets: readonly Ipset[]): Topology {
  const out = outDevice === '' ? (inDevice ?? 'eth0') : outDevice
  const own: readonly (readonly [string, Address])[] = inDevice === undefined ? [[out, packet.src]] : hook === 'FORWARD' || hook === 'POSTROUTING' ? [] : [[inDevice, packet.dst]]
  const names = [...new Set([inDevice, out].filter(name => name !== undefined && name !== LOOPBACK.name))].flatMap(name => name ?? [])
  const bits = addressWidth(packet.family)
  const devices = names.map((name): Device => ({ name, kind: 'physical', mtu: 1500, up: true, hairpin: false, addresses: own.filter(([device]) => device === name).map(([, address]) => ({ address, length: bits })) }))
  const route = (address: Address, device: string, length: number): Route => ({ kind: 'unicast', prefix: { address, mask: maskOfLength(familyOf(address), length) }, table: ROUTE_TABLE.main, metric: 0, device })
  const back = names.find(name => name === inDevice) ?? names[0]
  const routes = [...(hook === 'FORWARD' || hook === 'POSTROUTING' || inDevice === undefined ? [route(packet.dst, out, bits)] : []), ...(back === undefined ? [] : [route(packet.family === 'ipv4' ? 0 : 0n, back, 0)])]
  return { namespaces: [{ name: 'host', devices: [LOOPBACK, ...devices], routes, rules: [], neighbours: [], sysctls: {}, ipsets }], labels: [], assumptions: [] }
}
