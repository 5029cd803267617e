/** Literals -> packets that may fulfil them. Whether they do is for the simulator to say. */

import type { DeviceField, FieldValue, NumberField } from '../meaning/fields.ts'
import { deviceMatches } from '../net/device-name.ts'
import { familyOf, readAddress, readPrefix } from '../net/address.ts'
import type { Address, Prefix } from '../net/address.ts'
import { PROTOCOL, protocolNumber } from '../net/protocol.ts'
import { makePacket, TCP_FLAG } from '../packet/packet.ts'
import type { Packet, PacketType } from '../packet/packet.ts'
import type { Probe } from '../packet/probe.ts'
import { allHold, literalsOn, valuesFor } from './field-values.ts'
import { addressType } from '../topology/fib.ts'
import type { Literal } from './literals.ts'
import type { Origin, Surroundings } from './surroundings.ts'

/** What a draft is made for. */
export interface DraftOptions {
  /** Chooses source port, ICMP id and hosts, so that probes do not meet each other's connections. */
  readonly turn: number
  /** Prefer destinations of the host itself, or of others. */
  readonly towards: 'host' | 'others'
  readonly origins: 'arriving' | 'local' | 'any'
  /** At most so many drafts. */
  readonly count: number
}

const SOURCE_PORT = 40_000

/** Returns probes, likelier ones first. */
export function draftProbes(literals: readonly Literal[], surroundings: Surroundings, options: DraftOptions): readonly Probe[] {
  const origins = surroundings.origins.filter(origin => mayStartAt(origin, literals, options))
  const pairs = origins.flatMap(origin => pairsFrom(origin, literals, surroundings, options)).sort((one, other) => one.rank - other.rank)
  const bodies = bodiesFor(literals, surroundings, options)
  const probes: Probe[] = []
  for (let sum = 0; sum < pairs.length + bodies.length && probes.length < options.count; sum += 1) {
    for (let at = 0; at < bodies.length && at <= sum && probes.length < options.count; at += 1) {
      const [pair, body] = [pairs[sum - at], bodies[at]]
      const probe = pair && body && makeProbe(pair, body, literals, surroundings)
      if (probe) probes.push(probe)
    }
  }
  return probes
}

/** Where a packet goes: from an origin, between two addresses. */
interface Pair {
  readonly origin: Origin
  readonly src: Address
  readonly dst: Address
  /** How unusual its ends are: of all origins the usual ones are tried first. */
  readonly rank: number
}

/** All of a packet but its addresses. */
type Body = Pick<Packet, 'protocol'> & Partial<Packet>

function mayStartAt(origin: Origin, literals: readonly Literal[], { origins }: DraftOptions): boolean {
  const isOwn = origin.kind === 'own'
  if (origins !== 'any' && (origins === 'local') !== isOwn) return false
  const seen: Readonly<Partial<Record<DeviceField, string>>> = { 'device.in': isOwn ? 'lo' : origin.seenAs, 'bridge.in': origin.port }
  return literals.every(({ term, negated }) => {
    const name = term.kind === 'device' ? seen[term.field] : undefined
    return name === undefined || term.kind !== 'device' || (isOwn && negated) || deviceMatches(term.pattern, name) !== negated
  })
}

/** Every host behind another device is tried once before sources vary. */
function pairsFrom(origin: Origin, literals: readonly Literal[], surroundings: Surroundings, { turn, towards }: DraftOptions): readonly Pair[] {
  const { own, groups, origins, beyond, family, fib } = surroundings
  const others = [...origins, ...beyond].filter(other => other !== origin && other.kind !== 'own').flatMap(other => other.addresses.slice(0, 3))
  const neighbours = origin.kind === 'own' ? [] : origin.addresses.slice(0, 3)
  const leaving = wantedDepartures(literals, surroundings)
  const near = towards === 'host' ? [...own, ...others] : [...leaving, ...others, ...own]
  const inSets = (side: 'src' | 'dst') => addressesInSets(literals, surroundings, side)
  const sources = valuesFor(literalsOn(literals, 'ip.src'), [...inSets('src'), ...origin.addresses], { turn: turn + 5, count: 4 })
  const isOfType = (address: FieldValue): boolean => allHold(literalsOn(literals, 'addressType.dst'), addressType(fib, address))
  const targets = valuesFor(literalsOn(literals, 'ip.dst'), [...inSets('dst'), ...near, ...neighbours, ...groups].filter(isOfType), { turn: turn + 9, count: 14 })
  const pairs = sources.flatMap((src, row) => targets.map((dst, column) => ({ origin, src, dst, rank: row * 3 + column })))
  return pairs.filter(({ src, dst }) => (src !== dst || origin.device === undefined) && familyOf(src) === family && familyOf(dst) === family)
}

/** Hosts behind the devices by which the packet is to leave. */
function wantedDepartures(literals: readonly Literal[], { origins, beyond }: Surroundings): readonly Address[] {
  const wanted = literals.filter(({ term }) => term.kind === 'device' && (term.field === 'device.out' || term.field === 'bridge.out'))
  if (wanted.length === 0) return []
  return [...origins, ...beyond].filter(origin => origin.kind !== 'own' && wanted.every(({ term, negated }) => term.kind === 'device' && deviceMatches(term.pattern, term.field === 'device.out' ? origin.seenAs : origin.port) !== negated)).flatMap(origin => origin.addresses.slice(0, 4))
}

/** Protocols, ports, flags and the rest; the first body has the likeliest of everything. */
function bodiesFor(literals: readonly Literal[], { family, namespace }: Surroundings, { turn }: DraftOptions): readonly Body[] {
  const icmp = family === 'ipv4' ? PROTOCOL.icmp : PROTOCOL.icmpv6
  const numbers = (field: NumberField, usual: readonly number[], count: number): readonly number[] => valuesFor(literalsOn(literals, field), usual, { turn, count }).map(Number)
  const asksIcmp = literals.some(({ term, negated }) => !negated && 'field' in term && term.field.startsWith('icmp'))
  const asksTcp = literals.some(({ term }) => 'field' in term && term.field.startsWith('tcp.'))
  const setPorts = portsInSets(literals, namespace)
  const protocols = numbers('ip.protocol', asksIcmp ? [icmp] : asksTcp ? [PROTOCOL.tcp] : [...setPorts.map(one => one.protocol), PROTOCOL.tcp, PROTOCOL.udp, icmp], 5)
  const ttls = numbers('ip.ttl', [64, 4, 2, 200], 2)
  const toses = numbers('ip.tos', [0], 1)
  const lengths = literalsOn(literals, 'ip.length').length === 0 ? [0] : numbers('ip.length', [60, 100], 3)
  const common = ttls.flatMap(ttl => toses.flatMap(tos => lengths.map(length => ({ ttl, tos, length }))))
  return common.flatMap(({ ttl, tos, length }) => protocols.flatMap(protocol => transportsFor(protocol, literals, { turn, setPorts: setPorts.filter(one => one.protocol === protocol).map(one => one.port) }))
    .map((transport): Body => withLength({ ...transport, ttl, tos }, length, family)))
}

function withLength(body: Body, length: number, family: 'ipv4' | 'ipv6'): Body {
  const address = family === 'ipv4' ? 0 : 0n
  const quoted = body.icmp?.inner?.length
  const bare = makePacket({ ...body, src: address, dst: address, payload: new Uint8Array() })
  if (quoted !== undefined) return { ...body, length: bare.length + quoted }
  return { ...body, payload: new Uint8Array(Math.max(0, Math.min(length, 1400) - bare.length)).fill(0x41) }
}

interface TransportOptions {
  readonly turn: number
  readonly setPorts: readonly number[]
}

function transportsFor(protocol: number, literals: readonly Literal[], { turn, setPorts }: TransportOptions): readonly Body[] {
  const numbers = (field: NumberField, usual: readonly number[], count: number): readonly number[] => valuesFor(literalsOn(literals, field), usual, { turn, count }).map(Number)
  if (protocol === PROTOCOL.icmp || protocol === PROTOCOL.icmpv6) {
    const [types, codes] = protocol === PROTOCOL.icmp ? [numbers('icmp.type', [8], 2), numbers('icmp.code', [0], 1)] : [numbers('icmp6.type', [128], 2), numbers('icmp6.code', [0], 1)]
    return types.flatMap(type => codes.map((code): Body => ({ protocol, icmp: isError(protocol, type) ? { type, code, inner: STRANGE_PACKET[protocol === PROTOCOL.icmp ? 'ipv4' : 'ipv6'] } : { type, code, id: (turn % 65000) + 1, sequence: 1 } })))
  }
  if (protocol === PROTOCOL.esp || protocol === PROTOCOL.ah) return numbers('l4.spi', [256], 1).map((spi): Body => ({ protocol, spi }))
  const hasPorts = [PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.udplite].some(one => one === protocol)
  if (!hasPorts) return [{ protocol }]
  const sports = numbers('l4.sport', [SOURCE_PORT + (turn % 20_000)], 1)
  const dports = numbers('l4.dport', [...setPorts, 80, 53, 33_333], 4)
  const ports = dports.flatMap(dport => sports.map(sport => ({ protocol, sport, dport })))
  if (protocol !== PROTOCOL.tcp) return ports
  const { SYN, ACK, RST, FIN, PSH } = TCP_FLAG
  const flags = numbers('tcp.flags', [SYN, ACK, SYN | ACK, RST, FIN | ACK, PSH | ACK, 0], 2)
  const mssLiterals = literalsOn(literals, 'tcp.mss')
  const mss = mssLiterals.length === 0 ? undefined : valuesFor(mssLiterals, [1460], { turn, count: 1 }).map(Number)[0]
  return flags.flatMap(flag => ports.map(port => ({ ...port, tcp: { flags: flag, seq: 1000, ack: flag & ACK ? 1 : 0, window: 65_535, optionKinds: mss === undefined ? [] : [2], ...(mss === undefined ? {} : { mss }) } })))
}

function isError(protocol: number, type: number): boolean {
  return protocol === PROTOCOL.icmp ? [3, 4, 5, 11, 12].includes(type) : type < 128
}

/** What an error quotes that belongs to no connection. */
const STRANGE_PACKET = {
  ipv4: makePacket({ protocol: PROTOCOL.udp, src: 0xc0000263, dst: 0xc0000264, sport: 9, dport: 9, payload: new Uint8Array(8) }),
  ipv6: makePacket({ protocol: PROTOCOL.udp, src: (0x20010db8n << 96n) + 0x63n, dst: (0x20010db8n << 96n) + 0x64n, sport: 9, dport: 9, payload: new Uint8Array(8) }),
} as const

/** undefined where a literal about what the frame looks like cannot hold. */
function makeProbe({ origin, src, dst }: Pair, body: Body, literals: readonly Literal[], { namespace }: Surroundings): Probe | undefined {
  const type = packetTypeFor(dst, literals, namespace)
  const owner = { uid: Number(valuesFor(literalsOn(literals, 'socket.uid'), [0], { turn: 0, count: 1 })[0] ?? 0), gid: Number(valuesFor(literalsOn(literals, 'socket.gid'), [0], { turn: 0, count: 1 })[0] ?? 0) }
  const mac = valuesFor(literalsOn(literals, 'mac.src'), [0x02aa000000fen], { turn: 0, count: 1 })[0]
  const packet = makePacket({ ...body, src, dst, packetType: type, ...(origin.device === undefined ? { socket: owner } : { macSource: macText(mac ?? 0x02aa000000fen) }) })
  const place = { packet, namespace: origin.namespace }
  if (origin.device === undefined) return place
  const group = type === 'broadcast' ? { macDestination: 'ffffffffffff' } : type === 'multicast' ? { macDestination: groupMac(dst) } : {}
  return { ...place, inDevice: origin.device, ...group }
}

function packetTypeFor(dst: Address, literals: readonly Literal[], namespace: Surroundings['namespace']): PacketType {
  const wanted = literalsOn(literals, 'packetType')
  const isGroup = typeof dst === 'number' ? dst >>> 28 === 0xe : dst >> 120n === 0xffn
  const isBroadcast = typeof dst === 'number' && (dst === 0xffffffff || namespace.devices.some(({ addresses }) => addresses.some(({ address, length }) => typeof address === 'number' && length < 31 && length > 0 && ((address | (0xffffffff >>> length)) >>> 0) === dst)))
  const usual: PacketType = isGroup ? 'multicast' : isBroadcast ? 'broadcast' : 'unicast'
  if (allHold(wanted, TYPES.indexOf(usual))) return usual
  return TYPES.find((_, index) => allHold(wanted, index)) ?? usual
}

/** In the order of their numbers, see `PACKET_TYPE`. */
const TYPES: readonly PacketType[] = ['unicast', 'broadcast', 'multicast']

function groupMac(address: Address): string {
  return typeof address === 'number' ? `01005e${(address & 0x7fffff).toString(16).padStart(6, '0')}` : `3333${(address & 0xffffffffn).toString(16).padStart(8, '0')}`
}

function macText(value: FieldValue): string {
  return BigInt(value).toString(16).padStart(12, '0')
}

interface SetPort {
  readonly protocol: number
  readonly port: number
}

/** Addresses that entries of the wanted sets have for one side. */
function addressesInSets(literals: readonly Literal[], { namespace }: Surroundings, side: 'src' | 'dst'): readonly Address[] {
  return literals.flatMap(({ term, negated }) => {
    if (term.kind !== 'ipset' || negated) return []
    const set = namespace.ipsets.find(one => one.name === term.name)
    return (set?.entries ?? []).filter(entry => !entry.nomatch).slice(0, 8).flatMap(entry => entry.text.split(',').flatMap((part, index) => {
      const address = readAddress(part) ?? hostIn(readPrefix(part)) ?? readAddress(part.split('-')[0] ?? '')
      return term.directions[index] === side && address !== undefined ? [address] : []
    }))
  })
}

function hostIn(prefix: Prefix | undefined): Address | undefined {
  if (!prefix) return undefined
  return typeof prefix.address === 'number' ? prefix.address + 1 : prefix.address + 1n
}

function portsInSets(literals: readonly Literal[], namespace: Surroundings['namespace']): readonly SetPort[] {
  return literals.flatMap(({ term, negated }) => {
    if (term.kind !== 'ipset' || negated) return []
    const set = namespace.ipsets.find(one => one.name === term.name)
    return (set?.entries ?? []).slice(0, 8).flatMap(entry => entry.text.split(',').flatMap((part, index) => {
      const [, name = 'tcp', port] = /^(?:([a-z]+):)?(\d+)(?:-\d+)?$/.exec(part) ?? []
      const protocol = protocolNumber(name)
      return term.directions[index] === 'dst' && port !== undefined && protocol !== undefined ? [{ protocol, port: Number(port) }] : []
    }))
  })
}
