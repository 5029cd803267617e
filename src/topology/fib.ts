/** The forwarding information base: how a namespace finds a route, and what type an address is to it. */

import type { Address, Prefix } from '../net/address.ts'

/** What a route lookup found, ready for words. */
export interface RouteDecision {
  /** `none`: no route at all. `martian`: refused because of its addresses. */
  readonly kind: 'local' | 'unicast' | 'broadcast' | 'multicast' | 'blackhole' | 'unreachable' | 'prohibit' | 'none' | 'martian'
  readonly destination: Address
  /** The outgoing device; for local delivery the device that has the address. */
  readonly device?: string
  readonly gateway?: Address
  /** The prefix of the route that matched, and its table. */
  readonly prefix?: Prefix
  readonly table?: number
  /** The source address that the host itself would use this way. */
  readonly source?: Address
}
