/** What lies around a ruleset, as predicates: what addresses are, what ipsets hold, which way packets go, which addresses devices have. */

import type { Predicate } from '../meaning/predicate.ts'
import type { Address } from '../net/address.ts'
import type { PacketClass } from './packet-class.ts'

/** Where packets go on after PREROUTING. The first way that holds is the one. */
export interface InputWay {
  readonly when: Predicate
  readonly way: { readonly kind: 'local' } | ForwardWay | Drawn | { readonly kind: 'refused'; readonly reason: string }
}

/** Out of a device that variables of the destination's own draw, one of these. */
export interface Drawn {
  readonly kind: 'drawn'
  readonly devices: readonly string[]
}

/** Out of a device; undefined leaves the device the free field that it is. */
export interface ForwardWay {
  readonly kind: 'forward'
  readonly device: string | undefined
  readonly gateway?: Address
}

/** Where packets of this host go. */
export interface OutputWay {
  readonly when: Predicate
  readonly way: ForwardWay | Drawn | { readonly kind: 'none' }
}

/** An address that nat takes; undefined: an address that is not known, `none`: there is none, and the packet is dropped. */
export interface OwnAddressCase {
  readonly when: Predicate
  readonly address: Address | 'none' | 'unknown'
}

/** What a run asks about the host. Predicates speak of the packet as it is at that moment. */
export interface Surroundings {
  /** `described`: by a topology. `free`: by nothing, so that every way is possible. */
  readonly kind: 'described' | 'free'
  /** Returns a predicate without questions that the surroundings answer (address types, sets whose content is known). */
  readonly ground: (predicate: Predicate) => Predicate
  readonly inputWays: readonly InputWay[]
  /** Ways of what arrived and was given another destination: where nothing is known of routes, they are not those of the first one. */
  readonly rewrittenWays: readonly InputWay[]
  readonly outputWays: readonly OutputWay[]
  /** Ways of what is routed anew after OUTPUT rewrote it. */
  readonly rerouteWays: readonly OutputWay[]
  /** What MASQUERADE takes. */
  readonly masqueradeAddresses: (packets: PacketClass) => readonly OwnAddressCase[]
  /** What REDIRECT takes of what arrives. */
  readonly redirectAddresses: readonly OwnAddressCase[]
  /** What a packet that begins its way here may be: arriving on a device, or made here. */
  readonly arrivals: Predicate
  readonly departures: Predicate
  /** The namespace is joined to others: the way out is a part of each class, with the router, since other hosts come after it. */
  readonly isLinked: boolean
  /** What somebody on the host takes; the stack answers the rest itself. */
  readonly isTaken: Predicate
  /** `nf_conntrack_tcp_loose`. */
  readonly tcpLoose: boolean
}
