/** Frames as the simulator expects them, and as they came from the wires. */

import type { SentProbe } from '../../src/analyze/probe-flow.ts'
import { readFrame } from '../../src/packet/frame-bytes.ts'
import type { Packet } from '../../src/packet/packet.ts'
import { writePacket } from '../../src/packet/write-packet.ts'
import type { Outcome } from '../../src/simulate/trace-events.ts'
import type { Lab } from './lab.ts'

/** A frame that should come out of a wire. */
export interface ExpectedFrame {
  readonly wire: number
  readonly words: string
}

/** Returns the frames that leave the described world because of a packet. */
export function expectedFrames(sent: SentProbe, lab: Lab): readonly ExpectedFrame[] {
  return sent.legs.flatMap(({ namespace, trace }) => [trace.outcome, ...trace.way.copies].flatMap(outcome => framesOf(outcome, namespace, lab)))
}

/** Returns a frame in words, and the source port of its packet. */
export function describeFrame(bytes: Uint8Array): { readonly words: string; readonly sport?: number } {
  const packet = readFrame(bytes)?.packet
  if (!packet) return { words: 'a frame without an IP packet' }
  return { words: inWords(packet), ...(packet.sport === undefined ? {} : { sport: packet.sport }) }
}

/** What hosts send of their own accord: questions for neighbours and routers, reports of groups. */
export function isBackground(bytes: Uint8Array): boolean {
  const packet = readFrame(bytes)?.packet
  if (!packet) return true
  return packet.protocol === 2 || (packet.family === 'ipv6' && packet.protocol === 0) || (packet.protocol === 58 && packet.icmp !== undefined && BACKGROUND.has(packet.icmp.type))
}

const BACKGROUND: ReadonlySet<number> = new Set([130, 131, 132, 133, 134, 135, 136, 137, 143])

function framesOf(outcome: Outcome, namespace: string, lab: Lab): readonly ExpectedFrame[] {
  if (outcome.kind !== 'forward' && outcome.kind !== 'sent' && outcome.kind !== 'bridge') return []
  return outcome.ports.flatMap(port => {
    const wire = lab.wires.get(`${namespace}/${port}`)
    return wire === undefined ? [] : [{ wire, words: inWords(outcome.packet) }]
  })
}

/** What a wire can show of a packet. Identifications, lengths and DF are the kernel's own affair. */
function inWords(packet: Packet): string {
  const { macSource: _, socket: __, malformed: ___, ...rest } = packet
  const { icmp } = rest
  const shown: Packet = { ...rest, mark: 0, priority: 0, packetType: 'unicast', dontFragment: false }
  return writePacket(icmp ? { ...shown, icmp: bareIcmp(icmp) } : shown, { brief: true })
}

/** Of a quoted packet the ends count: the kernel may quote no more of it. */
function bareIcmp({ mtu: _, inner, ...icmp }: NonNullable<Packet['icmp']>): NonNullable<Packet['icmp']> {
  if (!inner) return icmp
  const { tcp: __, icmp: ___, macSource: ____, socket: _____, malformed: ______, ...quoted } = inner
  return { ...icmp, inner: { ...quoted, mark: 0, priority: 0, packetType: 'unicast', dontFragment: false, tos: 0 } }
}
