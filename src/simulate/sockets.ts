/**
 * The sockets of a host: who takes a packet that was delivered, and what its stack answers.
 * Source: net/ipv4/tcp_ipv4.c tcp_v4_rcv(), net/ipv4/udp.c __udp4_lib_rcv(), net/ipv4/icmp.c icmp_echo(); their IPv6 twins.
 */

import { ADDRESS_TYPE } from '../meaning/fields.ts'
import type { Address } from '../net/address.ts'
import { PROTOCOL } from '../net/protocol.ts'
import { TCP_FLAG } from '../packet/packet.ts'
import type { Packet } from '../packet/packet.ts'
import { replyTo } from '../packet/reply.ts'
import { addressType } from '../topology/fib.ts'
import { sysctlNumber } from '../topology/topology.ts'
import type { ListeningSocket } from '../topology/topology.ts'
import type { Host } from './world.ts'

/** Who takes a delivered packet: a socket with a peer, one that listens, nobody; `untold` where the topology does not say who listens. */
export type Taker = 'peer' | 'listener' | 'nobody' | 'untold' | 'kernel'

/** Notes the socket that a packet of this host comes from, so that its answer finds it. */
export function openSocket(host: Host, packet: Packet): void {
  const isOpening = packet.protocol === PROTOCOL.udp || (packet.tcp !== undefined && (packet.tcp.flags & (TCP_FLAG.SYN | TCP_FLAG.ACK)) === TCP_FLAG.SYN)
  const key = socketKey(packet.protocol, packet.dst, packet.dport, packet.src, packet.sport)
  if (isOpening && !host.sockets.has(key)) host.sockets.set(key, packet.tcp ? 'connecting' : 'connected')
}

/** Returns who takes a packet that INPUT let through. */
export function takerOf(host: Host, packet: Packet): Taker {
  if (packet.protocol !== PROTOCOL.tcp && packet.protocol !== PROTOCOL.udp) return 'kernel'
  if (packet.tcp && (packet.packetType !== 'unicast' || isGroupAddress(host, packet.dst))) return 'nobody'
  if (host.sockets.has(keyOf(packet))) return 'peer'
  const { sockets } = host.namespace
  if (!sockets) return 'untold'
  const isSyn = packet.tcp === undefined || (packet.tcp.flags & (TCP_FLAG.SYN | TCP_FLAG.ACK | TCP_FLAG.RST)) === TCP_FLAG.SYN
  return isSyn && sockets.some(socket => listensFor(socket, packet)) ? 'listener' : 'nobody'
}

/** Returns what a host sends back to a packet that it took; undefined where nothing follows. A service is taken to answer every datagram. */
export function answerOf(host: Host, packet: Packet): Packet | undefined {
  const taker = takerOf(host, packet)
  if (!packet.icmp && isGroupAddress(host, packet.dst)) return undefined
  if (packet.icmp) return isAnsweredEcho(host, packet) ? { ...replyTo(packet), tos: packet.tos } : undefined
  if (taker === 'kernel' || taker === 'nobody') return undefined
  if (!packet.tcp) return taker === 'peer' ? undefined : replyTo(packet)
  return answerTcp(host, packet, packet.tcp.flags, taker)
}

function answerTcp(host: Host, packet: Packet, flags: number, taker: Taker): Packet | undefined {
  const { SYN, ACK, RST } = TCP_FLAG
  if (flags & RST) return undefined
  const key = keyOf(packet)
  const state = host.sockets.get(key)
  if (taker !== 'peer' && (flags & (SYN | ACK)) === SYN) {
    host.sockets.set(key, 'connected')
    return replyTo(packet)
  }
  if (state !== 'connecting' || (flags & (SYN | ACK)) !== (SYN | ACK)) return undefined
  host.sockets.set(key, 'connected')
  return replyTo(packet)
}

/** Kernel: what counts is the address, not how the frame was addressed: a subnet's broadcast address may come in a unicast frame. */
function isGroupAddress(host: Host, address: Address): boolean {
  return (addressType(host.fib, address) & (ADDRESS_TYPE.BROADCAST | ADDRESS_TYPE.MULTICAST)) !== 0
}

function isAnsweredEcho(host: Host, { protocol, icmp, packetType, dst }: Packet): boolean {
  const isRequest = (protocol === PROTOCOL.icmp && icmp?.type === 8) || (protocol === PROTOCOL.icmpv6 && icmp?.type === 128)
  if (!isRequest || icmp?.inner) return false
  const number = (name: string, otherwise: number): number => sysctlNumber(host.namespace, name, otherwise)
  if (protocol === PROTOCOL.icmpv6) return number('net.ipv6.icmp.echo_ignore_all', 0) === 0
  return number('net.ipv4.icmp_echo_ignore_all', 0) === 0 && ((packetType === 'unicast' && !isGroupAddress(host, dst)) || number('net.ipv4.icmp_echo_ignore_broadcasts', 1) === 0)
}

function listensFor({ protocol, address, port }: ListeningSocket, packet: Packet): boolean {
  if (PROTOCOL[protocol] !== packet.protocol || port !== packet.dport) return false
  return address === undefined || address === 0n || (address === 0 && packet.family === 'ipv4') || address === packet.dst
}

function keyOf({ protocol, src, sport, dst, dport }: Packet): string {
  return socketKey(protocol, src, sport, dst, dport)
}

function socketKey(protocol: number, from: Address, fromPort: number | undefined, to: Address, toPort: number | undefined): string {
  return `${protocol} ${from} ${fromPort ?? 0} ${to} ${toPort ?? 0}`
}
