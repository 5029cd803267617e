/** What a host is joined to: namespaces with devices, addresses, routes and all else outside a ruleset that decides a packet's way. */

import type { SourceFile, Span } from '../diagnostics/source-file.ts'
import type { Address, Family, Prefix } from '../net/address.ts'

/** What a device is; a `physical` one (and a veth whose peer is not told) without a wire leads out of the described world. */
export type DeviceKind = 'physical' | 'veth' | 'bridge' | 'dummy' | 'loopback' | 'vlan'

/** A device in its namespace. */
export interface DeviceEnd {
  readonly namespace: string
  readonly device: string
}

/** An address of a device with the length of its prefix, as `ip address` shows it. */
export interface DeviceAddress {
  readonly address: Address
  /** Bits of the prefix, 0..32 or 0..128. */
  readonly length: number
  /** The place in the order in which a namespace was given its addresses, for those added later than it was described. */
  readonly added?: number
}

/** A network device. */
export interface Device {
  readonly name: string
  readonly kind: DeviceKind
  /** In the order given: the first of a prefix is the primary address. */
  readonly addresses: readonly DeviceAddress[]
  /** The bridge that it is a port of. */
  readonly master?: string
  /** The other end of a veth pair, in this or another namespace; of a physical device: of its wire. Both ends name each other. */
  readonly peer?: DeviceEnd
  /** Of a vlan device: the device that carries its frames, with this tag (1..4094). */
  readonly vlan?: { readonly parent: string; readonly id: number }
  /** Bytes. */
  readonly mtu: number
  /** 12 hex digits. */
  readonly mac?: string
  /** Device group, 0 where it is absent. */
  readonly group?: number
  readonly up: boolean
  /** A bridge port in hairpin mode sends frames back out of the port that they came from. */
  readonly hairpin: boolean
}

/** Types of routes; all but `unicast`, `local` and `broadcast` end the packet's way, `throw` only the table. */
export type RouteKind = 'unicast' | 'local' | 'broadcast' | 'anycast' | 'multicast' | 'blackhole' | 'unreachable' | 'prohibit' | 'throw'

/** The tables that have names. Source: /etc/iproute2/rt_tables. */
export const ROUTE_TABLE = { default: 253, main: 254, local: 255 } as const

/** A route of one table. */
export interface Route {
  readonly kind: RouteKind
  readonly prefix: Prefix
  readonly table: number
  readonly metric: number
  /** Absent in blackhole, unreachable, prohibit and throw. */
  readonly device?: string
  /** The next hop; absent where the destination is on the link. */
  readonly gateway?: Address
  /** The source address of what the host itself sends this way. */
  readonly source?: Address
  readonly tos?: number
  /** 0 where it is absent. */
  readonly realm?: number
}

/** A policy routing rule, as `ip rule` shows it. The rules for the tables local, main and default always exist. */
export interface RouteRule {
  readonly priority: number
  readonly action: 'lookup' | 'blackhole' | 'unreachable' | 'prohibit'
  readonly table: number
  readonly inverted: boolean
  readonly from?: Prefix
  readonly to?: Prefix
  readonly inDevice?: string
  readonly outDevice?: string
  readonly mark?: { readonly value: number; readonly mask: number }
  readonly tos?: number
}

/** A known neighbour; on a bridge `port` says where it is attached. */
export interface Neighbour {
  readonly device: string
  readonly address: Address
  /** 12 hex digits. */
  readonly mac: string
  readonly port?: string
}

/** A kernel set with its entries as `ipset save` writes them. */
export interface Ipset {
  readonly name: string
  readonly type: string
  readonly family: 'inet' | 'inet6'
  readonly entries: readonly IpsetEntry[]
}

/** An entry, such as `10.0.0.1,tcp:80`, with its options (`nomatch`). */
export interface IpsetEntry {
  readonly text: string
  readonly nomatch: boolean
}

/** A socket that takes connections or datagrams. */
export interface ListeningSocket {
  readonly protocol: 'tcp' | 'udp'
  /** Absent or `::`: every address of both families; `0.0.0.0`: every IPv4 address. */
  readonly address?: Address
  readonly port: number
}

/** The text of a ruleset that a namespace has loaded. */
export interface RulesetText {
  readonly family: Family
  readonly source: SourceFile
  /** Where the topology file names it. */
  readonly span?: Span
}

/** A network namespace. */
export interface Namespace {
  readonly name: string
  /** `lo` is always there. */
  readonly devices: readonly Device[]
  /** Routes beyond those that follow from the addresses. */
  readonly routes: readonly Route[]
  /** Rules beyond the three that always exist. */
  readonly rules: readonly RouteRule[]
  readonly neighbours: readonly Neighbour[]
  /** By full name, such as `net.ipv4.ip_forward`; what is not set has the kernel's default, except that see `sysctlNumber`. */
  readonly sysctls: Readonly<Record<string, string>>
  readonly ipsets: readonly Ipset[]
  /** In the order of loading. Absent: none. */
  readonly rulesets?: readonly RulesetText[]
  /** Who listens. Absent: nobody told, so it is open whether anybody does. */
  readonly sockets?: readonly ListeningSocket[]
}

/** What joins physical devices: a cable between two, a switch between more. */
export interface Wire {
  readonly ends: readonly DeviceEnd[]
}

/** A container and the namespace that it runs in; several share one in the modes `host` and `container:NAME`. */
export interface Container {
  readonly name: string
  readonly namespace: string
  /** Such as `bridge`, `host`, `none`, `container:web`. */
  readonly mode: string
}

/** What an address is called in sentences, such as "container c1". */
export interface Label {
  readonly address: Address
  readonly words: string
}

/** What all worlds are made of in code: a namespace of which only the name and what differs from an empty one is given. */
export function makeNamespace(given: Pick<Namespace, 'name'> & Partial<Namespace>): Namespace {
  return { devices: [], routes: [], rules: [], neighbours: [], sysctls: {}, ipsets: [], ...given }
}

/** The described world. `assumptions` are sentences that say what was guessed where no topology was given; empty otherwise. */
export interface Topology {
  readonly namespaces: readonly Namespace[]
  readonly labels: readonly Label[]
  readonly assumptions: readonly string[]
  /** Absent: none. */
  readonly wires?: readonly Wire[]
  /** Absent: none. */
  readonly containers?: readonly Container[]
}

/** Returns the namespace of a name, or of the container that has it; undefined where there is none. */
export function namespaceNamed(topology: Topology, name: string): Namespace | undefined {
  const place = topology.containers?.find(container => container.name === name)?.namespace ?? name
  return topology.namespaces.find(namespace => namespace.name === place)
}

/** Returns the device of a name, undefined where the namespace has none. */
export function deviceNamed(namespace: Namespace, name: string): Device | undefined {
  return namespace.devices.find(device => device.name === name)
}

/** Returns what an address is called, undefined where nobody named it. */
export function labelOf(topology: Topology, address: Address): string | undefined {
  return topology.labels.find(label => label.address === address)?.words
}

/** Returns a sysctl as a number. Names may be written with dots or slashes when loaded; here they have dots. */
export function sysctlNumber(namespace: Namespace, name: string, otherwise: number): number {
  const text = namespace.sysctls[name]
  return text === undefined || !/^-?\d+$/.test(text.trim()) ? otherwise : Number(text)
}
