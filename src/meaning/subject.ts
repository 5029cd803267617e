/** What a predicate is asked about: a packet at one point of its way. The simulator makes these. */

import type { Address } from '../net/address.ts'
import type { Packet } from '../packet/packet.ts'

/** One direction of a connection as conntrack stores it; ports are absent for protocols without. */
export interface TupleView {
  readonly src: Address
  readonly dst: Address
  readonly sport?: number
  readonly dport?: number
}

/** What matches see of the packet's conntrack entry. */
export interface ConnectionView {
  readonly protocol: number
  readonly original: TupleView
  readonly reply: TupleView
  /** Bits of `CT_STATUS`. */
  readonly status: number
  /** 0 = original, 1 = reply. */
  readonly direction: 0 | 1
  readonly mark: number
  /** Seconds until it times out. */
  readonly expires: number
}

/** The connection of a packet's tuple, the packet being perhaps invalid or untracked. */
export interface ConnectionWatch {
  /** The original tuple as text. */
  readonly key: string
  /** It is in the table. */
  readonly isConfirmed: boolean
  /** conntrack has seen enough of it not to forget it early. */
  readonly isAssured: boolean
  /** Tells, when it is asked, whether it is in the table (else `gone`) and what its TCP is. */
  readonly state: () => 'open' | 'closed' | 'gone'
  /** Grows from packet to packet; what the kernel sends because of one belongs to its moment. */
  readonly moment: number
}

/** An answer that may be unknown. */
export type Ternary = boolean | undefined

/** What `rpfilter` asks for: any device will do, the mark counts, own addresses will do. */
export interface ReversePath {
  readonly isLoose: boolean
  readonly usesMark: boolean
  readonly acceptsLocal: boolean
}

/** A packet with its place; names of absent devices are ''. */
export interface Subject {
  readonly packet: Packet
  readonly inDevice: string
  readonly outDevice: string
  /** Bridge ports, as physdev sees them. */
  readonly bridgeIn: string
  readonly bridgeOut: string
  /** The packet is being bridged, not routed. */
  readonly bridged: boolean
  /** Bits of `CT_STATE`. */
  readonly ctState: number
  /** Absent for untracked and invalid packets. */
  readonly connection: ConnectionView | undefined
  /** What conntrack has of the packet's tuple, now and later. */
  readonly connectionWatch: () => ConnectionWatch
  /** The bit of `ADDRESS_TYPE` of an address, asked of the whole table or of one of the packet's devices. */
  readonly addressType: (address: Address, where: 'any' | 'in' | 'out') => number
  /** Whether a kernel set matches; undefined where its content is not known. */
  readonly inIpset: (name: string, directions: readonly ('src' | 'dst')[], flags: readonly string[]) => Ternary
  /** The realm of the packet's route, 0 where the route has none. */
  readonly routeRealm: () => number
  /** The group of a device, 0 where nobody gave it one. */
  readonly deviceGroup: (device: string) => number
  /** Whether the route back to the sender is as `rpfilter` wants it. */
  readonly hasReversePath: (how: ReversePath) => boolean
  /** The value of a free variable; undefined where nobody said. */
  readonly decide: (key: string) => Ternary
}
