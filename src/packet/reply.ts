/** The answer to a packet, as its receiver would send it. */

import { PROTOCOL } from '../net/protocol.ts'
import { TCP_FLAG } from './packet.ts'
import { makePacket } from './packet.ts'
import type { IcmpHeader, Packet, TcpHeader } from './packet.ts'

/** Returns the reverse of a packet: ends swapped, the flags and numbers that TCP answers with, an echo reply for a request. */
export function replyTo(packet: Packet): Packet {
  const { protocol, src, dst, sport, dport, tcp, icmp, sctp, spi, greKey } = packet
  return makePacket({
    protocol,
    src: dst,
    dst: src,
    ...(dport === undefined ? {} : { sport: dport }),
    ...(sport === undefined ? {} : { dport: sport }),
    ...(tcp ? { tcp: answerTcp(tcp, packet) } : {}),
    ...(icmp ? { icmp: answerIcmp(icmp, protocol) } : {}),
    ...(sctp ? { sctp: { ...sctp, chunk: SCTP_ANSWERS[sctp.chunk] ?? sctp.chunk } } : {}),
    ...(spi === undefined ? {} : { spi }),
    ...(greKey === undefined ? {} : { greKey }),
  })
}

/** INIT is answered by INIT ACK, COOKIE ECHO by COOKIE ACK, SHUTDOWN by SHUTDOWN ACK, HEARTBEAT by HEARTBEAT ACK. */
const SCTP_ANSWERS: Readonly<Record<number, number>> = { 1: 2, 10: 11, 7: 8, 4: 5 }

function answerTcp(tcp: TcpHeader, packet: Packet): TcpHeader {
  const { SYN, ACK, FIN, RST } = TCP_FLAG
  const opens = (tcp.flags & (SYN | ACK | RST)) === SYN
  const flags = opens ? SYN | ACK : tcp.flags & FIN ? FIN | ACK : ACK
  const used = payloadLength(packet) + (tcp.flags & SYN ? 1 : 0) + (tcp.flags & FIN ? 1 : 0)
  return { flags, seq: tcp.flags & ACK ? tcp.ack : 0, ack: (tcp.seq + used) >>> 0, window: 65535, optionKinds: [] }
}

function payloadLength(packet: Packet): number {
  if (packet.payload) return packet.payload.length
  const { payload: _, length: __, ...headers } = packet
  return Math.max(0, packet.length - makePacket(headers).length)
}

function answerIcmp(icmp: IcmpHeader, protocol: number): IcmpHeader {
  const type = (protocol === PROTOCOL.icmp ? ICMP_ANSWERS : ICMP6_ANSWERS)[icmp.type] ?? icmp.type
  return { ...icmp, type, code: 0 }
}

const ICMP_ANSWERS: Readonly<Record<number, number>> = { 8: 0, 0: 8, 13: 14, 15: 16, 17: 18 }
const ICMP6_ANSWERS: Readonly<Record<number, number>> = { 128: 129, 129: 128, 133: 134, 135: 136 }
