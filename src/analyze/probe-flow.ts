/** Packets that belong together: a first one, what answers it, what it belongs to; and the simulator's word on them. */

import { PROTOCOL } from '../net/protocol.ts'
import { makePacket, TCP_FLAG } from '../packet/packet.ts'
import type { Packet } from '../packet/packet.ts'
import type { Probe } from '../packet/probe.ts'
import { replyTo } from '../packet/reply.ts'
import type { Outcome, PathStep, Trace } from '../simulate/trace-events.ts'
import { converse, legsOf, mainWay } from '../simulate/journey.ts'
import type { Leg } from '../simulate/journey.ts'
import type { TraceOptions } from '../simulate/trace.ts'
import { invariant } from '../diagnostics/diagnostic.ts'
import type { World } from '../simulate/world.ts'

/**
 * One packet of a flow. `answer` is what the receiver of the packet before sends back, `again` the first packet once more (with other
 * TCP flags), `error` an ICMP error from its receiver that quotes it.
 */
export type FlowStep =
  | { readonly kind: 'probe'; readonly probe: Probe }
  | { readonly kind: 'answer'; readonly flags?: number }
  | { readonly kind: 'again'; readonly flags?: number }
  | { readonly kind: 'error'; readonly type: number; readonly code: number }

/** Packets that are sent one after the other into a world that knows no others. */
export type Flow = readonly FlowStep[]

/** The part of a packet's way that lies in one namespace. */
export interface SentLeg {
  readonly namespace: string
  readonly trace: Trace
}

/** What became of a packet, and of all that the hosts sent because of it. */
export interface SentProbe {
  readonly probe: Probe
  /** Each with the namespace that it went through, the packet's own way first. */
  readonly legs: readonly SentLeg[]
  /** Where the packet itself ended. */
  readonly outcome: Outcome
}

/** Sends the packets of a flow into a fresh world; it ends early where there is nothing to answer. */
export function simulateFlow(world: World, flow: Flow): readonly SentProbe[] {
  const sent: SentProbe[] = []
  for (const step of flow) {
    const probe = nextProbe(step, sent)
    if (!probe) break
    sent.push(sendProbe(world, probe))
  }
  return sent
}

/** Sends one packet and all that the hosts answer to it by themselves. */
export function sendProbe(world: World, probe: Probe, options: TraceOptions = { record: 'none' }): SentProbe {
  const journeys = converse(world, probe, options)
  const [first] = journeys
  invariant(first, 'a packet that is sent goes somewhere')
  const last = mainWay(first.start).at(-1) ?? first.start
  return { probe, legs: journeys.flatMap(journey => everyLeg(journey.start)), outcome: last.trace.outcome }
}

function everyLeg(leg: Leg): readonly SentLeg[] {
  return [...legsOf(leg), ...legsOf(leg).flatMap(one => one.answers.flatMap(everyAnswer))].map(({ namespace, trace }) => ({ namespace, trace }))
}

function everyAnswer(answer: Leg): readonly Leg[] {
  return legsOf(answer).flatMap(leg => [leg, ...leg.answers.flatMap(everyAnswer)])
}

/** Returns the packet of a step, undefined where those before it came to nothing. */
export function nextProbe(step: FlowStep, sent: readonly SentProbe[]): Probe | undefined {
  if (step.kind === 'probe') return step.probe
  const [first, last] = [sent[0], sent.at(-1)]
  if (!first || !last) return undefined
  if (step.kind === 'again') return { ...first.probe, packet: withFlags(first.probe.packet, step.flags) }
  const place = receiverOf(last.outcome)
  if (!place) return undefined
  const { packet } = last.outcome
  if (step.kind === 'answer') return { ...place, packet: received(place, withFlags({ ...replyTo(packet), payload: new Uint8Array() }, step.flags)) }
  const quoted = makePacket({ ...withoutHost(packet), payload: packet.payload ?? new Uint8Array() })
  return { ...place, packet: received(place, makePacket({ protocol: packet.family === 'ipv4' ? PROTOCOL.icmp : PROTOCOL.icmpv6, src: packet.dst, dst: packet.src, icmp: { type: step.type, code: step.code, inner: quoted }, length: (packet.family === 'ipv4' ? 28 : 48) + Math.min(quoted.length, 512) })) }
}

/** Returns how often each rule and each end of a built-in chain was hit, by namespace and then as `filter FORWARD 2`. */
export function hitsOf(sent: readonly SentProbe[]): ReadonlyMap<string, ReadonlyMap<string, number>> {
  const hits = new Map<string, Map<string, number>>()
  for (const { namespace, trace } of sent.flatMap(one => one.legs)) {
    const here = hits.get(namespace) ?? new Map<string, number>()
    hits.set(namespace, here)
    for (const step of trace.way.path) here.set(stepKey(step), (here.get(stepKey(step)) ?? 0) + 1)
  }
  return hits
}

/** Returns the name of a rule or of a chain's end. */
export function stepKey({ table, chain, number }: PathStep): string {
  return `${table} ${chain} ${number}`
}

type Place = Pick<Probe, 'inDevice' | 'namespace'>

/** Who gets the packet: a host of its namespace, or somebody behind a device. */
function receiverOf(outcome: Outcome): Place | undefined {
  switch (outcome.kind) {
    case 'local':
      return { namespace: outcome.namespace }
    case 'forward':
    case 'sent':
    case 'bridge':
      return { namespace: outcome.namespace, inDevice: outcome.ports[0] ?? outcome.device }
    default:
      return undefined
  }
}

function received(place: Place, packet: Packet): Packet {
  return place.inDevice === undefined ? { ...packet, socket: { uid: 0, gid: 0 } } : { ...packet, macSource: STRANGER_MAC }
}

/** The link address of whoever is outside. */
const STRANGER_MAC = '02aa000000fe'

/** A SYN has its answer acknowledge it; other flags keep the numbers. */
function withFlags(packet: Packet, flags: number | undefined): Packet {
  if (flags === undefined || !packet.tcp) return packet
  const isOpening = (packet.tcp.flags & TCP_FLAG.SYN) !== 0
  return { ...packet, tcp: { ...packet.tcp, flags, seq: isOpening && !(flags & TCP_FLAG.SYN) && !(packet.tcp.flags & TCP_FLAG.ACK) ? packet.tcp.seq + 1 : packet.tcp.seq } }
}

function withoutHost({ macSource: _, socket: __, mark: ___, priority: ____, ...packet }: Packet): Omit<Packet, 'macSource' | 'socket' | 'mark' | 'priority'> {
  return packet
}
