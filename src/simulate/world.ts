/** The world that packets are sent into: a topology, its rulesets, and all that remembers earlier packets. */

import type { Backend } from '../ir/hooks.ts'
import type { Ruleset } from '../ir/ruleset.ts'
import type { Family } from '../net/address.ts'
import { makeFib } from '../topology/fib.ts'
import type { Fib } from '../topology/fib.ts'
import { makeLinks, withMacs } from '../topology/links.ts'
import type { Links } from '../topology/links.ts'
import { sysctlNumber } from '../topology/topology.ts'
import type { Device, Ipset, Namespace, Topology } from '../topology/topology.ts'
import { makeConnectionTable } from './connection.ts'
import type { Connection, ConnectionTable } from './connection.ts'
import type { FragmentQueue } from './fragments.ts'
import type { PreparedMatch, PreparedRuleset } from './prepare.ts'
import { prepareRuleset } from './prepare.ts'

/** What a world is made of. One ruleset per family; a family without has empty tables. */
export interface WorldOptions {
  readonly topology: Topology
  readonly rulesets: readonly Ruleset[]
  /** The rulesets of namespaces by name, where they are not the same everywhere: a namespace that is not in it has none. */
  readonly rulesetsOf?: ReadonlyMap<string, readonly Ruleset[]>
  /** Default: legacy. */
  readonly backend?: Backend
  /** Follows the kernel where it chooses a port at random; undefined lets the simulator take the first free one. */
  readonly choosePort?: (protocol: number, port: number) => number | undefined
}

/** A world; `trace` changes it. */
export interface World {
  readonly topology: Topology
  readonly backend: Backend
  readonly hosts: ReadonlyMap<string, Host>
  /** What the devices are joined to; undefined where nothing is, and then a packet that leaves by a device has left the world. */
  readonly links: Links | undefined
  readonly options: WorldOptions
  /** Milliseconds since the world began; advance it to let time pass between packets. */
  now: number
  /** How many packets were sent into the world. */
  moment: number
}

/** A namespace with what it remembers. */
export interface Host {
  readonly namespace: Namespace
  readonly devices: ReadonlyMap<string, Device>
  readonly fib: Fib
  readonly rulesets: Readonly<Partial<Record<Family, PreparedRuleset>>>
  readonly sysctls: HostSysctls
  /** What `deviceSysctl` found so far. */
  readonly deviceSysctls: Map<string, Map<string, number>>
  readonly connections: ConnectionTable
  /** Connections by their original source, as nat looks for a mapping to use again. */
  readonly bySource: Set<Connection>
  /** What matches with memory remember, by the rule's use of them; shared ones by their name. */
  readonly memories: Map<PreparedMatch | string, unknown>
  readonly ipsets: Map<string, Ipset>
  /** Ports by bridge and MAC address, as the bridges learned them. */
  readonly learned: Map<string, string>
  /** MAC addresses by device and address, as the neighbours answered. */
  readonly neighbours: Map<string, string>
  /** Sockets with a peer, by the tuple of what they receive. */
  readonly sockets: Map<string, 'connecting' | 'connected'>
  /** Datagrams of which not all fragments have come. */
  readonly fragments: Map<string, FragmentQueue>
}

/** The sysctls that decide a packet's way, as numbers. */
export interface HostSysctls {
  readonly forward4: boolean
  readonly forward6: boolean
  readonly tcpLoose: boolean
  readonly bridgeCallsIptables: boolean
  readonly bridgeCallsIp6tables: boolean
  readonly defaultTtl: number
}

/** Returns a fresh world: no connections, all limits full. */
export function makeWorld(options: WorldOptions): World {
  const backend = options.backend ?? 'legacy'
  const { links, namespaces } = joinedOf(options.topology)
  const hosts = new Map(namespaces.map(namespace => [namespace.name, makeHost(namespace, options.rulesetsOf ? (options.rulesetsOf.get(namespace.name) ?? []) : options.rulesets, backend)]))
  return { topology: options.topology, backend, hosts, links, options, now: 0, moment: 0 }
}

/** Makes a world what it was before its first packet: cheaper than a new one. */
export function resetWorld(world: World): void {
  world.now = 0
  world.moment = 0
  for (const { connections, bySource, memories, ipsets, learned, neighbours, sockets, fragments, namespace } of world.hosts.values()) {
    if (connections.all.size > 0) {
      connections.all.clear()
      connections.byHash.clear()
    }
    if (bySource.size > 0) bySource.clear()
    for (const memory of [memories, learned, neighbours, sockets, fragments]) if (memory.size > 0) memory.clear()
    for (const set of namespace.ipsets) ipsets.set(set.name, set)
  }
}

interface Joined {
  readonly links: Links | undefined
  readonly namespaces: readonly Namespace[]
}

const joinedTopologies = new WeakMap<Topology, Joined>()

/** Worlds of one topology share its links and namespaces. Without links nobody asks for MAC addresses that are not given. */
function joinedOf(topology: Topology): Joined {
  const known = joinedTopologies.get(topology)
  if (known) return known
  const links = makeLinks(topology)
  const joined = { links, namespaces: links ? withMacs(topology.namespaces) : topology.namespaces }
  joinedTopologies.set(topology, joined)
  return joined
}

/** Returns a per-device sysctl of ipv4, such as rp_filter: the larger of `all` and the device's (or `default`'s) own. */
export function deviceSysctl(host: Host, device: string, name: string): number {
  const known = host.deviceSysctls.get(device)?.get(name)
  if (known !== undefined) return known
  const read = (scope: string, otherwise: number): number => sysctlNumber(host.namespace, `net.ipv4.conf.${scope}.${name}`, otherwise)
  const value = Math.max(read('all', 0), read(device, read('default', 0)))
  const ofDevice = host.deviceSysctls.get(device)
  if (ofDevice) ofDevice.set(name, value)
  else host.deviceSysctls.set(device, new Map([[name, value]]))
  return value
}

/** What a namespace's worlds have in common. */
type HostBasis = Pick<Host, 'namespace' | 'devices' | 'fib' | 'sysctls' | 'deviceSysctls'>

const basisOf = new WeakMap<Namespace, HostBasis>()

function makeHost(namespace: Namespace, rulesets: readonly Ruleset[], backend: Backend): Host {
  const prepared: Partial<Record<Family, PreparedRuleset>> = {}
  for (const ruleset of rulesets) prepared[ruleset.family] = prepareRuleset(ruleset, backend)
  const basis = basisOf.get(namespace) ?? makeBasis(namespace)
  basisOf.set(namespace, basis)
  const { devices, fib, sysctls, deviceSysctls } = basis
  return {
    namespace, devices, fib, sysctls, deviceSysctls,
    rulesets: prepared,
    connections: makeConnectionTable(),
    bySource: new Set(),
    memories: new Map(),
    ipsets: new Map(namespace.ipsets.map(set => [set.name, set])),
    learned: new Map(),
    neighbours: new Map(),
    sockets: new Map(),
    fragments: new Map(),
  }
}

function makeBasis(namespace: Namespace): HostBasis {
  return {
    namespace,
    devices: new Map(namespace.devices.map(device => [device.name, device])),
    fib: makeFib(namespace),
    sysctls: readSysctls(namespace),
    deviceSysctls: new Map(),
  }
}

/** Forwarding is taken to be on where the topology does not say: who traces forwarded packets has a router. */
function readSysctls(namespace: Namespace): HostSysctls {
  const isOn = (name: string, otherwise: number): boolean => sysctlNumber(namespace, name, otherwise) !== 0
  return {
    forward4: isOn('net.ipv4.ip_forward', 1),
    forward6: isOn('net.ipv6.conf.all.forwarding', 1),
    tcpLoose: isOn('net.netfilter.nf_conntrack_tcp_loose', 1),
    bridgeCallsIptables: isOn('net.bridge.bridge-nf-call-iptables', 1),
    bridgeCallsIp6tables: isOn('net.bridge.bridge-nf-call-ip6tables', 1),
    defaultTtl: sysctlNumber(namespace, 'net.ipv4.ip_default_ttl', 64),
  }
}
