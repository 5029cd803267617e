/** A packet's way through a whole world: host after host, over veth pairs, wires and bridges; and the answers that go back. */

import { replyTo } from '../packet/reply.ts'
import type { Packet } from '../packet/packet.ts'
import type { Probe } from '../packet/probe.ts'
import type { DeviceEnd } from '../topology/topology.ts'
import { BROADCAST_MAC, isGroupMac, transmit } from './frames.ts'
import type { Arrival } from './frames.ts'
import { crossBridge } from './neighbours.ts'
import { answerOf } from './sockets.ts'
import { trace } from './trace.ts'
import type { TraceOptions } from './trace.ts'
import type { Outcome, Trace } from './trace-events.ts'
import type { Host, World } from './world.ts'

/** The part of a way that lies in one namespace, and where it goes on. */
export interface Leg {
  readonly namespace: string
  readonly trace: Trace
  /** Frames that left this namespace because of the packet: several where a bridge floods. */
  readonly crossings: readonly Crossing[]
  /** Packets that the kernel made here because of it: ICMP errors and resets, each with its own way. */
  readonly answers: readonly Leg[]
}

/** A frame between two devices. `leaves` the described world; `lost` where the device is down or leads nowhere; `circles` in a loop of bridges. */
export interface Crossing {
  readonly kind: 'arrives' | 'leaves' | 'lost' | 'circles'
  readonly from: DeviceEnd
  readonly to?: DeviceEnd
  /** Where it went on. */
  readonly leg?: Leg
}

/** One packet's whole way. */
export interface Journey {
  readonly probe: Probe
  readonly start: Leg
}

type Leaving = Extract<Outcome, { readonly ports: readonly string[] }>

interface Course {
  readonly world: World
  readonly options: TraceOptions
  legs: number
}

/** More namespaces than any packet passes that does not circle. */
const MOST_LEGS = 200

/** Whom a frame is addressed to that goes to somebody outside the described world. */
const STRANGER_MAC = '02ffffffffff'

/** Sends a packet into the world and follows it to all its ends. Changes the world as `trace` does. */
export function sendThrough(world: World, probe: Probe, options: TraceOptions = {}): Journey {
  const namespace = probe.namespace ?? world.topology.namespaces[0]?.name ?? ''
  return { probe, start: follow({ world, options, legs: 0 }, namespace, trace(world, probe, options)) }
}

/**
 * Sends a packet, then what its receivers answer (an echo reply, a handshake's next segment, the datagram of a service), until nobody
 * has anything to say. Where a packet leaves the described world, whoever is there is taken to answer if `outsideAnswers`.
 */
export function converse(world: World, probe: Probe, { outsideAnswers, ...options }: TraceOptions & { readonly outsideAnswers?: boolean } = {}): readonly Journey[] {
  const journeys: Journey[] = []
  const queue: Probe[] = [probe]
  while (queue.length > 0 && journeys.length < MOST_PACKETS) {
    const next = queue.shift()
    if (!next) break
    const journey = sendThrough(world, next, options)
    journeys.push(journey)
    queue.push(...answersTo(world, journey, outsideAnswers === true && journeys.length === 1))
  }
  return journeys
}

/** A handshake has three; a broadcast may have more receivers. */
const MOST_PACKETS = 16

/** Returns all legs of a journey in the order of their way; answers of the kernel are not among them. */
export function legsOf(leg: Leg): readonly Leg[] {
  return [leg, ...leg.crossings.flatMap(crossing => (crossing.leg ? legsOf(crossing.leg) : []))]
}

/** Returns the legs from the start to the best end: delivery before leaving the world, before a refusal, before a loss. */
export function mainWay(leg: Leg): readonly Leg[] {
  const ways = leg.crossings.flatMap(crossing => (crossing.leg ? [mainWay(crossing.leg)] : []))
  const [best] = ways.sort((one, other) => rankOf(other) - rankOf(one))
  const leavesWorld = leg.crossings.some(({ kind }) => kind === 'leaves')
  return best && (!leavesWorld || rankOf(best) > RANKS.forward) ? [leg, ...best] : [leg]
}

const RANKS: Readonly<Record<Outcome['kind'], number>> = { local: 5, forward: 4, sent: 4, bridge: 4, queue: 3, stolen: 3, reject: 2, drop: 1 }

function rankOf(way: readonly Leg[]): number {
  const last = way.at(-1)
  if (!last) return 0
  const { outcome } = last.trace
  if (outcome.kind === 'drop' && outcome.by.kind === 'kernel' && outcome.by.reason === 'not-for-this-host') return 0
  const isLost = 'ports' in outcome && !last.crossings.some(({ kind }) => kind === 'leaves')
  return isLost ? 0.5 : RANKS[outcome.kind]
}

function follow(course: Course, namespace: string, one: Trace): Leg {
  course.legs += 1
  const outcomes = [one.outcome, ...one.way.copies].filter(isLeaving)
  const crossings = course.world.links ? outcomes.flatMap(outcome => cross(course, outcome)) : outcomes.map((outcome): Crossing => ({ kind: 'leaves', from: { namespace, device: outcome.ports[0] ?? outcome.device } }))
  return { namespace, trace: one, crossings, answers: one.answers.map(answer => follow(course, namespace, answer)) }
}

function isLeaving(outcome: Outcome): outcome is Leaving {
  return outcome.kind === 'forward' || outcome.kind === 'sent' || outcome.kind === 'bridge'
}

function cross(course: Course, outcome: Leaving): readonly Crossing[] {
  const { world } = course
  const host = world.hosts.get(outcome.namespace)
  if (!host) return []
  const own = host.devices.get(outcome.device)?.mac
  const macSource = (outcome.kind === 'bridge' ? outcome.packet.macSource : own) ?? own ?? STRANGER_MAC
  const macDestination = outcome.macDestination ?? (outcome.packet.packetType === 'broadcast' ? BROADCAST_MAC : STRANGER_MAC)
  return outcome.ports.flatMap(port => {
    const from = { namespace: outcome.namespace, device: port }
    const sent = transmit(world, host, port, { macSource, macDestination, tags: [] })
    return [
      ...sent.arrivals.map(arrival => arrive(course, from, host, arrival, outcome.packet)),
      ...sent.leaves.map((): Crossing => ({ kind: 'leaves', from })),
      ...sent.lost.map((to): Crossing => ({ kind: 'lost', from, to })),
    ]
  })
}

function arrive(course: Course, from: DeviceEnd, sender: Host, { host, device, frame }: Arrival, packet: Packet): Crossing {
  const to = { namespace: host.namespace.name, device: device.name }
  if (course.legs >= MOST_LEGS) return { kind: 'circles', from, to }
  const probe: Probe = { packet: asReceived(packet, frame, sender === host), inDevice: device.name, namespace: host.namespace.name, macDestination: frame.macDestination }
  if (frame.tags.length > 0) return { kind: 'arrives', from, to, ...carryOn(course, { host, device, frame }, packet) }
  return { kind: 'arrives', from, to, leg: follow(course, host.namespace.name, trace(course.world, probe, course.options)) }
}

/** Kernel: a bridge carries a tagged frame on without asking iptables. Source: br_netfilter_hooks.c `nf_bridge_filter_vlan_tagged`, 0 by default. */
function carryOn(course: Course, { host, device, frame }: Arrival, packet: Packet): Pick<Crossing, 'leg'> {
  const bridge = device.master === undefined ? undefined : host.devices.get(device.master)
  if (!bridge) return {}
  const namespace = host.namespace.name
  const { ports } = crossBridge({ host, device, frame }, bridge)
  const crossings = ports.flatMap(port => transmit(course.world, host, port, frame).arrivals.map(arrival => arrive(course, { namespace, device: port }, host, arrival, packet)))
  const outcome: Outcome = { kind: 'bridge', namespace, device: bridge.name, ports, packet, macDestination: frame.macDestination }
  course.legs += 1
  return { leg: { namespace, trace: { events: [], outcome, way: { path: [], states: [], copies: [] }, assumed: [], answers: [] }, crossings, answers: [] } }
}

/** Kernel: between namespaces a packet loses its mark, on every link its socket and priority. Source: net/core/skbuff.c skb_scrub_packet(), net/core/dev.c ____dev_forward_skb(). */
function asReceived({ socket: _, ...packet }: Packet, { macSource, macDestination }: Arrival['frame'], isSameHost: boolean): Packet {
  const packetType = macDestination === BROADCAST_MAC ? 'broadcast' : isGroupMac(macDestination) ? 'multicast' : 'unicast'
  return { ...packet, macSource, packetType, priority: 0, mark: isSameHost ? packet.mark : 0 }
}

/** Returns what the receivers of a packet answer; where it left the described world, whoever is there is taken to answer if `outsideAnswers`. */
export function answersTo(world: World, journey: Journey, outsideAnswers: boolean): readonly Probe[] {
  const legs = legsOf(journey.start)
  const inside = legs.flatMap(({ namespace, trace: { outcome } }): Probe[] => {
    const host = world.hosts.get(namespace)
    const packet = outcome.kind === 'local' && host ? answerOf(host, outcome.packet) : undefined
    return packet ? [{ packet, namespace }] : []
  })
  if (inside.length > 0 || !outsideAnswers) return inside
  const last = mainWay(journey.start).at(-1)
  const exit = last?.crossings.find(({ kind }) => kind === 'leaves')
  return last && exit ? [{ packet: replyTo(last.trace.outcome.packet), inDevice: exit.from.device, namespace: exit.from.namespace }] : []
}
