/** Which ports nat gives to packets that have ports. The mirror of the simulator's uniquePort(). */

import type { Effect } from '../meaning/effect.ts'
import { any, equals, within } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import { PROTOCOL } from '../net/protocol.ts'
import type { PacketClass } from './packet-class.ts'
import type { Run } from './run.ts'
import { constantValue, originalValue } from './value.ts'
import type { Value } from './value.ts'

/** Which end of the original packet is rewritten. */
export type Side = 'source' | 'destination'

/** Packets and the port that they get; undefined: it stays. */
export interface Choice {
  readonly packets: PacketClass
  readonly port: Value | undefined
}

type NatEffect = Extract<Effect, { kind: 'nat' }>

/** Shifted ranges of more ports than this are not followed port by port. */
const FOLLOWED_PORTS = 256

const WITH_PORTS = [PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.udplite, PROTOCOL.sctp, PROTOCOL.dccp]

/** Packets whose ports nat can change. */
export const hasPorts: Predicate = any(WITH_PORTS.map(protocol => equals('ip.protocol', protocol)))

/** Returns the ports of packets that all have ports. A port that is drawn by lot lies in the connection's reply tuple. */
export function portChoices(run: Run, side: Side, effect: NatEffect, packets: PacketClass): readonly Choice[] {
  const { ports, random = false } = effect
  const field = side === 'source' ? 'l4.sport' : 'l4.dport'
  if (!ports) return side === 'source' ? PORT_CLASSES.flatMap(({ from, to, low, high }) => drawn(run, side, part(run, packets, within(field, from, to)), low, high)) : [{ packets, port: undefined }]
  const low = Math.min(ports.low, ports.high)
  const high = Math.max(ports.low, ports.high)
  if (ports.base !== undefined) return shifted(run, field, packets, { low, size: high - low + 1, base: ports.base })
  if (low === high) return [{ packets, port: constantValue(16, low) }]
  const kept = random ? { rewriting: packets.rewriting, set: run.sets.none } : part(run, packets, within(field, low, high))
  const moved = { rewriting: packets.rewriting, set: run.sets.subtract(packets.set, kept.set) }
  const choices = random || side === 'source' ? drawn(run, side, moved, low, high) : [{ packets: moved, port: constantValue(16, low) }]
  return [{ packets: kept, port: undefined }, ...choices]
}

/** Where the kernel looks for a port of the same kind. Source: nf_nat_core.c nf_nat_l4proto_unique_tuple(). */
const PORT_CLASSES = [
  { from: 0, to: 511, low: 1, high: 511 },
  { from: 512, to: 1023, low: 600, high: 1023 },
  { from: 1024, to: 65535, low: 1024, high: 65535 },
] as const

function drawn(run: Run, side: Side, { rewriting, set }: PacketClass, low: number, high: number): readonly Choice[] {
  const field = side === 'source' ? 'ct.reply.dport' : 'ct.reply.sport'
  const drawnFrom = run.sets.setOf(within(field, low, high))
  return [{ packets: { rewriting, set: run.sets.intersect(set, drawnFrom) }, port: originalValue(field, 16) }]
}

/** new port = low + (old - base), around the range. */
function shifted(run: Run, field: 'l4.sport' | 'l4.dport', packets: PacketClass, { low, size, base }: { readonly low: number; readonly size: number; readonly base: number }): readonly Choice[] {
  if (size > FOLLOWED_PORTS) run.notes.add(`a port range that is shifted by more than ${FOLLOWED_PORTS} ports: any port of it is taken to be possible`)
  if (size > FOLLOWED_PORTS) return drawn(run, field === 'l4.sport' ? 'source' : 'destination', packets, low, low + size - 1)
  return Array.from({ length: size }, (_, offset) => {
    const first = (((base + offset) % size) + size) % size
    const olds = Array.from({ length: Math.ceil((65536 - first) / size) }, (_unused, index) => first + index * size)
    return { packets: part(run, packets, anyPort(field, olds)), port: constantValue(16, low + offset) }
  })
}

function anyPort(field: 'l4.sport' | 'l4.dport', ports: readonly number[]): Predicate {
  return { kind: 'any', of: ports.map(port => equals(field, port)) }
}

function part(run: Run, { rewriting, set }: PacketClass, when: Predicate): PacketClass {
  return { rewriting, set: run.sets.intersect(set, run.setOf(when, rewriting)) }
}
