/** SCTP's state machine in conntrack, for packets of one chunk. Source: net/netfilter/nf_conntrack_proto_sctp.c nf_conntrack_sctp_packet(). */

import { CT_STATUS } from '../meaning/fields.ts'
import type { Packet } from '../packet/packet.ts'
import type { Direction } from './tuple.ts'

/** State names in the kernel's order. */
export const SCTP_STATES = ['NONE', 'CLOSED', 'COOKIE_WAIT', 'COOKIE_ECHOED', 'ESTABLISHED', 'SHUTDOWN_SENT', 'SHUTDOWN_RECD', 'SHUTDOWN_ACK_SENT', 'HEARTBEAT_SENT'] as const

/** One of them. */
export type SctpStateName = (typeof SCTP_STATES)[number]

/** The SCTP part of a connection; `tags` by direction, 0 where not known. */
export interface SctpTracking {
  state: SctpStateName
  readonly tags: [number, number]
  readonly hasInit: [boolean, boolean]
}

/** What it changes of a connection. */
export interface SctpConnection {
  status: number
  sctp?: SctpTracking
}

/** Chunk types. */
const CHUNK = { data: 0, init: 1, initAck: 2, heartbeat: 4, heartbeatAck: 5, abort: 6, shutdown: 7, shutdownAck: 8, error: 9, cookieEcho: 10, cookieAck: 11, shutdownComplete: 14 } as const

/** Seconds. */
const TIMEOUT: Readonly<Record<SctpStateName, number>> = {
  NONE: 0, CLOSED: 10, COOKIE_WAIT: 3, COOKIE_ECHOED: 3, ESTABLISHED: 210, SHUTDOWN_SENT: 3, SHUTDOWN_RECD: 3, SHUTDOWN_ACK_SENT: 3, HEARTBEAT_SENT: 30,
}

const SHORT: Readonly<Record<string, SctpStateName>> = {
  NO: 'NONE', CL: 'CLOSED', CW: 'COOKIE_WAIT', CE: 'COOKIE_ECHOED', ES: 'ESTABLISHED', SS: 'SHUTDOWN_SENT', SR: 'SHUTDOWN_RECD', SA: 'SHUTDOWN_ACK_SENT', HS: 'HEARTBEAT_SENT',
}
const row = (cells: string): readonly (SctpStateName | undefined)[] => cells.split(' ').map(cell => SHORT[cell])

/** Next state by direction and chunk, columns in the order of SCTP_STATES; IV is invalid. Source: sctp_conntracks[][][]. */
const NEXT: readonly [Readonly<Record<number, readonly (SctpStateName | undefined)[]>>, Readonly<Record<number, readonly (SctpStateName | undefined)[]>>] = [
  {
    [CHUNK.init]: row('CL CL CW CE ES CL CL SA CW'),
    [CHUNK.initAck]: row('CL CL CW CE ES SS SR SA CL'),
    [CHUNK.abort]: row('CL CL CL CL CL CL CL CL CL'),
    [CHUNK.shutdown]: row('CL CL CW CE SS SS SR SA CL'),
    [CHUNK.shutdownAck]: row('SA CL CW CE ES SA SA SA SA'),
    [CHUNK.error]: row('CL CL CW CE ES SS SR SA CL'),
    [CHUNK.cookieEcho]: row('CL CL CE CE ES SS SR SA CL'),
    [CHUNK.cookieAck]: row('CL CL CW ES ES SS SR SA CL'),
    [CHUNK.shutdownComplete]: row('CL CL CW CE ES SS SR CL CL'),
    [CHUNK.heartbeat]: row('HS CL CW CE ES SS SR SA HS'),
    [CHUNK.heartbeatAck]: row('CL CL CW CE ES SS SR SA HS'),
  },
  {
    [CHUNK.init]: row('IV CL CW CE ES SS SR SA IV'),
    [CHUNK.initAck]: row('IV CW CW CE ES SS SR SA IV'),
    [CHUNK.abort]: row('IV CL CL CL CL CL CL CL IV'),
    [CHUNK.shutdown]: row('IV CL CW CE SR SS SR SA IV'),
    [CHUNK.shutdownAck]: row('IV CL CW CE ES SA SA SA IV'),
    [CHUNK.error]: row('IV CL CW CL ES SS SR SA IV'),
    [CHUNK.cookieEcho]: row('IV CL CE CE ES SS SR SA IV'),
    [CHUNK.cookieAck]: row('IV CL CW ES ES SS SR SA IV'),
    [CHUNK.shutdownComplete]: row('IV CL CW CE ES SS SR CL IV'),
    [CHUNK.heartbeat]: row('IV CL CW CE ES SS SR SA HS'),
    [CHUNK.heartbeatAck]: row('IV CL CW CE ES SS SR SA ES'),
  },
]

const NEVER_FIRST: ReadonlySet<number> = new Set([CHUNK.abort, CHUNK.shutdownComplete, CHUNK.cookieAck])
/** Chunks whose verification tag is not compared with the one expected. */
const TAG_UNCHECKED: ReadonlySet<number> = new Set([CHUNK.init, CHUNK.shutdownAck, CHUNK.heartbeat, CHUNK.heartbeatAck])

/** Takes a packet into account; `timeout` in seconds where the entry is renewed. */
export function trackSctp(connection: SctpConnection, direction: Direction, packet: Packet): { readonly kind: 'valid'; readonly timeout?: number } | { readonly kind: 'invalid' } {
  const header = packet.sctp
  const isConfirmed = (connection.status & CT_STATUS.CONFIRMED) !== 0
  if (!header) return { kind: 'invalid' }
  if (!isConfirmed && !beginSctp(connection, header)) return { kind: 'invalid' }
  const tracking = connection.sctp
  if (!tracking) return { kind: 'invalid' }
  if (!TAG_UNCHECKED.has(header.chunk) && header.vtag !== tracking.tags[direction]) return { kind: 'invalid' }
  if (header.chunk === CHUNK.init && header.vtag !== 0) return { kind: 'invalid' }
  const row = NEXT[direction][header.chunk]
  const from = tracking.state
  const to = row ? row[SCTP_STATES.indexOf(from)] : from
  if (to === undefined) return { kind: 'invalid' }
  if (!noteTag(tracking, direction, header)) return { kind: 'invalid' }
  tracking.state = to
  if (from !== to && to === 'ESTABLISHED') connection.status |= CT_STATUS.ASSURED
  const isRetransmittedInit = header.chunk === CHUNK.init && from === 'CLOSED' && to === 'CLOSED' && isConfirmed
  return isRetransmittedInit ? { kind: 'valid' } : { kind: 'valid', timeout: TIMEOUT[to] }
}

/** Source: sctp_new(). */
function beginSctp(connection: SctpConnection, header: NonNullable<Packet['sctp']>): boolean {
  if (NEVER_FIRST.has(header.chunk) || !NEXT[0][header.chunk]) return false
  if (header.chunk === CHUNK.init && header.vtag !== 0) return false
  const tags: [number, number] = [0, 0]
  if (header.chunk === CHUNK.init) tags[1] = header.initTag ?? 0
  else tags[header.chunk === CHUNK.heartbeat ? 0 : 1] = header.vtag
  connection.sctp = { state: 'NONE', tags, hasInit: [false, false] }
  return true
}

/** Notes the tag that INIT and INIT ACK announce; false where it contradicts what is known. */
function noteTag(tracking: SctpTracking, direction: Direction, header: NonNullable<Packet['sctp']>): boolean {
  const other = direction === 0 ? 1 : 0
  const announced = header.initTag ?? 0
  if (header.chunk === CHUNK.init) {
    if (tracking.hasInit[0] && tracking.hasInit[1]) tracking.hasInit[other] = false
    tracking.hasInit[direction] = true
    tracking.tags[other] = announced
  }
  if (header.chunk === CHUNK.initAck) {
    const known = tracking.tags[other]
    if (!tracking.hasInit[other] && known !== 0 && known !== announced) return false
    if (tracking.hasInit[0] && tracking.hasInit[1] && known !== announced) return false
    tracking.tags[other] = announced
  }
  return true
}
