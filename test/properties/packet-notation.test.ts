/** The packet notation: what is written is read as the same packet; what is wrong is refused with a place, and never throws. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Address } from '../../src/net/address.ts'
import { PROTOCOL } from '../../src/net/protocol.ts'
import { readPacket } from '../../src/packet/notation.ts'
import { makePacket } from '../../src/packet/packet.ts'
import type { Packet } from '../../src/packet/packet.ts'
import type { Probe } from '../../src/packet/probe.ts'
import { writeProbe } from '../../src/packet/write-packet.ts'

const ipv4 = fc.nat({ max: 0xffffffff })
const ipv6 = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n })
const ends = fc.oneof(fc.tuple(ipv4, ipv4), fc.tuple(ipv6, ipv6)) as fc.Arbitrary<[Address, Address]>
const port = fc.nat({ max: 65535 })
const word32 = fc.nat({ max: 0xffffffff })

const tcp = fc.record(
  { flags: fc.nat({ max: 255 }), seq: word32, ack: word32, window: port, optionKinds: fc.array(fc.nat({ max: 255 }), { maxLength: 4 }), mss: port },
  { requiredKeys: ['flags', 'seq', 'ack', 'window', 'optionKinds'] },
)

const withPorts = fc.record({ protocol: fc.constantFrom(PROTOCOL.udp, PROTOCOL.udplite, PROTOCOL.dccp), sport: port, dport: port })
const tcpBody = fc.record({ protocol: fc.constant(PROTOCOL.tcp), sport: port, dport: port, tcp })
const icmpBody = fc.record({
  protocol: fc.constantFrom(PROTOCOL.icmp, PROTOCOL.icmpv6),
  icmp: fc.record({ type: fc.nat({ max: 255 }), code: fc.nat({ max: 255 }), id: port, sequence: port, mtu: port }, { requiredKeys: ['type', 'code', 'id', 'sequence'] }),
})
const espBody = fc.record({ protocol: fc.constantFrom(PROTOCOL.esp, PROTOCOL.ah), spi: word32 })
const body: fc.Arbitrary<Pick<Packet, 'protocol'> & Partial<Packet>> = fc.oneof(withPorts, tcpBody, icmpBody, espBody)

const metadata = fc.record(
  {
    ttl: fc.nat({ max: 255 }), tos: fc.nat({ max: 255 }), mark: word32, priority: word32, dontFragment: fc.boolean(), moreFragments: fc.boolean(),
    packetType: fc.constantFrom('unicast', 'broadcast', 'multicast', 'otherhost'),
    macSource: fc.stringMatching(/^[0-9a-f]{12}$/), socket: fc.record({ uid: word32, gid: word32 }), malformed: fc.constantFrom('truncated', 'checksum'),
    length: fc.integer({ min: 40, max: 65575 }), payload: fc.uint8Array({ minLength: 1, maxLength: 8 }),
  },
  { requiredKeys: [] },
)

const place = fc.record({ inDevice: fc.constantFrom('eth0', 'tcp', 'br-web', 'wg+0'), namespace: fc.constantFrom('host', 'c1') }, { requiredKeys: [] })

const probes: fc.Arbitrary<Probe> = fc.tuple(ends, body, metadata, place).map(([[src, dst], header, extra, where]) => {
  const packet = { ...makePacket({ src, dst, ...header, ...(extra as Partial<Packet>) }) }
  return { packet, ...where }
})

describe('packet notation', () => {
  test('what is written is read again', () => {
    fc.assert(
      fc.property(probes, probe => {
        const reading = readPacket(writeProbe(probe))
        expect(reading).toEqual({ ok: true, value: { kind: 'probe', probe } })
      }),
      { numRuns: 2000 },
    )
  })

  test('a quoted packet is read again', () => {
    fc.assert(
      fc.property(probes, probes, (outer, inner) => {
        const packet = makePacket({ protocol: PROTOCOL.icmp, src: 1, dst: 2, icmp: { type: 3, code: 1, inner: inner.packet } })
        expect(readPacket(writeProbe({ ...outer, packet }))).toEqual({ ok: true, value: { kind: 'probe', probe: { ...outer, packet } } })
      }),
      { numRuns: 200 },
    )
  })

  test('whatever is typed, the answer has a place in the text', () => {
    const words = fc.constantFrom('eth0', 'tcp', 'icmp', '10.0.0.1', '10.0.0.1:80', '>', '->', '[::1]:5', 'syn', 'ttl', '5', 'quoting', 'reply', 'again', 'mac', 'frag', '0x1', '%', '-')
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.array(words, { maxLength: 9 }).map(list => list.join(' '))), text => {
        const reading = readPacket(text)
        if (reading.ok) return
        expect(reading.problem.start).toBeLessThanOrEqual(text.length)
        expect(reading.problem.end).toBeGreaterThan(reading.problem.start)
        expect(reading.problem.message).not.toBe('')
      }),
      { numRuns: 2000 },
    )
  })
})
