/** The TCP state machine of conntrack. Source: net/netfilter/nf_conntrack_proto_tcp.c nf_conntrack_tcp_packet(), Linux 6.x. */

import { CT_STATUS } from '../meaning/fields.ts'
import { TCP_FLAG } from '../packet/packet.ts'
import type { Packet, TcpHeader } from '../packet/packet.ts'
import type { Connection } from './connection.ts'
import { before, judgeWindow, readWindowScale, segmentEnd, unseenSide } from './tcp-window.ts'
import type { SegmentKind, TcpStateName, TcpTracking } from './tcp-window.ts'
import type { Direction } from './tuple.ts'

/** What a segment does to its connection: `kill` removes it, `reopen` removes it and starts anew with the same segment. */
export type TcpVerdict = { readonly kind: 'valid'; readonly timeout?: number } | { readonly kind: 'invalid' | 'kill' | 'reopen' }

/** Seconds. Source: nf_conntrack_proto_tcp.c tcp_timeouts[]. */
const TIMEOUT: Readonly<Record<TcpStateName, number>> = {
  NONE: 0, SYN_SENT: 120, SYN_RECV: 60, ESTABLISHED: 432_000, FIN_WAIT: 120, CLOSE_WAIT: 60, LAST_ACK: 30, TIME_WAIT: 120, CLOSE: 10, SYN_SENT2: 120,
}
const UNACKNOWLEDGED_TIMEOUT = 300

type NextState = TcpStateName | 'ignore' | 'invalid'

const STATES: readonly TcpStateName[] = ['NONE', 'SYN_SENT', 'SYN_RECV', 'ESTABLISHED', 'FIN_WAIT', 'CLOSE_WAIT', 'LAST_ACK', 'TIME_WAIT', 'CLOSE', 'SYN_SENT2']
const SHORT: Readonly<Record<string, NextState>> = {
  NO: 'NONE', SS: 'SYN_SENT', SR: 'SYN_RECV', ES: 'ESTABLISHED', FW: 'FIN_WAIT', CW: 'CLOSE_WAIT', LA: 'LAST_ACK', TW: 'TIME_WAIT', CL: 'CLOSE', S2: 'SYN_SENT2', IG: 'ignore', IV: 'invalid',
}
const row = (cells: string): readonly NextState[] => cells.split(' ').map(cell => SHORT[cell] ?? 'invalid')

/** Next state by direction, kind of segment and state, columns in the order of STATES. Source: tcp_conntracks[][][]. */
const NEXT: readonly [Readonly<Record<SegmentKind, readonly NextState[]>>, Readonly<Record<SegmentKind, readonly NextState[]>>] = [
  {
    syn: row('SS SS IG IG IG IG IG SS SS S2'),
    synack: row('IV IV SR IV IV IV IV IV IV SR'),
    fin: row('IV IV FW FW LA LA LA TW CL IV'),
    ack: row('ES IV ES ES CW CW TW TW CL IV'),
    rst: row('IV CL CL CL CL CL CL CL CL CL'),
    none: row('IV IV IV IV IV IV IV IV IV IV'),
  },
  {
    syn: row('IV S2 IV IV IV IV IV SS IV S2'),
    synack: row('IV SR IG IG IG IG IG IG IG SR'),
    fin: row('IV IV FW FW LA LA LA TW CL IV'),
    ack: row('IV IG SR ES CW CW TW TW CL IG'),
    rst: row('IV CL CL CL CL CL CL CL CL CL'),
    none: row('IV IV IV IV IV IV IV IV IV IV'),
  },
]

const VALID_FLAGS: readonly number[] = [
  TCP_FLAG.SYN, TCP_FLAG.SYN | TCP_FLAG.URG, TCP_FLAG.SYN | TCP_FLAG.ACK, TCP_FLAG.RST, TCP_FLAG.RST | TCP_FLAG.ACK, TCP_FLAG.FIN | TCP_FLAG.ACK,
  TCP_FLAG.FIN | TCP_FLAG.ACK | TCP_FLAG.URG, TCP_FLAG.ACK, TCP_FLAG.ACK | TCP_FLAG.URG,
]
const IS_VALID = Array.from({ length: 256 }, (_, flags) => VALID_FLAGS.includes(flags & ~(TCP_FLAG.PSH | TCP_FLAG.ECE | TCP_FLAG.CWR)))

/** Tells whether conntrack takes the combination of flags for sane; PSH, ECE and CWR do not count. Source: tcp_valid_flags[]. */
export function hasValidFlags(tcp: TcpHeader): boolean {
  return IS_VALID[tcp.flags] ?? false
}

/** Returns the state of a connection that this segment begins; undefined where it cannot begin one. Source: tcp_new(). */
export function beginTcp(packet: Packet, tcp: TcpHeader, isLoose: boolean): TcpTracking | undefined {
  const state = NEXT[0][segmentKind(tcp)][0]
  if (state !== 'SYN_SENT' && (state !== 'ESTABLISHED' || !isLoose)) return undefined
  const sender = unseenSide()
  const receiver = unseenSide()
  sender.end = segmentEnd(packet, tcp)
  sender.maxWindow = tcp.window === 0 ? 1 : tcp.window
  sender.maxEnd = state === 'SYN_SENT' ? sender.end : (sender.end + sender.maxWindow) >>> 0
  if (state === 'SYN_SENT') readWindowScale(sender, tcp)
  else sender.liberal = receiver.liberal = true
  return {
    state: 'NONE', seen: [sender, receiver], lastKind: 'none', lastDirection: 0, lastSeq: 0, lastAck: 0, lastEnd: 0, lastWindow: 0,
    retransmissions: 0, expectChallengeAck: false, simultaneousOpen: false,
  }
}

/** Takes a segment into account. */
export function trackTcp(connection: Connection, tracking: TcpTracking, direction: Direction, packet: Packet, tcp: TcpHeader): TcpVerdict {
  const kind = segmentKind(tcp)
  const step = nextStep(connection, tracking, direction, kind, packet, tcp)
  if (step.kind !== 'state') return step
  if (step.checkWindow) {
    const verdict = judgeWindow(tracking, direction, kind, packet, tcp)
    if (verdict === 'ignore') return { kind: 'valid' }
    if (verdict === 'invalid') {
      noteInvalid(connection, tracking, direction, kind)
      return { kind: 'invalid' }
    }
  }
  return enterState(connection, tracking, direction, kind, { from: step.from, to: step.to })
}

function enterState(connection: Connection, tracking: TcpTracking, direction: Direction, kind: SegmentKind, { from, to }: { from: TcpStateName; to: TcpStateName }): TcpVerdict {
  tracking.lastKind = kind
  tracking.lastDirection = direction
  tracking.state = to
  if (from !== to && to === 'FIN_WAIT') tracking.seen[direction].closeInit = true
  let timeout = timeoutOf(tracking, kind, to)
  if (!(connection.status & CT_STATUS.SEEN_REPLY)) {
    if (kind === 'rst') return { kind: 'kill' }
    if (kind === 'syn' && from === 'SYN_SENT') return { kind: 'valid' }
    if (to === 'ESTABLISHED') timeout = Math.min(timeout, UNACKNOWLEDGED_TIMEOUT)
  } else if ((from === 'SYN_RECV' || from === 'ESTABLISHED') && to === 'ESTABLISHED') {
    connection.status |= CT_STATUS.ASSURED
  }
  return { kind: 'valid', timeout }
}

/** Closes the connection, as REJECT with a TCP reset does. Source: nf_conntrack_tcp_set_closing(). */
export function closeTcp(connection: Connection, now: number): void {
  if (!connection.tcp || !(connection.status & CT_STATUS.CONFIRMED) || connection.tcp.state === 'CLOSE') return
  connection.tcp.state = 'CLOSE'
  connection.expiresAt = now + TIMEOUT.CLOSE * 1000
}

type Step = { readonly kind: 'state'; readonly from: TcpStateName; readonly to: TcpStateName; readonly checkWindow: boolean } | TcpVerdict

function nextStep(connection: Connection, tracking: TcpTracking, direction: Direction, kind: SegmentKind, packet: Packet, tcp: TcpHeader): Step {
  const from = tracking.state
  const to = NEXT[direction][kind][STATES.indexOf(from)] ?? 'invalid'
  const goOn = (state: TcpStateName, checkWindow = true): Step => ({ kind: 'state', from, to: state, checkWindow })
  if (to === 'invalid') return { kind: 'invalid' }
  if (to === 'ignore') return ignoreSegment(tracking, direction, kind, packet, tcp)
  if (to === 'SYN_SENT' && (from === 'TIME_WAIT' || from === 'CLOSE')) {
    const isReopened = tracking.seen[0].closeInit || tracking.seen[1].closeInit || (tracking.lastDirection === direction && tracking.lastKind === 'rst')
    return isReopened ? { kind: 'reopen' } : ignoreSegment(tracking, direction, kind, packet, tcp)
  }
  if (to === 'TIME_WAIT' && from === 'LAST_ACK' && kind === 'ack' && tracking.lastDirection !== direction && tracking.lastKind === 'syn' && tracking.expectChallengeAck) {
    tracking.expectChallengeAck = false
    return { kind: 'valid' }
  }
  if (to === 'SYN_SENT2') tracking.simultaneousOpen = true
  if (to === 'SYN_RECV' && direction === 1 && kind === 'ack' && tracking.simultaneousOpen) return goOn('ESTABLISHED')
  if (to === 'CLOSE' && kind === 'rst') return judgeReset(connection, tracking, direction, tcp)
  return goOn(to)
}

/** A segment that may show that our picture is out of date: remembered, and let through. */
function ignoreSegment(tracking: TcpTracking, direction: Direction, kind: SegmentKind, packet: Packet, tcp: TcpHeader): Step {
  if (kind === 'synack' && tracking.lastKind === 'syn' && tracking.lastDirection !== direction && tcp.ack === tracking.lastEnd) {
    const sender = tracking.seen[tracking.lastDirection]
    Object.assign(sender, unseenSide(), { end: tracking.lastEnd, maxEnd: tracking.lastEnd, maxWindow: tracking.lastWindow || 1 })
    Object.assign(tracking.seen[direction], unseenSide())
    tracking.expectChallengeAck = false
    return { kind: 'state', from: 'SYN_SENT', to: 'SYN_RECV', checkWindow: true }
  }
  Object.assign(tracking, { lastKind: kind, lastDirection: direction, lastSeq: tcp.seq, lastEnd: segmentEnd(packet, tcp), lastWindow: tcp.window })
  if (kind === 'syn' && direction === 0) tracking.expectChallengeAck = tracking.state === 'LAST_ACK'
  if (kind === 'ack' && direction === 1 && tracking.state === 'SYN_SENT') tracking.lastAck = tcp.ack
  return { kind: 'valid' }
}

const CLOSING: ReadonlySet<TcpStateName> = new Set<TcpStateName>(['FIN_WAIT', 'LAST_ACK', 'TIME_WAIT', 'CLOSE', 'CLOSE_WAIT'])

function judgeReset(connection: Connection, tracking: TcpTracking, direction: Direction, tcp: TcpHeader): Step {
  const from = tracking.state
  const close = (checkWindow: boolean): Step => ({ kind: 'state', from, to: 'CLOSE', checkWindow })
  if (CLOSING.has(from)) return close(false)
  const peer = tracking.seen[direction === 0 ? 1 : 0]
  const isEstablished = from === 'ESTABLISHED' && (connection.status & CT_STATUS.ASSURED) !== 0
  let to: TcpStateName = 'CLOSE'
  if (peer.maxAckSet && tracking.lastKind !== 'syn') {
    if (tcp.seq === 0 && !isEstablished) return close(true)
    if (before(tcp.seq, peer.maxAck)) return { kind: 'invalid' }
    if (!isEstablished || tcp.seq === peer.maxAck) return close(true)
    if (tracking.lastKind === 'ack' && tracking.lastDirection === direction && tcp.seq === tracking.lastEnd) return close(true)
    to = from
  }
  const hasSeenReply = (connection.status & CT_STATUS.SEEN_REPLY) !== 0
  const isAssured = (connection.status & CT_STATUS.ASSURED) !== 0
  const answersIgnored = (hasSeenReply && tracking.lastKind === 'syn') || (!isAssured && tracking.lastKind === 'ack')
  if (answersIgnored && tcp.ack === tracking.lastEnd) return { kind: 'state', from, to, checkWindow: false }
  const answersChallenge = from === 'SYN_SENT' && tracking.lastKind === 'ack' && tracking.lastDirection === 1 && tcp.seq === tracking.lastAck
  return { kind: 'state', from, to, checkWindow: !answersChallenge }
}

function noteInvalid(connection: Connection, tracking: TcpTracking, direction: Direction, kind: SegmentKind): void {
  if (!(connection.status & CT_STATUS.ASSURED) || (kind !== 'fin' && kind !== 'rst')) return
  if (tracking.lastDirection !== direction && (tracking.lastKind === 'fin' || tracking.lastKind === 'rst')) return
  tracking.lastKind = kind
  tracking.lastDirection = direction
}

function timeoutOf(tracking: TcpTracking, kind: SegmentKind, state: TcpStateName): number {
  const usual = TIMEOUT[state]
  if (tracking.retransmissions >= 3) return Math.min(usual, UNACKNOWLEDGED_TIMEOUT)
  if (kind === 'rst') return TIMEOUT.CLOSE
  const isStalled = tracking.seen[0].unacknowledged || tracking.seen[1].unacknowledged || tracking.lastWindow === 0
  return isStalled ? Math.min(usual, UNACKNOWLEDGED_TIMEOUT) : usual
}

function segmentKind(tcp: TcpHeader): SegmentKind {
  if (tcp.flags & TCP_FLAG.RST) return 'rst'
  if (tcp.flags & TCP_FLAG.SYN) return tcp.flags & TCP_FLAG.ACK ? 'synack' : 'syn'
  if (tcp.flags & TCP_FLAG.FIN) return 'fin'
  return tcp.flags & TCP_FLAG.ACK ? 'ack' : 'none'
}
