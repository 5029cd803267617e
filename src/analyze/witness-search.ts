/** Several packets that together reach a rule: a connection and its answer, an error about it, what the host sends itself. */

import type { RuleRef } from './rule-reach.ts'
import type { Device, Namespace, Topology } from '../topology/topology.ts'
import { nextProbe, simulateFlow } from './probe-flow.ts'
import { searchRuleset } from './probe-goal.ts'
import { searchFlow } from './probe-plan.ts'
import type { Search } from './probe-plan.ts'
import { surroundingsOf } from './surroundings.ts'
import { confirmedFlow, hostOf, isSendable, worldFor } from './witness-flow.ts'
import type { WitnessFlow, WitnessRules } from './witness-flow.ts'

/** Returns the search on the described host, or on that which the rules make likely and on one with a device more, for the first `most` rules; a text says why nothing was found. */
export function flowSearch(rules: WitnessRules, most: number): (at: RuleRef) => WitnessFlow | string {
  let places: readonly Place[] | undefined
  let turn = 0
  return at => {
    if (turn >= most) return `no single packet gets there, and flows of several packets are looked for only for the first ${most} of such rules`
    places ??= placesFor(rules)
    turn += 1
    return firstFound(places, place => searchAt(rules, place, at, turn)) ?? 'there is no host to search on'
  }
}

/** What is said of the first place counts where nothing is found in any. */
function firstFound(places: readonly Place[], search: (place: Place) => WitnessFlow | string): WitnessFlow | string | undefined {
  let why: string | undefined
  for (const place of places) {
    const found = search(place)
    if (typeof found !== 'string') return found
    why ??= found
  }
  return why
}

/** A host, and a search on it. */
interface Place {
  readonly host: Topology
  readonly search: Search
}

function placesFor(rules: WitnessRules): readonly Place[] {
  const { ruleset, backend, place } = rules
  const searched = searchRuleset(ruleset, backend)
  const searchOn = (host: Topology, namespace: Namespace): Place => ({ host, search: { searched, surroundings: surroundingsOf(host, namespace, ruleset.family), newWorld: () => worldFor(rules, host), canSend: probe => !place || isSendable(place, probe) } })
  const likely = hostOf(rules, [])
  if (place) return [searchOn(likely, place.namespace)]
  const hosts = (likely.namespaces[0]?.devices.length ?? 0) > 2 ? [likely] : [likely, withSecondDevice(likely)]
  return hosts.flatMap(host => host.namespaces.map(namespace => searchOn(host, namespace)))
}

/** Rules that name one device alone may forward to another one. The addresses are for benchmarks (RFC 2544, RFC 5180). */
function withSecondDevice(host: Topology): Topology {
  return { ...host, namespaces: host.namespaces.map(namespace => {
    const name = ['eth1', 'eth2'].find(one => namespace.devices.every(device => device.name !== one)) ?? 'eth3'
    const device: Device = { name, kind: 'physical', addresses: [{ address: 0xc6130001, length: 24 }, { address: (0x20010002n << 96n) + (1n << 64n) + 1n, length: 64 }], mtu: 1500, up: true, hairpin: false }
    return { ...namespace, devices: [...namespace.devices, device] }
  }) }
}

function searchAt(rules: WitnessRules, { host, search }: Place, at: RuleRef, turn: number): WitnessFlow | string {
  const planned = searchFlow({ table: at.chain.table, chain: at.chain, number: at.number, rule: at.rule }, search, turn)
  if (typeof planned === 'string') return planned
  const sent = simulateFlow(search.newWorld(), planned.flow)
  const probes = sent.map(({ probe }) => probe)
  const answer = nextProbe({ kind: 'answer' }, sent)
  // What a host answers by itself is a packet of its own in a file.
  for (const flow of [probes, ...(answer ? [[...probes, answer]] : [])]) {
    const found = confirmedFlow(rules, at.rule, flow, { ownHost: () => host, wanted: new Map() })
    if (found) return found
  }
  return 'packets were found that get there only where hosts answer by themselves'
}
