/** Frames: what is written is read again, with checksums that the other side accepts. */

import { describe, expect, test } from 'vitest'
import { readPacket } from '../src/packet/notation.ts'
import { readFrame, writeFrame } from '../src/packet/frame-bytes.ts'
import type { Packet } from '../src/packet/packet.ts'
import { writePacket } from '../src/packet/write-packet.ts'

const PACKETS = [
  'tcp 192.0.2.1:40000 > 198.51.100.7:80 syn', 'tcp 192.0.2.1:40000 > 198.51.100.7:80 ack ttl 3 tos 0x10', 'udp 192.0.2.1:53 > 198.51.100.7:1024',
  'icmp 192.0.2.1 > 198.51.100.7 echo-request id 9',
  'tcp [2001:db8::1]:40000 > [2001:db8::2]:443 syn tos 0x28', 'icmp6 2001:db8::1 > 2001:db8::2 echo-request id 3', 'esp 192.0.2.1 > 198.51.100.7', 'gre 192.0.2.1 > 198.51.100.7',
]

describe('frames', () => {
  test.each(PACKETS)('%s', text => {
    const packet = packetOf(text)
    const bytes = writeFrame({ macDestination: '0200000000aa', macSource: '0200000000bb', packet })
    const frame = readFrame(bytes)
    expect(frame).toMatchObject({ macDestination: '0200000000aa', macSource: '0200000000bb' })
    expect(frame && writePacket(frame.packet, { brief: true }).replace(/ spi \d+| key \d+/, '')).toBe(writePacket(packet, { brief: true }).replace(/ spi \d+| key \d+/, ''))
    expect(bytes.length - 14).toBe(packet.length)
    if (packet.family === 'ipv4') expect(sum(bytes.subarray(14, 34))).toBe(0xffff)
    if (packet.protocol === 6 || packet.protocol === 17) expect(sum(Uint8Array.from([...pseudoHeader(packet, bytes), ...bytes.subarray(packet.family === 'ipv4' ? 34 : 54)]))).toBe(0xffff)
  })

  test('an error with the packet that it quotes', () => {
    const inner = packetOf('udp 198.51.100.7:7 > 192.0.2.1:9 ttl 63')
    const error = packetOf('icmp 192.0.2.1 > 198.51.100.7 port-unreachable')
    const packet = { ...error, icmp: { type: 3, code: 3, inner }, length: 28 + inner.length }
    const bytes = writeFrame({ macDestination: '0200000000aa', macSource: '0200000000bb', packet })
    expect(bytes.length - 14).toBe(56)
    expect(sum(bytes.subarray(34))).toBe(0xffff)
    expect(readFrame(bytes)?.packet.icmp).toMatchObject({ type: 3, code: 3, inner: { src: inner.src, sport: 7, dport: 9, ttl: 63 } })
  })

  test('what is no packet, or cut short, is not read', () => {
    expect(readFrame(new Uint8Array(13))).toBeUndefined()
    expect(readFrame(Uint8Array.from([...new Uint8Array(12), 8, 6, ...new Uint8Array(28)]))).toBeUndefined()
    expect(readFrame(Uint8Array.from([...new Uint8Array(12), 8, 0, 0x45]))).toBeUndefined()
  })
})

function packetOf(text: string): Packet {
  const reading = readPacket(text)
  if (!reading.ok || reading.value.kind !== 'probe') throw new Error(text)
  const { packet } = reading.value.probe
  return { ...packet, payload: packet.payload ?? new Uint8Array() }
}

function pseudoHeader(packet: Packet, bytes: Uint8Array): readonly number[] {
  const length = packet.length - (packet.family === 'ipv4' ? 20 : 40)
  return [...(packet.family === 'ipv4' ? bytes.subarray(26, 34) : bytes.subarray(22, 54)), 0, packet.protocol, length >> 8, length & 255]
}

function sum(bytes: Uint8Array): number {
  let total = 0
  for (let index = 0; index < bytes.length; index += 2) total += ((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0)
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16)
  return total
}
