/** The surroundings that a topology describes. The mirror of the simulator's routing: route-input.ts, route-output.ts. */

import { ADDRESS_TYPE } from '../meaning/fields.ts'
import type { NumberField } from '../meaning/fields.ts'
import { all, always, any, equals, masked, never, not, onDevice } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import type { Family, Prefix } from '../net/address.ts'
import { familyOf } from '../net/address.ts'
import { PROTOCOL } from '../net/protocol.ts'
import { TCP_FLAG } from '../packet/packet.ts'
import { addressType, makeFib, selectAddress } from '../topology/fib.ts'
import { addressList6, addressScope6 } from '../topology/source-address6.ts'
import { sysctlNumber } from '../topology/topology.ts'
import type { Device, ListeningSocket, Namespace } from '../topology/topology.ts'
import { casesOfAddress, inCase } from './address-cases.ts'
import { deviceSysctl } from './described-host.ts'
import type { DescribedHost } from './described-host.ts'
import { ipsetMeaning } from './ipset-meaning.ts'
import { mapTerms } from './map-terms.ts'
import type { PacketClass } from './packet-class.ts'
import { routeCases } from './route-cases.ts'
import { inputWays4, inputWays6 } from './route-input.ts'
import type { OutputWay, OwnAddressCase, Surroundings } from './surroundings.ts'

/** Returns the surroundings of a namespace, alone (`single`) or as one of several that are joined. */
export function describedSurroundings(namespace: Namespace, family: Family, place: 'single' | 'linked' = 'single'): Surroundings {
  const host: DescribedHost = { namespace, family, fib: makeFib(namespace), devices: namespace.devices }
  const known = new Map<Predicate, Predicate>()
  const types = new Map<string, Predicate>()
  const inputWays = family === 'ipv4' ? inputWays4(host) : inputWays6(host)
  return {
    kind: 'described',
    ground(predicate) {
      const found = known.get(predicate)
      if (found) return found
      const grounded = mapTerms(predicate, term => groundTerm(host, types, term))
      known.set(predicate, grounded)
      return grounded
    },
    inputWays,
    rewrittenWays: inputWays,
    outputWays: outputWays(host, false),
    rerouteWays: outputWays(host, true),
    masqueradeAddresses: packets => masqueradeAddresses(host, packets),
    redirectAddresses: redirectAddresses(host),
    arrivals: any(host.devices.filter(device => device.up && device.kind !== 'loopback' && device.master === undefined).map(device => onDevice('device.in', { name: device.name, prefix: false }))),
    departures: onDevice('device.in', { name: '', prefix: false }),
    isLinked: place === 'linked',
    isTaken: isTaken(namespace, family),
    tcpLoose: sysctlNumber(namespace, 'net.netfilter.nf_conntrack_tcp_loose', 1) !== 0,
  }
}

/** The mirror of takerOf() for a packet that no socket waits for: what is neither TCP nor UDP is the kernel's. */
function isTaken({ sockets }: Namespace, family: Family): Predicate {
  if (!sockets) return always
  const isOpening = masked('tcp.flags', TCP_FLAG.SYN | TCP_FLAG.ACK | TCP_FLAG.RST, TCP_FLAG.SYN)
  const isFor = ({ protocol, address, port }: ListeningSocket): Predicate => all([
    equals('ip.protocol', PROTOCOL[protocol]), equals('l4.dport', port), protocol === 'tcp' ? isOpening : always,
    address === undefined || address === 0n || (address === 0 && family === 'ipv4') ? always : familyOf(address) === family ? equals('ip.dst', address) : never,
  ])
  return any([not(any([equals('ip.protocol', PROTOCOL.tcp), equals('ip.protocol', PROTOCOL.udp)])), not(equals('ip.fragmentOffset', 0)), ...sockets.map(isFor)])
}

function groundTerm(host: DescribedHost, types: Map<string, Predicate>, term: Predicate): Predicate {
  if (term.kind === 'ipset') return ipsetMeaning(host.namespace.ipsets, term, host.family) ?? term
  if ((term.kind !== 'masked' && term.kind !== 'within') || !term.field.startsWith('addressType.')) return term
  const [, side, where] = term.field.split('.')
  const field: NumberField = side === 'src' ? 'ip.src' : 'ip.dst'
  const fits = (type: number): boolean => (term.kind === 'masked' ? (type & Number(term.mask)) === Number(term.value) : Number(term.low) <= type && type <= Number(term.high))
  if (where === undefined) return typedAddresses(host, types, field, undefined, fits)
  const deviceField = where === 'in' ? 'device.in' : 'device.out'
  const onDevices = host.devices.map(device => all([onDevice(deviceField, { name: device.name, prefix: false }), typedAddresses(host, types, field, device.name, fits)]))
  const onNone = all([onDevice(deviceField, { name: '', prefix: false }), typedAddresses(host, types, field, '', fits)])
  return any([...onDevices, onNone])
}

/** Addresses whose type, as the host or one device of it sees them, is a wanted one. */
function typedAddresses(host: DescribedHost, types: Map<string, Predicate>, field: NumberField, device: string | undefined, fits: (type: number) => boolean): Predicate {
  const wanted = [0, ...Object.values(ADDRESS_TYPE)].filter(fits).join(',')
  const key = `${field} ${device ?? ''} ${device === undefined} ${wanted}`
  const known = types.get(key)
  if (known) return known
  const cases = casesOfAddress(host.family, [...prefixesOf(host), ...SPECIAL_PREFIXES[host.family]], address => fits(addressType(host.fib, address, device)), String)
  const predicate = any(cases.filter(({ answer }) => answer).map(found => inCase(field, found)))
  types.set(key, predicate)
  return predicate
}

function prefixesOf({ fib }: DescribedHost): readonly Prefix[] {
  return [...fib.tables.values()].flatMap(routes => routes.map(({ prefix }) => prefix))
}

/** Where types change besides at routes. */
const SPECIAL_PREFIXES: Readonly<Record<Family, readonly Prefix[]>> = {
  ipv4: [{ address: 0, mask: 0xff000000 }, { address: 0xffffffff, mask: 0xffffffff }, { address: 0xe0000000, mask: 0xf0000000 }],
  ipv6: [{ address: 0n, mask: (1n << 128n) - 1n }, { address: 0xffn << 120n, mask: 0xffn << 120n }],
}

/**
 * The mirror of routeOutput(): `isAnew` for what is looked up again after OUTPUT changed it, by TOS and, in IPv4, only with a source
 * that the host could have (route-output.ts reroute()).
 */
function outputWays(host: DescribedHost, isAnew: boolean): readonly OutputWay[] {
  const { family, fib } = host
  const question = { towards: 'destination', usesMark: true, usesTos: isAnew, inDevice: 'none', usesSource: true } as const
  const cases = routeCases(fib, family, question)
  const isGroup = groupDestination(family)
  const byRoute = cases.map(({ when, decision }): OutputWay => {
    if (decision.kind === 'local') return { when: all([when, not(isGroup)]), way: { kind: 'forward', device: 'lo' } }
    const device = decision.device === undefined ? undefined : host.devices.find(one => one.name === decision.device)
    const isUsable = device?.up && (decision.kind === 'unicast' || decision.kind === 'broadcast' || decision.kind === 'multicast')
    if (!device || !isUsable) return { when: all([when, not(isGroup)]), way: { kind: 'none' } }
    return { when: all([when, not(isGroup), mayCarry(host, device)]), way: { kind: 'forward', device: device.name, ...(decision.gateway === undefined ? {} : { gateway: decision.gateway }) } }
  })
  return [...groupWays(host, cases, isGroup), ...firstOnly(byRoute, cases.map(({ when }) => when))]
}

/** A case whose device may not carry the packet must not fall through to the next case. */
function firstOnly(ways: readonly OutputWay[], cases: readonly Predicate[]): readonly OutputWay[] {
  return ways.flatMap((way, index) => [way, { when: cases[index] ?? never, way: { kind: 'none' as const } }])
}

function groupWays(host: DescribedHost, cases: ReturnType<typeof routeCases>, isGroup: Predicate): readonly OutputWay[] {
  const own = host.devices.flatMap(device => device.addresses.filter(({ address }) => typeof address === (host.family === 'ipv4' ? 'number' : 'bigint')).map(({ address }) => ({ when: all([isGroup, equals('ip.src', address)]), way: { kind: 'forward' as const, device: device.name } })))
  const routed = cases.map(({ when, decision }): OutputWay => ({ when: all([isGroup, when]), way: decision.device === undefined ? { kind: 'none' } : { kind: 'forward', device: decision.device } }))
  return [...own, ...routed]
}

/** 255.255.255.255 and multicast. */
function groupDestination(family: Family): Predicate {
  return family === 'ipv4' ? any([equals('ip.dst', 0xffffffff), masked('ip.dst', 0xf0000000, 0xe0000000)]) : masked('ip.dst', 0xffn << 120n, 0xffn << 120n)
}

function mayCarry({ family, namespace }: DescribedHost, device: Device): Predicate {
  if (family === 'ipv6' || device.kind === 'loopback' || deviceSysctl(namespace, device.name, 'route_localnet') !== 0) return always
  return not(masked('ip.src', 0xff000000, 0x7f000000))
}

/** The mirror of masqueradeAddress(): the address of the device that the packets leave by, towards the next hop. */
function masqueradeAddresses(host: DescribedHost, { rewriting }: PacketClass): readonly OwnAddressCase[] {
  const { namespace, family } = host
  const bound = rewriting.devices['device.out']
  return host.devices.filter(device => bound === undefined || bound === device.name).flatMap(device => {
    const near = device.addresses.map(({ address, length }): Prefix => ({ address, mask: family === 'ipv4' ? (length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0) : ((1n << 128n) - 1n) ^ ((1n << BigInt(128 - length)) - 1n) }))
    const borders = family === 'ipv4' ? near : [...near, ...prefixesOf(host), ...SCOPE_PREFIXES]
    const gateways = gatewaysOf(host, device)
    const ask = (towards: number | bigint) => selectAddress(namespace, device, family, towards)
    const cases = casesOfAddress(family, borders.map(({ address, mask }) => ({ address: typeof address === 'number' ? (address & Number(mask)) >>> 0 : address & BigInt(mask), mask })), ask, String)
    const here = onDevice('device.out', { name: device.name, prefix: false })
    return [
      ...gateways.map(({ when, gateway }) => ({ when: all([here, when]), address: ask(gateway) ?? ('none' as const) })),
      ...cases.map(found => ({ when: all([here, inCase('ip.dst', found)]), address: found.answer ?? ('none' as const) })),
    ]
  })
}

/** IPv4: what goes by a gateway is told by the gateway's side of the device. */
function gatewaysOf(host: DescribedHost, device: Device): readonly { readonly when: Predicate; readonly gateway: number }[] {
  if (host.family === 'ipv6') return []
  const cases = routeCases(host.fib, 'ipv4', { towards: 'destination', usesMark: true, usesTos: true, inDevice: 'packet', usesSource: true })
  return cases.flatMap(({ when, decision }) => (decision.device === device.name && typeof decision.gateway === 'number' ? [{ when, gateway: decision.gateway }] : []))
}

const SCOPE_PREFIXES: readonly Prefix[] = [
  { address: 0xfe80n << 112n, mask: 0xffc0n << 112n }, { address: 0xfec0n << 112n, mask: 0xffc0n << 112n }, { address: 0n, mask: ((1n << 96n) - 1n) << 32n },
  { address: 0x2002n << 112n, mask: 0xffffn << 112n }, { address: 0xfcn << 120n, mask: 0xfen << 120n }, { address: 0xffn << 120n, mask: 0xffn << 120n },
]

/** The mirror of redirectAddress(). */
function redirectAddresses(host: DescribedHost): readonly OwnAddressCase[] {
  return host.devices.flatMap((device): OwnAddressCase[] => {
    const here = onDevice('device.in', { name: device.name, prefix: false })
    if (host.family === 'ipv4') return [{ when: here, address: device.addresses.find(({ address }) => typeof address === 'number')?.address ?? 'none' }]
    const list = addressList6(device)
    const cases = casesOfAddress('ipv6', SCOPE_PREFIXES.slice(0, 3), towards => list.find(own => addressScope6(BigInt(towards)) === 0 || (addressScope6(own) & addressScope6(BigInt(towards))) !== 0), String)
    return cases.map(found => ({ when: all([here, inCase('ip.dst', found)]), address: found.answer ?? 'none' }))
  })
}
