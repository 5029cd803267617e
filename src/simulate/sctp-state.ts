/** SCTP's place in conntrack. Source: net/netfilter/nf_conntrack_proto_sctp.c. */

import { CT_STATUS } from '../meaning/fields.ts'
import type { Packet } from '../packet/packet.ts'
import type { Connection } from './connection.ts'
import type { Direction } from './tuple.ts'

/** State names in the kernel's order. */
export const SCTP_STATES = ['NONE', 'CLOSED', 'COOKIE_WAIT', 'COOKIE_ECHOED', 'ESTABLISHED', 'SHUTDOWN_SENT', 'SHUTDOWN_RECD', 'SHUTDOWN_ACK_SENT', 'HEARTBEAT_SENT'] as const

const INIT = 1
const INIT_ACK = 2
const TIMEOUT = { cookieWait: 3, heartbeat: 30 }

/** Only the INIT handshake's first half is modelled: INIT begins a connection, INIT ACK answers it; other chunks of a known one are valid. */
export function trackSctp(connection: Connection, direction: Direction, packet: Packet, isNew: boolean, renew: (seconds: number) => 'valid' | 'invalid' | 'kill' | 'reopen') {
  const chunk = packet.sctp?.chunk
  if (isNew) {
    if (chunk !== INIT || (packet.sctp?.vtag ?? 0) !== 0) return 'invalid'
    connection.sctp = SCTP_STATES.indexOf('COOKIE_WAIT')
    return renew(TIMEOUT.cookieWait)
  }
  if (chunk === INIT_ACK && direction === 1 && !(connection.status & CT_STATUS.SEEN_REPLY)) return renew(TIMEOUT.cookieWait)
  return renew(TIMEOUT.heartbeat)
}
