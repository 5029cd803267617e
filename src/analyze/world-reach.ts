/** A question about packets in a world of several hosts: they are followed over its links to the hosts where they end. */

import type { Backend } from '../ir/hooks.ts'
import type { Ruleset } from '../ir/ruleset.ts'
import { all, any, equals, not } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import { familyOf } from '../net/address.ts'
import type { Address, Family } from '../net/address.ts'
import type { Packet } from '../packet/packet.ts'
import type { Probe } from '../packet/probe.ts'
import { mainWay, sendThrough } from '../simulate/journey.ts'
import { makeWorld } from '../simulate/world.ts'
import { followSets } from '../symbolic/journey.ts'
import { makeSymbolicWorld } from '../symbolic/world.ts'
import type { SymbolicWorld } from '../symbolic/world.ts'
import { startIn } from '../symbolic/world-start.ts'
import { makeFib } from '../topology/fib.ts'
import type { Namespace, Topology } from '../topology/topology.ts'
import { frameWaysOf } from './frame-ways.ts'
import { usualAmong } from './plain-view.ts'
import { answerFrom, KNOWN_NAT, MOST_NODES, translates, UNMARKED } from './reachability.ts'
import type { Example, PlacedFate, Reachability, ReachGroup } from './reachability.ts'
import type { NamedPlaces, ReachQuery } from './reach-query.ts'
import { asSent, conditionsOf, isFate } from './replay.ts'
import { leadsOut } from './surroundings.ts'

/** What is asked of which world. */
export interface WorldReachOptions {
  readonly topology: Topology
  readonly rulesetsOf: ReadonlyMap<string, readonly Ruleset[]>
  readonly query: ReachQuery
  readonly family: Family
  readonly backend?: Backend
  readonly nodeLimit?: number
}

/** Returns the names of namespaces and containers, and what they stand for: their own addresses but those of the loopback. */
export function placesOf({ namespaces, containers = [] }: Topology): NamedPlaces {
  const place = (namespace: Namespace) => ({ namespace: namespace.name, addresses: namespace.devices.flatMap(({ kind, addresses }) => (kind === 'loopback' ? [] : addresses.map(({ address }) => address))) })
  const named = containers.flatMap(container => {
    const namespace = namespaces.find(({ name }) => name === container.namespace)
    return namespace ? [[container.name, place(namespace)] as const] : []
  })
  return new Map([...named, ...namespaces.map(namespace => [namespace.name, place(namespace)] as const)])
}

/** Returns who gets through and why. Packets that a host makes have an address of its own; what arrives has none of them, and comes from outside unless a device is named. */
export function worldReachability({ topology, rulesetsOf, query, family, backend = 'legacy', nodeLimit = MOST_NODES }: WorldReachOptions): Reachability {
  const world = makeSymbolicWorld({ family, topology, rulesetsOf, find: frameWaysOf(topology, rulesetsOf, backend), backend })
  const { sets } = world
  const { start, state, goal } = query
  const namespace = query.namespace ?? topology.namespaces[0]?.name ?? ''
  const host = topology.namespaces.find(({ name }) => name === namespace)
  const outside = host?.devices.filter(device => device.up && leadsOut(host, device)).map(({ name }) => name) ?? []
  const devices = query.arrivals.length > 0 ? query.arrivals : outside
  const isOwn = any(ownAddresses(host, family).map(address => equals('ip.src', address)))
  const usual = all([not(isBroadcast(topology, family)), start === 'make' ? isOwn : not(isOwn)])
  const asked = usualAmong(sets, sets.intersect(startIn(world, { start, state, devices }), sets.setOf(all([UNMARKED, query.when]))), state, usual)
  const { left, ...reached } = followSets(world, { namespace, start, state, set: asked, nodeLimit })
  const notes = state === 'known' && [...rulesetsOf.values()].flat().some(translates) ? [...reached.notes, KNOWN_NAT] : reached.notes
  return answerFrom({
    family, sets, kind: 'described', asked, goal, reached: { ...reached, notes }, nodeLimit,
    exampleOf: group => (state === 'new' ? exampleOf(world, { topology, rulesetsOf, backend }, namespace, group) : undefined),
    isHost: fate => fate.namespace === namespace,
    deviceOf: (_, device) => left.get(`${(goal.kind === 'device' ? goal.namespace : undefined) ?? namespace}/${device}`) ?? sets.none,
  })
}

function ownAddresses(host: Namespace | undefined, family: Family): readonly Address[] {
  return (host?.devices ?? []).flatMap(({ kind, addresses }) => (kind === 'loopback' ? [] : addresses.map(({ address }) => address))).filter(address => familyOf(address) === family)
}

/** The broadcast addresses of all networks. */
function isBroadcast({ namespaces }: Topology, family: Family): Predicate {
  const routes = family === 'ipv4' ? namespaces.flatMap(namespace => [...makeFib(namespace).tables.values()].flat()) : []
  const addresses = new Set(routes.flatMap(({ kind, prefix }) => (kind === 'broadcast' ? [prefix.address] : [])))
  return any([...addresses].map(address => equals('ip.dst', address)))
}

/** Sends a packet of a group through the simulated world: nobody is shown one that ends elsewhere. */
function exampleOf(world: SymbolicWorld, { topology, rulesetsOf, backend }: { readonly topology: Topology; readonly rulesetsOf: ReadonlyMap<string, readonly Ruleset[]>; readonly backend: Backend }, namespace: string, { fate, set }: ReachGroup): Example | undefined {
  const sample = world.sets.sample(set)
  if (!sample) return undefined
  const probe: Probe = { packet: asSent(sample), namespace, ...(sample.inDevice === '' ? {} : { inDevice: sample.inDevice }) }
  const assume = new Map([...world.variables.values()].flatMap(({ key, decisions }) => decisions.map(decision => [decision, sample.decisions.get(key) ?? false] as const)))
  const journey = sendThrough(makeWorld({ topology, rulesets: [], rulesetsOf, backend }), probe, { record: 'none', assume })
  return endsAs(world, fate, sample.packet, mainWay(journey.start).at(-1) ?? journey.start) ? { probe, conditions: conditionsOf(sample, world.variables) } : undefined
}

function endsAs(world: SymbolicWorld, fate: PlacedFate, packet: Packet, last: ReturnType<typeof mainWay>[number]): boolean {
  const { outcome } = last.trace
  if (last.namespace !== fate.namespace) return fate.by?.kind === 'kernel' && fate.by.reason === 'circles'
  if (outcome.kind !== 'forward' && outcome.kind !== 'sent' && outcome.kind !== 'bridge') return isFate(world, fate, packet, outcome)
  const isLost = fate.by?.kind === 'kernel' && fate.by.reason === 'nobody-takes-it'
  return isLost || ((fate.kind === 'forward' || fate.kind === 'sent') && isFate(world, { ...fate, kind: 'forward' }, packet, { ...outcome, kind: 'forward' }))
}
