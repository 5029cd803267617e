/** Random packets with their places and connections, such as a kernel could see: fast-check arbitraries for the properties of meanings and sets. */

import fc from 'fast-check'
import { ADDRESS_TYPE, CT_STATE, PACKET_TYPE } from '../../src/meaning/fields.ts'
import type { Subject } from '../../src/meaning/subject.ts'
import type { Address, Family } from '../../src/net/address.ts'
import { readAddress } from '../../src/net/address.ts'
import { makePacket } from '../../src/packet/packet.ts'
import type { Packet } from '../../src/packet/packet.ts'

/** Device names that random packets and predicates use. */
export const DEVICES = ['', 'eth0', 'eth1', 'eth10', 'wlan0', 'lo', 'br-web', 'docker0'] as const

const BOUNDARIES: Readonly<Record<Family, readonly Address[]>> = {
  ipv4: ['0.0.0.0', '10.0.0.0', '10.0.0.1', '10.255.255.255', '127.0.0.1', '192.168.1.1', '224.0.0.1', '255.255.255.255'].map(text => readAddress(text) ?? 0),
  ipv6: ['::', '::1', '2001:db8::', '2001:db8::5', 'fe80::1', 'ff02::1', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'].map(text => readAddress(text) ?? 0n),
}

/** Returns addresses, often those at which prefixes begin and end. */
export function addresses(family: Family): fc.Arbitrary<Address> {
  return fc.oneof(fc.constantFrom(...BOUNDARIES[family]), family === 'ipv4' ? fc.nat({ max: 0xffffffff }) : fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }))
}

/** Returns numbers of so many bits, often small, or the greatest. */
export function numbers(width: number): fc.Arbitrary<number> {
  const top = 2 ** width - 1
  return fc.oneof(fc.nat({ max: Math.min(top, 9) }), fc.nat({ max: top }), fc.constant(top))
}

const port = fc.oneof(fc.constantFrom(22, 53, 80, 443, 1023, 1024, 65535, 0), fc.nat({ max: 65535 }))
const flags = fc.oneof(fc.constantFrom(2, 16, 18, 4, 1, 0x29, 0), fc.nat({ max: 255 }))
const icmp = fc.record({ type: fc.constantFrom(0, 3, 8, 11, 128, 129, 135), code: fc.constantFrom(0, 1, 4, 255) })
const kinds = fc.uniqueArray(fc.constantFrom(1, 2, 3, 4, 8, 253), { maxLength: 4 })
const tcp = fc.tuple(flags, kinds, numbers(16)).map(([bits, optionKinds, mss]) => ({ flags: bits, seq: 0, ack: 0, window: 100, optionKinds, ...(optionKinds.includes(2) ? { mss } : {}) }))

/** What follows the IP header: by protocol, and nothing in later fragments. */
const transport: fc.Arbitrary<Pick<Packet, 'protocol'> & Partial<Packet>> = fc.oneof(
  fc.record({ protocol: fc.constant(6), sport: port, dport: port, tcp }),
  fc.record({ protocol: fc.constantFrom(17, 33, 132, 136), sport: port, dport: port }),
  fc.record({ protocol: fc.constantFrom(1, 58), icmp }),
  fc.record({ protocol: fc.constantFrom(50, 51), spi: numbers(32) }),
  fc.record({ protocol: fc.constantFrom(2, 47, 0, 255, 89, 4) }),
  fc.record({ protocol: fc.constantFrom(6, 17, 1, 58, 50, 255), fragmentOffset: fc.integer({ min: 1, max: 8191 }).map(units => units * 8) }),
)

const metadata = fc.record(
  {
    ttl: numbers(8), tos: numbers(8), length: numbers(16), mark: fc.oneof(numbers(32), fc.constantFrom(0x4000, 0x8000, 0xc000)), moreFragments: fc.boolean(),
    packetType: fc.constantFrom(...(Object.keys(PACKET_TYPE) as (keyof typeof PACKET_TYPE)[])),
    macSource: fc.constantFrom('020000000001', '0a0b0c0d0e0f', 'ffffffffffff'),
    socket: fc.oneof(fc.constant({}), fc.record({ uid: numbers(32), gid: numbers(32) })),
  },
  { requiredKeys: [] },
)

const states = fc.oneof(
  fc.constantFrom(CT_STATE.INVALID, CT_STATE.UNTRACKED),
  fc.tuple(fc.constantFrom(CT_STATE.NEW, CT_STATE.ESTABLISHED, CT_STATE.RELATED), fc.constantFrom(0, CT_STATE.SNAT, CT_STATE.DNAT, CT_STATE.SNAT | CT_STATE.DNAT)).map(([base, more]) => base | more),
)

/** Returns subjects of a family; what is free (opaque matches, kernel sets of unknown content) is decided by a function of its key. */
export function subjects(family: Family): fc.Arbitrary<Subject> {
  const ends = fc.record({ src: addresses(family), dst: addresses(family) })
  const tuple = fc.record({ src: addresses(family), dst: addresses(family), sport: port, dport: port })
  const connection = fc.record({ protocol: fc.constantFrom(6, 17, 1, 58), original: tuple, reply: tuple, status: numbers(16), direction: fc.constantFrom<0 | 1>(0, 1), mark: numbers(32), expires: numbers(32) })
  const types = fc.array(fc.constantFrom(...Object.values(ADDRESS_TYPE)), { minLength: 6, maxLength: 6 })
  const device = fc.oneof(fc.constantFrom(...DEVICES), fc.constantFrom('eth77', 'weird0', 'br-x'))
  const place = fc.record({ inDevice: device, outDevice: device, bridgeIn: device, bridgeOut: device, bridged: fc.boolean() })
  return fc.tuple(ends, transport, metadata, place, states, connection, types, fc.nat()).map(([addressed, header, more, where, ctState, known, typeList, seed]) => {
    const packet = makePacket({ ...addressed, ...header, ...(more as Partial<Packet>) })
    const isTracked = (ctState & (CT_STATE.NEW | CT_STATE.ESTABLISHED | CT_STATE.RELATED)) !== 0
    const direction = ctState & CT_STATE.NEW ? 0 : known.direction
    const decide = (key: string): boolean => ((seed ^ key.length * 7919 ^ (key.codePointAt(key.length - 1) ?? 0) * 31) & 4) !== 0
    return {
      packet, ...where, ctState, decide, connection: isTracked ? { ...known, direction } : undefined,
      connectionWatch: () => ({ key: '', isConfirmed: false, isAssured: false, state: () => 'gone', moment: 0 }),
      addressType: (address, from) => typeList[(address === packet.src ? 0 : 1) + (from === 'any' ? 0 : from === 'in' ? 2 : 4)] ?? 2,
      inIpset: (name, directions) => decide(`ipset ${name} ${directions.join(',')}`),
      routeRealm: () => 0, deviceGroup: () => 0, hasReversePath: () => true,
    }
  })
}
