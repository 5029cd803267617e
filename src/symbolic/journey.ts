/**
 * Sets of packets through a whole world: host after host, over veth pairs, wires and bridges, until nobody has any left. The mirror of
 * the simulator's journey.ts. What comes to a place as it was there before, but for the ttl, goes round for ever: that bounds the run.
 */

import { CT_STATE, PACKET_TYPE } from '../meaning/fields.ts'
import type { NumberField } from '../meaning/fields.ts'
import type { PacketSet } from '../packetset/packet-sets.ts'
import { crossBridge, enterBridge } from './bridge-path.ts'
import type { BridgePort } from './bridge-path.ts'
import { headerTuple, originalTuple } from './connection-tuples.ts'
import type { Decider, Decision, Fate, FateKind, FlowState } from './fate.ts'
import { keyOfDecider } from './fate.ts'
import type { FrameWay } from './frame-ways.ts'
import { goOn, receive, receiveClasses, routeClasses, sendLocal, startOf } from './ip-path.ts'
import { toNextHops } from './next-hop.ts'
import { unionOf } from './packet-class.ts'
import type { PacketClass } from './packet-class.ts'
import { keyOfTuple } from './rewriting.ts'
import type { Rewriting, Visit } from './rewriting.ts'
import { divideByPorts } from './port-arrivals.ts'
import { makeRun } from './run.ts'
import type { Run } from './run.ts'
import { constantOf, constantValue, originalValue } from './value.ts'
import type { Value } from './value.ts'
import type { SymbolicWorld, WorldHost } from './world.ts'

/** Packets with one fate in one namespace; those that leave the described world do so by `port`. */
export interface WorldFate extends Fate {
  readonly namespace: string
  readonly port: string | undefined
}

/** What a run through a world found. */
export interface WorldReached {
  readonly fates: readonly WorldFate[]
  readonly decisions: readonly Decision[]
  /** Packets by the device (`NAMESPACE/DEVICE`) that they left a namespace by. */
  readonly left: ReadonlyMap<string, PacketSet>
  readonly notes: readonly string[]
  /** Packets that were not followed to their end: the run was cut off, or a note says why. */
  readonly undecided: PacketSet
}

/** Where packets begin: made in a namespace, or arriving there from outside on the devices that the set says. */
export interface WorldStart {
  readonly namespace: string
  readonly start: 'arrive' | 'make'
  readonly state: FlowState
  readonly set: PacketSet
  /** A run that takes more nodes than this is cut off; without it all that the sets allow. */
  readonly nodeLimit?: number
}

/** Packets that left a namespace, and the rest of their way. */
interface OnWay {
  readonly from: WorldHost
  readonly kind: 'forward' | 'sent'
  readonly way: FrameWay
  readonly packets: PacketClass
}

interface Course {
  readonly world: SymbolicWorld
  readonly state: FlowState
  readonly pending: OnWay[]
  /** By place and rewriting but for the ttl: the ttl and who came with it. */
  readonly seen: Map<string, { readonly ttl: string; readonly set: PacketSet }[]>
  readonly fates: Map<string, Omit<WorldFate, 'set'> & { readonly parts: PacketSet[] }>
  readonly decisions: Decision[]
  readonly left: Map<string, PacketSet[]>
  readonly notes: Set<string>
  readonly open: PacketSet[]
}

/** Follows packets from where they begin to all their ends. */
export function followSets(world: SymbolicWorld, { namespace, start, state, set, nodeLimit }: WorldStart): WorldReached {
  const { sets } = world
  const course: Course = { world, state, pending: [], seen: new Map(), fates: new Map(), decisions: [], left: new Map(), notes: new Set(), open: [] }
  const host = world.hosts.get(namespace)
  const follow = (): 'done' => {
    if (host && set !== sets.none) onHost(course, host, run => (start === 'make' ? sendLocal(run, set) : arriveFromOutside(course, run, host, set)))
    for (let next = course.pending.shift(); next; next = course.pending.shift()) carry(course, next)
    return 'done'
  }
  const isWhole = (nodeLimit === undefined ? follow() : sets.withinBudget(nodeLimit, follow)) === 'done'
  const fates = [...course.fates.values()].map(({ parts, ...fate }) => ({ ...fate, set: unionOf(sets, parts) }))
  return {
    fates,
    decisions: course.decisions,
    left: new Map([...course.left].map(([place, parts]) => [place, unionOf(sets, parts)])),
    notes: [...course.notes],
    undecided: sets.union(unionOf(sets, course.open), isWhole ? sets.none : sets.subtract(set, unionOf(sets, fates.map(fate => fate.set)))),
  }
}

/** Runs packets through one host; what leaves it is on its way to the next. */
function onHost(course: Course, host: WorldHost, send: (run: Run) => void): void {
  const { sets, rewritings, backend } = course.world
  const run = makeRun({ sets, rewritings, backend, prepared: host.prepared, surroundings: host.surroundings, state: course.state, namespace: host.namespace.name })
  send(run)
  for (const { kind, by, rewriting, set } of run.fatesOf()) {
    if (kind === 'forward' || kind === 'sent') depart(course, run, host, kind, { rewriting, set })
    else end(course, host, kind, by, { rewriting, set })
  }
  for (const decision of run.decisionsOf()) course.decisions.push({ ...decision, by: { ...decision.by, namespace: host.namespace.name } })
  for (const note of run.notes) course.notes.add(note)
  course.open.push(run.openPackets())
}

/** What comes in by a bridge port has arrived on the bridge. */
function arriveFromOutside(course: Course, run: Run, host: WorldHost, set: PacketSet): void {
  const { ports, others } = divideByPorts(course.world, host, set)
  if (others !== run.sets.none) receive(run, others)
  for (const { at, up, across } of ports) {
    run.leaveOpen('packets that cross a bridge from outside: which of its hosts takes them', across)
    if (up === run.sets.none) continue
    const rewriting = run.rewritings.with(startOf(run), { devices: { 'device.in': at.bridge, 'device.out': '' } })
    if (host.bridgesAsk) onBridge(course, run, host, at, { rewriting, set: up }, undefined)
    else receiveClasses(run, new Map([[rewriting, up]]))
  }
}

function end(course: Course, { namespace: { name } }: WorldHost, kind: FateKind, by: Decider | undefined, { rewriting, set }: PacketClass, port: string | undefined = undefined): void {
  const key = `${name} ${port ?? ''} ${kind} ${keyOfDecider(by)} ${rewriting.key}`
  const known = course.fates.get(key)
  if (known) known.parts.push(set)
  else course.fates.set(key, { namespace: name, port, kind, by: by && { ...by, namespace: name }, rewriting, parts: [set] })
}

/** Packets that a host sends: whoever has their next hop gets them. */
function depart(course: Course, run: Run, host: WorldHost, kind: 'forward' | 'sent', packets: PacketClass): void {
  const device = packets.rewriting.devices['device.out'] ?? ''
  noteLeft(course, host, device, packets.set)
  for (const { way, packets: part } of waysOut(course, run, host, kind, device, packets)) course.pending.push({ from: host, kind, way, packets: withMac(course, part, way.macSource) })
}

function noteLeft({ left }: Course, { namespace: { name } }: WorldHost, device: string, set: PacketSet): void {
  const place = `${name}/${device}`
  const known = left.get(place)
  if (known) known.push(set)
  else left.set(place, [set])
}

/** Divides packets by the way to their next hop; those that have none end. */
function waysOut(course: Course, run: Run, host: WorldHost, kind: 'forward' | 'sent', device: string, packets: PacketClass): readonly { readonly way: FrameWay; readonly packets: PacketClass }[] {
  const { pieces, find, remembers } = course.world
  return toNextHops(run, { namespace: host.namespace.name, device, own: host.own, pieces, find, remembers }, packets).flatMap(({ answer, packets: part }) => {
    if (answer.kind === 'ways') return answer.ways.map(way => ({ way, packets: part }))
    if (answer.kind === 'nobody') end(course, host, 'drop', { kind: 'kernel', reason: 'neighbour-unknown' }, part)
    else {
      course.notes.add('packets to broadcast and multicast addresses: which hosts take them')
      end(course, host, kind, undefined, part, device)
    }
    return []
  })
}

/** Takes packets on their way across the next bridge, or to its end. */
function carry(course: Course, { from, kind, way, packets }: OnWay): void {
  const [crossing, ...crossings] = way.crossings
  const place = crossing ?? (way.end.kind === 'taken' ? way.end : undefined)
  const host = place && course.world.hosts.get(place.namespace)
  if (!host) {
    const leavesBy = way.end.kind === 'leaves' ? way.end : undefined
    const last = (leavesBy && course.world.hosts.get(leavesBy.namespace)) ?? from
    if (leavesBy) end(course, last, kind, undefined, packets, leavesBy.device)
    else end(course, last, 'drop', { kind: 'kernel', reason: 'nobody-takes-it' }, packets)
    return
  }
  const device = crossing ? crossing.bridge : way.end.kind === 'taken' ? way.end.device : ''
  const port = crossing ? crossing.inPort : way.end.kind === 'taken' ? way.end.port : undefined
  const arrived = { rewriting: arrivingAt(course.world, from, host, device, packets.rewriting), set: packets.set }
  const rest = { ...way, crossings }
  if (crossing && (!host.bridgesAsk || crossing.isTagged)) {
    course.pending.push({ from: host, kind, way: rest, packets: arrived })
    return
  }
  const fresh = withoutCircling(course, host, `${device} ${port ?? ''} ${crossing?.outPort ?? ''}`, arrived)
  if (fresh.set === course.world.sets.none) return
  onHost(course, host, run => {
    if (port === undefined || !host.bridgesAsk) receiveClasses(run, new Map([[fresh.rewriting, fresh.set]]))
    else onBridge(course, run, host, { bridge: device, port }, fresh, crossing && { port: crossing.outPort, way: rest })
  })
}

/** On a bridge port: up into the host, or `across` to another port. What nat turns back to a neighbour on the bridge crosses it too. */
function onBridge(course: Course, run: Run, host: WorldHost, at: BridgePort, packets: PacketClass, across: { readonly port: string; readonly way: FrameWay } | undefined): void {
  const { unchanged, turned } = enterBridge(run, at, packets)
  if (across) for (const left of crossBridge(run, { bridge: at.bridge, port: across.port }, unchanged)) course.pending.push({ from: host, kind: 'forward', way: across.way, packets: left })
  else goOn(run, routeClasses(run, unchanged))
  for (const one of turned) {
    for (const { way, packets: part } of waysOut(course, run, host, 'forward', at.bridge, one)) {
      const isBack = way.port === at.port && host.devices.get(at.port)?.hairpin !== true
      if (isBack) end(course, host, 'drop', { kind: 'kernel', reason: 'bridge-same-port' }, part)
      else for (const left of crossBridge(run, { bridge: at.bridge, port: way.port }, [part])) course.pending.push({ from: host, kind: 'forward', way, packets: left })
    }
  }
}

/** Returns the packets that were not here before in the same state: the others circle. */
function withoutCircling(course: Course, host: WorldHost, place: string, { rewriting, set }: PacketClass): PacketClass {
  const { sets, rewritings } = course.world
  const ttl = rewritings.valueOf(rewriting, 'ip.ttl')
  const key = `${host.namespace.name} ${place} ${rewritings.with(rewriting, { values: new Map([['ip.ttl' as const, originalValue('ip.ttl', ttl.width)]]) }).key}`
  const known = course.seen.get(key) ?? []
  const before = unionOf(sets, known.filter(one => one.ttl !== rewriting.key).map(one => one.set))
  course.seen.set(key, [...known, { ttl: rewriting.key, set }])
  const circling = sets.intersect(set, before)
  if (circling === sets.none) return { rewriting, set }
  end(course, host, 'drop', { kind: 'kernel', reason: 'circles' }, { rewriting, set: circling })
  return { rewriting, set: sets.subtract(set, circling) }
}

function withMac({ world: { rewritings } }: Course, { rewriting, set }: PacketClass, mac: string): PacketClass {
  return { rewriting: rewritings.with(rewriting, { values: new Map([['mac.src' as const, constantValue(48, BigInt(`0x${mac}`))]]) }), set }
}

const CARRIED: readonly NumberField[] = ['ip.src', 'ip.dst', 'ip.ttl', 'ip.tos', 'l4.sport', 'l4.dport', 'tcp.flags', 'tcp.options', 'tcp.mss', 'mac.src']
const TUPLE = [['ct.original.src', 'ip.src'], ['ct.original.dst', 'ip.dst'], ['ct.original.sport', 'l4.sport'], ['ct.original.dport', 'l4.dport']] as const

/** Kernel: between namespaces a packet loses its mark, its socket and its connection. The mirror of asReceived(). */
function arrivingAt({ rewritings }: SymbolicWorld, from: WorldHost, to: WorldHost, device: string, rewriting: Rewriting): Rewriting {
  const kept = (fields: readonly NumberField[]): readonly (readonly [NumberField, Value])[] => fields.flatMap(field => {
    const value = rewriting.values.get(field)
    return value ? [[field, value] as const] : []
  })
  const tuple = TUPLE.flatMap(([original, now]) => {
    const value = rewriting.values.get(now)
    return value ? [[original, value] as const] : []
  })
  const fixed = ([['ct.state', CT_STATE.INVALID], ['bridge.forwarded', 0], ['packetType', PACKET_TYPE.unicast], ['socket.exists', 0], ...(from === to ? [] : [['mark', 0] as const])] as const).map(([field, value]) => [field, rewritings.constant(field, value)] as const)
  return rewritings.arriving({
    values: new Map<NumberField, Value>([...kept(from === to ? [...CARRIED, 'mark'] : CARRIED), ...tuple, ...fixed]),
    devices: { 'device.in': device, 'device.out': '', 'bridge.in': '', 'bridge.out': '' },
    visits: visitsOf(rewritings, from, rewriting),
    asked: rewriting.asked,
  })
}

/** The connection that the packets have where they leave is known there from now on. */
function visitsOf(rewritings: SymbolicWorld['rewritings'], { namespace: { name } }: WorldHost, rewriting: Rewriting): readonly Visit[] {
  if (rewriting.connection !== 'new' && rewriting.connection !== 'again') return rewriting.visits
  const original = originalTuple(rewritings, rewriting)
  const key = keyOfTuple(original)
  const others = rewriting.visits.filter(visit => visit.namespace !== name || keyOfTuple(visit.original) !== key)
  const status = Number(constantOf(rewritings.valueOf(rewriting, 'ct.status')) ?? 0n)
  return [...others, { namespace: name, original, translated: headerTuple(rewritings, rewriting), status, mark: rewritings.valueOf(rewriting, 'ct.mark') }]
}
