/** Neighbour discovery of IPv6 as ip6tables sees it: solicitations and advertisements go through the hooks of both ends. Source: net/ipv6/ndisc.c ndisc_send_skb(). */

import { PROTOCOL } from '../net/protocol.ts'
import { makePacket } from '../packet/packet.ts'
import type { Packet } from '../packet/packet.ts'
import { makeFlight } from './flight.ts'
import { runHook } from './run-hook.ts'
import type { Host, World } from './world.ts'

const HOP_LIMIT = 255
const TYPE = { solicitation: 135, advertisement: 136 } as const

/** Returns the question who has an address, sent to the group of all that could. */
export function solicitation(source: bigint, target: bigint): Packet {
  const group = (0xff02n << 112n) | (0x1ffn << 24n) | (target & 0xffffffn)
  return makePacket({ protocol: PROTOCOL.icmpv6, src: source, dst: group, ttl: HOP_LIMIT, length: 72, packetType: 'multicast', icmp: { type: TYPE.solicitation, code: 0 } })
}

/** Returns the answer to it. */
export function advertisement(target: bigint, asker: bigint): Packet {
  return makePacket({ protocol: PROTOCOL.icmpv6, src: target, dst: asker, ttl: HOP_LIMIT, length: 72, icmp: { type: TYPE.advertisement, code: 0 } })
}

/** Tells whether the rules of a host let such a packet leave by a device. */
export function mayLeave(world: World, host: Host, device: string, packet: Packet): boolean {
  const flight = start(world, host, packet)
  if (!flight) return true
  flight.outDevice = device
  return !runHook(flight, 'OUTPUT') && !runHook(flight, 'POSTROUTING')
}

/** Tells whether the rules of a host let such a packet in by a device. */
export function mayEnter(world: World, host: Host, device: string, packet: Packet): boolean {
  const flight = start(world, host, packet)
  if (!flight) return true
  flight.inDevice = device
  return !runHook(flight, 'PREROUTING') && !runHook(flight, 'INPUT')
}

/** A host without rules lets everything pass. What REJECT would answer is lost: nobody waits for it. */
function start(world: World, host: Host, packet: Packet) {
  if (!host.rulesets.ipv6) return undefined
  return makeFlight({
    world, host, packet, isLocal: false, record: undefined, recordsMisses: false, decisions: undefined,
    send: answer => ({ kind: 'drop', by: { kind: 'kernel', reason: 'no-output-route' }, packet: answer.packet }),
  })
}
