/** The packets that rules about exposure send: from an address that no rule names, on the device behind which the world lies. */

import { predicateOf } from '../extensions/meaning-of.ts'
import type { Chain, Ruleset } from '../ir/ruleset.ts'
import { ADDRESS_TYPE, CT_STATE, PACKET_TYPE } from '../meaning/fields.ts'
import type { Predicate } from '../meaning/predicate.ts'
import { readAddress } from '../net/address.ts'
import type { Address } from '../net/address.ts'
import { PROTOCOL } from '../net/protocol.ts'
import { writeEndpoint } from '../packet/endpoint.ts'
import { readHints } from '../topology/rule-hints.ts'
import type { RuleHints } from '../topology/rule-hints.ts'
import { ROUTE_TABLE } from '../topology/topology.ts'
import type { Topology } from '../topology/topology.ts'
import { hintLookup } from './hint-lookup.ts'
import type { HintsAt } from './hint-lookup.ts'
import { exactly, holds, withFields } from './packet-class.ts'
import type { KnownDevice, PacketClass } from './packet-class.ts'

/** What is known of the world outside. */
export interface World {
  /** The device behind which it lies; where nothing tells, any but lo and those of containers and tunnels. */
  readonly device: KnownDevice
  /** An address of the world that no rule names; undefined where the rules name them all. */
  readonly source: Address | undefined
  /** What the rules give away about the network. */
  readonly hints: RuleHints
  readonly hintsAt: HintsAt
}

/** Addresses to choose from: those for documentation first. */
const SOURCES = {
  ipv4: ['198.51.100.7', '203.0.113.77', '192.0.2.77', '81.2.69.160', '151.1.2.3', '210.5.6.7', '45.12.13.14'],
  ipv6: ['2001:db8:1::7', '2a00:1450:4001::7', '2600:1f00::7', '2400:cb00::7', '2c0f:f248::7'],
} as const

/** The host's own address in packets that are shown: any would do. */
const OWN = { ipv4: '203.0.113.2', ipv6: '2001:db8::2' } as const

/** The link-local address of a neighbour. */
const NEAR = 'fe80::2'

/** Reads from topology and rules what is known of the world. */
export function worldOf(ruleset: Ruleset, topology: Topology | undefined): World {
  const source = SOURCES[ruleset.family].map(text => readAddress(text)).find(address => address !== undefined && !isNamedSource(ruleset, address))
  const routed = topology?.namespaces[0]?.routes.find(route => route.table === ROUTE_TABLE.main && BigInt(route.prefix.mask) === 0n && route.device !== undefined)?.device
  const hints = readHints([ruleset])
  const outside = hints.outside !== undefined && !isInnerDevice(hints.outside) ? hints.outside : undefined
  const device = routed ?? outside ?? (hints.devices.length === 0 ? 'eth0' : { not: ['lo', ...hints.devices.filter(isInnerDevice)] })
  return { device, source, hints, hintsAt: hintLookup(hints) }
}

/** Tells whether a device is of this host's own making: of containers, virtual machines, tunnels. */
export function isInnerDevice(name: string): boolean {
  return INNER.test(name)
}

const INNER = /^(docker|br-|virbr|lxcbr|lxdbr|podman|cni|cali|flannel|cilium|lxc|vnet|veth|wg|tun|tap|tailscale|dummy|nodelocaldns|kube|zt|ppp-vpn|utun)/

/** Tells whether some rule names an address, or a network that it is in, as a source; networks of all addresses are not meant. */
function isNamedSource(ruleset: Ruleset, address: Address): boolean {
  const packets: PacketClass = { family: ruleset.family, fields: { 'ip.src': exactly(address) }, devices: {} }
  const isNamedIn = ({ rules }: Chain): boolean => rules.some(({ matches }) => matches.some(use => namesSource(predicateOf(use, ruleset.family), packets)))
  return ruleset.tables.some(({ chains }) => chains.some(isNamedIn))
}

function namesSource(predicate: Predicate, packets: PacketClass): boolean {
  if (predicate.kind === 'all' || predicate.kind === 'any') return predicate.of.some(part => namesSource(part, packets))
  if (predicate.kind === 'not') return namesSource(predicate.of, packets)
  return (predicate.kind === 'masked' || predicate.kind === 'within') && predicate.field === 'ip.src' && holds(predicate, packets) === true
}

/** What a packet is sent to: a port of tcp or udp, or an ICMP type. */
export type Service =
  | { readonly protocol: 'tcp' | 'udp'; readonly port: number }
  | { readonly protocol: 'icmp'; readonly type: number; readonly code: number }

/** Where the destination is: this host, or a host that it forwards to. */
export type Destination = 'host' | 'beyond'

/** Returns the first packets of new connections from the world to a service. */
export function newFromWorld(world: World, family: PacketClass['family'], service: Service, to: Destination = 'host'): PacketClass {
  return {
    family,
    fields: {
      ...COMMON, ...serviceFields(service, family),
      ...(world.source === undefined ? {} : { 'ip.src': exactly(world.source) }),
      'ct.state': exactly(CT_STATE.NEW), 'ct.direction': exactly(0), 'addressType.src': exactly(ADDRESS_TYPE.UNICAST), 'addressType.dst': exactly(to === 'host' ? ADDRESS_TYPE.LOCAL : ADDRESS_TYPE.UNICAST),
    },
    devices: { 'device.in': world.device, ...(to === 'host' ? { 'device.out': '' } : {}) },
  }
}

const COMMON: PacketClass['fields'] = {
  'ip.fragmentOffset': exactly(0), 'ip.moreFragments': exactly(0), 'ip.tos': exactly(0), mark: exactly(0), 'ct.mark': exactly(0), packetType: exactly(PACKET_TYPE.unicast), 'bridge.forwarded': exactly(0),
}

const NO_TCP: PacketClass['fields'] = { 'tcp.flags': 'absent', 'tcp.options': 'absent', 'tcp.mss': 'absent' }
const NO_ICMP: PacketClass['fields'] = { 'icmp.type': 'absent', 'icmp.code': 'absent', 'icmp6.type': 'absent', 'icmp6.code': 'absent' }
const NO_PORTS: PacketClass['fields'] = { 'l4.sport': 'absent', 'l4.dport': 'absent' }
const SYN = 2
const SYN_ACK = 18

/** Returns the fields of a packet that opens a connection to a service. */
export function serviceFields(service: Service, family: PacketClass['family']): PacketClass['fields'] {
  if (service.protocol === 'icmp') {
    const own = family === 'ipv4' ? { 'icmp.type': exactly(service.type), 'icmp.code': exactly(service.code), 'icmp6.type': 'absent' as const, 'icmp6.code': 'absent' as const } : { 'icmp6.type': exactly(service.type), 'icmp6.code': exactly(service.code), 'icmp.type': 'absent' as const, 'icmp.code': 'absent' as const }
    return { 'ip.protocol': exactly(family === 'ipv4' ? PROTOCOL.icmp : PROTOCOL.icmpv6), 'l4.spi': 'absent', ...NO_PORTS, ...NO_TCP, ...own }
  }
  const ports: PacketClass['fields'] = { 'l4.sport': exactly(40000), 'l4.dport': exactly(service.port), 'l4.spi': 'absent', ...NO_ICMP }
  return service.protocol === 'tcp' ? { 'ip.protocol': exactly(PROTOCOL.tcp), ...ports, 'tcp.flags': exactly(SYN) } : { 'ip.protocol': exactly(PROTOCOL.udp), ...ports, ...NO_TCP }
}

/** Returns the packets on a device that no rule names, where any device may be theirs: what rules about devices accept is not what the finding is about. */
export function onUnnamedDevice(packets: PacketClass, { hints }: World): PacketClass {
  if (typeof packets.devices['device.in'] === 'string') return packets
  const name = ['eth0', 'eth1', 'wan0', 'net0'].find(one => !hints.devices.includes(one))
  return name === undefined ? packets : withFields(packets, {}, { 'device.in': name })
}

/** Returns the answers to packets of new connections: ends turned round, the connection established. */
export function repliesTo(packets: PacketClass): PacketClass {
  const { fields, devices } = packets
  const turned: [keyof typeof fields, keyof typeof fields][] = [['ip.src', 'ip.dst'], ['l4.sport', 'l4.dport'], ['addressType.src', 'addressType.dst']]
  const swapped = Object.fromEntries(turned.flatMap(([one, other]) => [[one, fields[other]], [other, fields[one]]]).filter(([, known]) => known !== undefined))
  const { 'ip.src': _src, 'ip.dst': _dst, ...others } = fields
  const isTcp = fields['tcp.flags'] !== 'absent'
  const { 'device.in': arrival, 'device.out': departure } = devices
  return withFields({ family: packets.family, fields: { ...others, ...swapped }, devices: { ...(departure === undefined ? {} : { 'device.in': departure }), ...(arrival === undefined ? {} : { 'device.out': arrival }) } }, {
    'ct.state': exactly(CT_STATE.ESTABLISHED), 'ct.direction': exactly(1), ...(isTcp ? { 'tcp.flags': exactly(SYN_ACK) } : {}),
  })
}

/** Returns one packet of a class in the packet notation; what is not known of the class is chosen, near the other end where that is link-local. */
export function packetOf({ family, fields, devices }: PacketClass): string {
  const value = (field: keyof typeof fields): number | undefined => {
    const known = fields[field]
    return known === undefined || known === 'absent' ? undefined : Number(known.low)
  }
  const address = (field: 'ip.src' | 'ip.dst', otherwise: string): Address => {
    const known = fields[field]
    return known === undefined || known === 'absent' ? (readAddress(otherwise) ?? 0) : known.low
  }
  const arrival = devices['device.in']
  const isSent = arrival === ''
  const device = typeof arrival === 'string' ? arrival : 'eth0'
  const end = (of: Address, port: number | undefined): string => writeEndpoint(port === undefined ? { address: of } : { address: of, port })
  const srcAddress = address('ip.src', isSent ? OWN[family] : SOURCES[family][0])
  const src = end(srcAddress, value('l4.sport'))
  const isNear = typeof srcAddress === 'bigint' && srcAddress >> 118n === 0xfe80n >> 6n
  const dst = end(address('ip.dst', isNear ? NEAR : isSent ? SOURCES[family][0] : OWN[family]), value('l4.dport'))
  const ttl = value('ip.ttl')
  return `${isSent ? '' : `${device} `}${protocolWord(value('ip.protocol') ?? PROTOCOL.tcp)} ${src} > ${dst}${kindWords(value('tcp.flags'), value('icmp.type') ?? value('icmp6.type'), value('icmp.code') ?? value('icmp6.code'))}${ttl === undefined ? '' : ` ttl ${ttl}`}`
}

function protocolWord(protocol: number): string {
  return protocol === PROTOCOL.tcp ? 'tcp' : protocol === PROTOCOL.udp ? 'udp' : protocol === PROTOCOL.icmp ? 'icmp' : protocol === PROTOCOL.icmpv6 ? 'icmp6' : String(protocol)
}

function kindWords(flags: number | undefined, type: number | undefined, code: number | undefined): string {
  if (type !== undefined) return ` type ${type}${code === undefined || code === 0 ? '' : ` code ${code}`}`
  return flags === SYN ? ' syn' : flags === SYN_ACK ? ' syn,ack' : ''
}
