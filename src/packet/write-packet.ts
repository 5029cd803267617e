/** A packet -> its text in the packet notation, such that `readPacket` gives the same packet again. */

import { protocolInWords, PROTOCOL } from '../net/protocol.ts'
import { writeEndpoint } from './endpoint.ts'
import { hasIcmpId, icmpNameOfType } from './icmp-names.ts'
import { makePacket } from './packet.ts'
import type { IcmpHeader, Packet, TcpHeader } from './packet.ts'
import { EMPTY_TCP, wordOfFlags } from './packet-words.ts'
import type { Probe } from './probe.ts'

/** `brief` leaves out what answers no question about a path: sequence numbers, window, payload. */
export interface WritePacketOptions {
  readonly brief?: boolean
}

/** Returns a packet's text without a device: `tcp 10.0.0.1:40000 > 10.0.0.2:80 syn`. */
export function writePacket(packet: Packet, options: WritePacketOptions = {}): string {
  const words = [
    packet.protocol === PROTOCOL.icmpv6 ? 'icmp6' : protocolWord(packet.protocol),
    writeEndpoint(endpoint(packet.src, packet.sport)),
    '>',
    writeEndpoint(endpoint(packet.dst, packet.dport)),
    ...(packet.tcp ? tcpWords(packet.tcp, options) : []),
    ...ipWords(packet),
    ...metadataWords(packet),
    ...otherHeaderWords(packet),
    ...(options.brief ? [] : bodyWords(packet)),
    ...(packet.icmp ? icmpWords(packet.icmp, packet.protocol, options) : []),
  ]
  return words.join(' ')
}

/** Returns a probe's text with the place where it enters. */
export function writeProbe(probe: Probe, options: WritePacketOptions = {}): string {
  const place = probe.namespace === undefined ? probe.inDevice : `${probe.namespace}/${probe.inDevice ?? ''}`
  return place === undefined ? writePacket(probe.packet, options) : `${place} ${writePacket(probe.packet, options)}`
}

function endpoint(address: Packet['src'], port: number | undefined) {
  return port === undefined ? { address } : { address, port }
}

function protocolWord(protocol: number): string {
  const name = protocolInWords(protocol)
  return name.includes(' ') || protocol === PROTOCOL.all ? String(protocol) : name
}

function ipWords(packet: Packet): string[] {
  return [
    ...(packet.fragmentOffset === 0 ? [] : [`frag ${packet.fragmentOffset}`]),
    ...(packet.moreFragments ? ['more-fragments'] : []),
    ...(packet.dontFragment ? ['df'] : []),
    ...(packet.ttl === 64 ? [] : [`ttl ${packet.ttl}`]),
    ...(packet.tos === 0 ? [] : [`tos 0x${packet.tos.toString(16)}`]),
  ]
}

function tcpWords(tcp: TcpHeader, options: WritePacketOptions): string[] {
  const flags = wordOfFlags(tcp.flags)
  if (options.brief) return [flags]
  return [
    flags,
    ...(tcp.seq === 0 ? [] : [`seq ${tcp.seq}`]),
    ...(tcp.ack === 0 ? [] : [`ackseq ${tcp.ack}`]),
    ...(tcp.window === EMPTY_TCP.window ? [] : [`window ${tcp.window}`]),
    ...(tcp.mss === undefined ? [] : [`mss ${tcp.mss}`]),
    ...(tcp.optionKinds.length === 0 ? [] : [`tcp-options ${tcp.optionKinds.join(',')}`]),
  ]
}

function icmpWords(icmp: IcmpHeader, protocol: number, options: WritePacketOptions): string[] {
  const name = icmpNameOfType(icmp.type, icmp.code, protocol)
  return [
    ...(name === undefined ? [`type ${icmp.type} code ${icmp.code}`] : [name]),
    ...(icmp.id === undefined ? [] : [`id ${icmp.id}`]),
    ...(icmp.sequence === undefined || (icmp.sequence === 1 && hasIcmpId(icmp.type, protocol)) || options.brief ? [] : [`seq ${icmp.sequence}`]),
    ...(icmp.mtu === undefined ? [] : [`mtu ${icmp.mtu}`]),
    ...(icmp.inner === undefined ? [] : [`quoting ${writePacket(options.brief ? { ...icmp.inner, mark: 0, priority: 0 } : icmp.inner, options)}`]),
  ]
}

function otherHeaderWords(packet: Packet): string[] {
  return [
    ...(packet.sctp ? [`chunk ${packet.sctp.chunk}`, ...(packet.sctp.vtag === 0 ? [] : [`vtag ${packet.sctp.vtag}`])] : []),
    ...(packet.spi === undefined ? [] : [`spi ${packet.spi}`]),
    ...(packet.greKey === undefined || packet.greKey === 0 ? [] : [`key ${packet.greKey}`]),
  ]
}

function metadataWords(packet: Packet): string[] {
  return [
    ...(packet.mark === 0 ? [] : [`mark 0x${packet.mark.toString(16)}`]),
    ...(packet.priority === 0 ? [] : [`priority ${packet.priority}`]),
    ...(packet.macSource === undefined ? [] : [`mac ${packet.macSource.match(/../g)?.join(':')}`]),
    ...(packet.socket === undefined ? [] : [`uid ${packet.socket.uid}`, `gid ${packet.socket.gid}`]),
    ...(packet.packetType === 'unicast' ? [] : [packet.packetType]),
    ...(packet.malformed === undefined ? [] : [packet.malformed === 'checksum' ? 'bad-checksum' : 'truncated']),
  ]
}

function bodyWords(packet: Packet): string[] {
  const { length: _, ...rest } = packet
  return [
    ...(packet.payload ? [`data ${[...packet.payload].map(byte => byte.toString(16).padStart(2, '0')).join('')}`] : []),
    ...(packet.length === makePacket(rest).length ? [] : [`len ${packet.length}`]),
  ]
}
