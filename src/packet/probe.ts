/** A packet together with where it enters a host. */

import type { Packet } from './packet.ts'

/** A packet to send: it arrives on `inDevice` (for a bridge: the port, where it is known), or this host makes it where that is absent. */
export interface Probe {
  readonly packet: Packet
  readonly inDevice?: string
  /** The namespace it starts in; the first one where absent. */
  readonly namespace?: string
  /** The socket that makes it is bound to this device. */
  readonly outDevice?: string
  /** MAC address that the frame was sent to, as 12 hex digits; absent: the one the host would be addressed by. */
  readonly macDestination?: string
}
