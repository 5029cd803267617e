/** Sends a sample of a set through the simulator: nobody is shown a packet that did not get there. */

import type { Address } from '../net/address.ts'
import { addressWidth, familyOf, maskOfLength } from '../net/address.ts'
import { ADDRESS_TYPE, fieldRow } from '../meaning/fields.ts'
import type { NumberField } from '../meaning/fields.ts'
import { PROTOCOL } from '../net/protocol.ts'
import type { Packet } from '../packet/packet.ts'
import type { Probe } from '../packet/probe.ts'
import type { PacketSet } from '../packetset/packet-sets.ts'
import type { Sample } from '../packetset/sample.ts'
import type { Ruleset } from '../ir/ruleset.ts'
import { trace } from '../simulate/trace.ts'
import type { Outcome, Trace } from '../simulate/trace-events.ts'
import { makeWorld } from '../simulate/world.ts'
import { SCTP_BEGINS } from '../symbolic/conntrack-sets.ts'
import type { Fate } from '../symbolic/fate.ts'
import { drawnDevice } from '../symbolic/drawn-way.ts'
import type { FreeVariable } from '../symbolic/prepare-rules.ts'
import type { Space } from '../symbolic/reachable-sets.ts'
import { ownAddressKey } from '../symbolic/read-through.ts'
import { valueFor } from '../symbolic/value.ts'
import { selfAddressed } from './self-addressed.ts'
import { LOOPBACK } from '../topology/loopback.ts'
import { ROUTE_TABLE } from '../topology/topology.ts'
import type { Device, Namespace, Route, Topology } from '../topology/topology.ts'

/** Addresses for benchmarks, which no ruleset has: they stand for those of devices. Source: RFC 2544, RFC 5180. */
const STAND_IN = { ipv4: (index: number): Address => 0xc6120000 + index, ipv6: (index: number): Address => (0x20010002n << 96n) + BigInt(index) } as const

/** A sample on its way through the simulator. */
export interface Replay {
  readonly probe: Probe
  readonly topology: Topology
  readonly trace: Trace
  /** What had to be so for free variables, in words; empty where nothing had to. */
  readonly conditions: readonly Condition[]
  /** The simulator did with it what the set says. */
  readonly isConfirmed: boolean
}

/** A free variable that must have a value: `-m limit ...` matches, or does not. */
export interface Condition {
  readonly variable: FreeVariable
  readonly value: boolean
}

/** A set of packets with one fate, and the rules that it was found for. */
export interface ReplayQuestion {
  readonly space: Space
  readonly ruleset: Ruleset
  readonly fate: Fate
  /** A part of the fate's packets. */
  readonly set: PacketSet
  readonly variables: ReadonlyMap<string, FreeVariable>
}

/** Returns a natural packet of the set with its trace; undefined of the empty set. */
export function replaySample({ space, ruleset, fate, set, variables }: ReplayQuestion): Replay | undefined {
  const sample = sampleOf(space, set)
  return sample && replayOf(space, ruleset, fate, sample, variables)
}

/** Returns a natural packet of the set that some host may see; undefined where there is none. */
export function sampleOf({ sets, surroundings }: Space, set: PacketSet): Sample | undefined {
  const sample = sets.sample(set)
  if (surroundings.kind === 'described' || sample?.packet.src !== sample?.packet.dst) return sample
  return sets.sample(selfAddressed(sets).possiblePart(set))
}

/** Returns the trace of a sample. */
export function replayOf(space: Space, ruleset: Ruleset, fate: Fate, sample: Sample, variables: ReadonlyMap<string, FreeVariable>): Replay {
  const topology = space.namespace ? { namespaces: [space.namespace], labels: [], assumptions: [] } : topologyFor(space, fate, sample)
  const probe: Probe = sample.inDevice === '' ? { packet: asSent(sample) } : { packet: asSent(sample), inDevice: sample.inDevice }
  const conditions = conditionsOf(sample, variables)
  const assume = new Map([...variables.values()].flatMap(({ key, decisions }) => decisions.map(decision => [decision, sample.decisions.get(key) ?? false] as const)))
  const traced = trace(makeWorld({ topology, rulesets: [ruleset], backend: space.backend }), probe, { assume })
  return { probe, topology, trace: traced, conditions, isConfirmed: isFate(space, fate, sample.packet, traced.outcome) }
}

/** Returns a sample's packet as it is sent: by any socket where nothing is asked of that; an SCTP packet has a chunk, INIT where it is to begin an association. */
export function asSent({ packet: { socket, ...others }, decisions }: Sample): Packet {
  const packet: Packet = socket?.uid === undefined ? others : { ...others, socket }
  if (packet.protocol !== PROTOCOL.sctp || packet.fragmentOffset !== 0) return packet
  return { ...packet, sctp: decisions.get(SCTP_BEGINS) === true ? { chunk: CHUNK.init, vtag: 0, initTag: 1 } : { chunk: CHUNK.data, vtag: 1 } }
}

/** Source: RFC 9260, 3.2. */
const CHUNK = { data: 0, init: 1 } as const

/** Returns what must be so for the free variables that a sample hangs on. */
export function conditionsOf({ decisions }: Sample, variables: ReadonlyMap<string, FreeVariable>): readonly Condition[] {
  return [...decisions].flatMap(([key, value]) => {
    const variable = variables.get(key)
    return variable ? [{ variable, value }] : []
  })
}

/** Tells whether an outcome is the fate: the same end by the same rule, with the same headers. */
export function isFate(space: Pick<Space, 'rewritings'>, { kind, by, rewriting }: Fate, packet: Packet, outcome: Outcome): boolean {
  const isEnd = kind === 'drop' || kind === 'reject'
  if (isEnd ? outcome.kind !== 'drop' && outcome.kind !== 'reject' : outcome.kind !== kind) return false
  if ('by' in outcome) {
    if (outcome.by.kind !== by?.kind) return false
    if (outcome.by.kind === 'rule' && by.kind === 'rule' && outcome.by.place.rule.id !== by.rule.id) return false
    if (outcome.by.kind === 'policy' && by.kind === 'policy' && outcome.by.place.chain.id !== by.chain.id) return false
  }
  return (['ip.src', 'ip.dst', 'l4.sport', 'l4.dport'] as const).every(field => {
    const value = space.rewritings.valueOf(rewriting, field)
    const isDrawn = value.slices.some(slice => slice.field.startsWith('ct.'))
    const wanted = isDrawn ? undefined : valueFor(value, of => readField(of, packet))
    const now = readField(field, outcome.packet)
    return wanted === undefined || now === undefined || BigInt(now) === wanted
  })
}

function readField(field: NumberField, packet: Packet): number | bigint | undefined {
  switch (field) {
    case 'ip.src':
      return packet.src
    case 'ip.dst':
      return packet.dst
    case 'l4.sport':
      return packet.sport
    case 'l4.dport':
      return packet.dport
    default:
      return PACKET_FIELDS.has(field) ? fieldRow(field).read({ packet } as never) : undefined
  }
}

const PACKET_FIELDS: ReadonlySet<NumberField> = new Set<NumberField>(['ip.ttl', 'ip.tos', 'mark', 'ip.protocol'])

/** The plainest host on which a sample goes the way that its set is about: its devices, and the routes that it needs. */
function topologyFor(space: Space, fate: Fate, sample: Sample): Topology {
  const { family } = space
  const { drawnWay, values } = fate.rewriting
  const drawn = drawnWay ? drawnDevice(drawnWay, sample.decisions) : undefined
  const named = [...new Set([...space.devices, sample.inDevice, sample.outDevice, drawn ?? ''].filter(name => name !== '' && name !== LOOPBACK.name))]
  const names = named.length > 0 ? named : ['eth0']
  const destination = finalDestination(space, fate, sample)
  const isOwnAtFirst = (sample.subject.addressType(sample.packet.dst, 'any') & ADDRESS_TYPE.LOCAL) !== 0
  const rewritten = values.get('ip.dst')
  const isDelivered = fate.kind === 'local' || (rewritten ? sample.decisions.get(ownAddressKey('addressType.dst', rewritten)) === true : sample.inDevice !== '' && sample.outDevice === '' && !isOut(fate))
  const isOwnSource = (sample.subject.addressType(sample.packet.src, 'any') & ADDRESS_TYPE.LOCAL) !== 0
  const isBroadcast = (sample.subject.addressType(sample.packet.dst, 'any') & ADDRESS_TYPE.BROADCAST) !== 0
  const own = [...(isDelivered && destination !== undefined && !(isBroadcast && destination === sample.packet.dst) ? [destination] : []), ...(isOwnAtFirst ? [sample.packet.dst] : []), ...(isOwnSource ? [sample.packet.src] : [])].filter(isHostAddress)
  const home = sample.inDevice === '' || sample.inDevice === LOOPBACK.name ? names[0] : sample.inDevice
  const devices = names.map((name, index): Device => ({
    name, kind: 'physical', mtu: 1500, up: true, hairpin: false,
    addresses: [...(name === home ? own.map(address => ({ address, length: addressWidth(family) })) : []), { address: STAND_IN[family](index + 1), length: addressWidth(family) }],
  }))
  const last = fate.rewriting.devices['device.out'] ?? drawn ?? ''
  const routes = [
    ...(isBroadcast ? broadcastRoute(sample.packet.dst, sample.outDevice === '' ? sample.inDevice : sample.outDevice) : []),
    ...routeTo(own.includes(sample.packet.dst) ? undefined : sample.packet.dst, sample.outDevice),
    ...routeTo(destination === undefined || own.includes(destination) ? undefined : destination, last === '' ? sample.outDevice : last),
    ...(names[0] === undefined ? [] : [defaultRoute(family, home ?? names[0])]),
  ]
  const namespace: Namespace = { name: 'host', devices: [LOOPBACK, ...devices], routes, rules: [], neighbours: [], sysctls: {}, ipsets: space.ipsets }
  return { namespaces: [namespace], labels: [], assumptions: [] }
}

function isOut({ kind, by }: Fate): boolean {
  return kind === 'forward' || kind === 'sent' || (by !== undefined && 'hook' in by && (by.hook === 'FORWARD' || by.hook === 'POSTROUTING'))
}

/** An address that REDIRECT takes is the one that the sample's connection is answered from. */
function finalDestination({ rewritings }: Space, { rewriting }: Fate, { packet, subject }: Sample): Address | undefined {
  const value = valueFor(rewritings.valueOf(rewriting, 'ip.dst'), of => (of === 'ct.reply.src' ? subject.connection?.reply.src : readField(of, packet)))
  return value === undefined ? undefined : packet.family === 'ipv4' ? Number(value) : value
}

function isHostAddress(address: Address): boolean {
  return typeof address === 'number' ? address >>> 28 < 0xe && address >>> 24 !== 127 : address >> 120n !== 0xffn && address !== 1n
}

function routeTo(address: Address | undefined, device: string): readonly Route[] {
  if (address === undefined || device === '' || device === LOOPBACK.name) return []
  const family = familyOf(address)
  return [{ kind: 'unicast', prefix: { address, mask: maskOfLength(family, addressWidth(family)) }, table: ROUTE_TABLE.main, metric: 0, device }]
}

/** An address is a broadcast one because the local table says so. */
function broadcastRoute(address: Address, device: string): readonly Route[] {
  return routeTo(address, device).map(route => ({ ...route, kind: 'broadcast', table: ROUTE_TABLE.local }))
}

function defaultRoute(family: 'ipv4' | 'ipv6', device: string): Route {
  return { kind: 'unicast', prefix: { address: family === 'ipv4' ? 0 : 0n, mask: maskOfLength(family, 0) }, table: ROUTE_TABLE.main, metric: 1024, device }
}
