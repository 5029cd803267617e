/** Whether a TCP segment lies in the window of its connection. Source: net/netfilter/nf_conntrack_proto_tcp.c tcp_in_window(), Linux 6.x. */

import type { Packet, TcpHeader } from '../packet/packet.ts'
import { TCP_FLAG } from '../packet/packet.ts'
import type { Direction } from './tuple.ts'

/** What conntrack has seen of one sender. Numbers wrap at 2^32. */
export interface TcpSide {
  end: number
  maxEnd: number
  maxWindow: number
  maxAck: number
  /** Window scale shift. */
  scale: number
  windowScale: boolean
  maxAckSet: boolean
  liberal: boolean
  closeInit: boolean
  unacknowledged: boolean
}

/** Kinds of segments by their flags. */
export type SegmentKind = 'syn' | 'synack' | 'fin' | 'ack' | 'rst' | 'none'

/** TCP states in the kernel's order. */
export type TcpStateName = 'NONE' | 'SYN_SENT' | 'SYN_RECV' | 'ESTABLISHED' | 'FIN_WAIT' | 'CLOSE_WAIT' | 'LAST_ACK' | 'TIME_WAIT' | 'CLOSE' | 'SYN_SENT2'

/** The TCP part of a connection. */
export interface TcpTracking {
  state: TcpStateName
  readonly seen: readonly [TcpSide, TcpSide]
  lastKind: SegmentKind
  lastDirection: Direction
  lastSeq: number
  lastAck: number
  lastEnd: number
  lastWindow: number
  retransmissions: number
  /** A SYN in LAST_ACK was let through; its challenge ACK is expected. */
  expectChallengeAck: boolean
  simultaneousOpen: boolean
}

/** How a segment lies to the window. */
export type WindowVerdict = 'accept' | 'ignore' | 'invalid'

const MAX_ACK_WINDOW = 66000

/** Returns a side of which nothing was seen. */
export function unseenSide(): TcpSide {
  return { end: 0, maxEnd: 0, maxWindow: 0, maxAck: 0, scale: 0, windowScale: false, maxAckSet: false, liberal: false, closeInit: false, unacknowledged: false }
}

/** Tells whether sequence number `one` comes after `other`. */
export function after(one: number, other: number): boolean {
  return ((other - one) | 0) < 0
}

/** Tells whether sequence number `one` comes before `other`. */
export function before(one: number, other: number): boolean {
  return ((one - other) | 0) < 0
}

/** Returns the sequence number after the segment: SYN and FIN count as one byte each. */
export function segmentEnd(packet: Packet, tcp: TcpHeader): number {
  const header = (packet.family === 'ipv4' ? 20 : 40) + 20 + (tcp.mss === undefined ? 0 : 4)
  const bytes = packet.payload ? packet.payload.length : Math.max(0, packet.length - header)
  return (tcp.seq + bytes + (tcp.flags & TCP_FLAG.SYN ? 1 : 0) + (tcp.flags & TCP_FLAG.FIN ? 1 : 0)) >>> 0
}

/** Judges a segment and updates what was seen. */
export function judgeWindow(tracking: TcpTracking, direction: Direction, kind: SegmentKind, packet: Packet, tcp: TcpHeader): WindowVerdict {
  const sender = tracking.seen[direction]
  const receiver = tracking.seen[direction === 0 ? 1 : 0]
  const hasAck = (tcp.flags & TCP_FLAG.ACK) !== 0
  const isSyn = (tcp.flags & TCP_FLAG.SYN) !== 0
  let end = segmentEnd(packet, tcp)
  let seq = tcp.seq
  let ack = tcp.ack
  if (sender.maxWindow === 0) {
    if (isSyn) {
      initSender(sender, receiver, direction, tcp, end)
      if (!hasAck) return 'accept' // simultaneous open
    } else {
      pickUpMidway(sender, receiver, tcp, end)
    }
  } else if (isSyn && after(end, sender.end) && (tracking.state === 'SYN_SENT' || tracking.state === 'SYN_RECV')) {
    initSender(sender, receiver, direction, tcp, end)
    if (direction === 1 && !hasAck) return 'accept'
  }
  const isRst = (tcp.flags & TCP_FLAG.RST) !== 0
  if (!hasAck || (isRst && ack === 0)) ack = receiver.end
  if (isRst && seq === 0 && tracking.state === 'SYN_SENT') seq = end = sender.end

  const ackAboveLowerBound = after(ack, receiver.end - Math.max(sender.maxWindow, MAX_ACK_WINDOW) - 1)
  const endInWindow = after(end, sender.end - receiver.maxWindow - 1)
  if (!before(seq, sender.maxEnd + 1)) {
    const overshot = (end - sender.maxEnd + 1) >>> 0
    if (receiver.maxWindow && endInWindow && ackAboveLowerBound && overshot <= receiver.maxWindow && before(ack, receiver.end + 1)) {
      sender.end = end
      sender.unacknowledged = true
      return 'accept'
    }
    return sender.liberal ? 'accept' : 'invalid'
  }
  if (!before(ack, receiver.end + 1)) return sender.liberal ? 'accept' : 'invalid'
  if ((receiver.maxWindow && !endInWindow) || !ackAboveLowerBound) return sender.liberal ? 'accept' : 'ignore'
  updateSeen(sender, receiver, tcp, { end, ack })
  if (kind === 'ack') countRetransmissions(tracking, direction, tcp, { seq, ack, end })
  return 'accept'
}

function initSender(sender: TcpSide, receiver: TcpSide, direction: Direction, tcp: TcpHeader, end: number): void {
  sender.end = sender.maxEnd = end
  sender.maxWindow = tcp.window === 0 ? 1 : tcp.window
  readWindowScale(sender, tcp)
  if (direction === 1 && !(sender.windowScale && receiver.windowScale)) sender.scale = receiver.scale = 0
}

/** Notes the window scale option. The shift itself is not part of our packets: without it, scale stays 0. */
export function readWindowScale(side: TcpSide, tcp: TcpHeader): void {
  side.windowScale = tcp.optionKinds.includes(3)
  side.scale = 0
}

function pickUpMidway(sender: TcpSide, receiver: TcpSide, tcp: TcpHeader, end: number): void {
  sender.end = end
  sender.maxWindow = (tcp.window << sender.scale) || 1
  sender.maxEnd = (end + sender.maxWindow) >>> 0
  if (receiver.maxWindow === 0) receiver.end = receiver.maxEnd = tcp.ack
  else if (tcp.ack === ((receiver.end + 1) >>> 0)) receiver.end = (receiver.end + 1) >>> 0
}

function updateSeen(sender: TcpSide, receiver: TcpSide, tcp: TcpHeader, { end, ack }: { end: number; ack: number }): void {
  const window = tcp.flags & TCP_FLAG.SYN ? tcp.window : tcp.window << sender.scale
  if (sender.maxWindow < window) sender.maxWindow = window
  if (after(end, sender.end)) {
    sender.end = end
    sender.unacknowledged = true
  }
  if (tcp.flags & TCP_FLAG.ACK && (!sender.maxAckSet || after(ack, sender.maxAck))) {
    sender.maxAck = ack
    sender.maxAckSet = true
  }
  if (receiver.maxWindow !== 0 && after(end, sender.maxEnd)) receiver.maxWindow += (end - sender.maxEnd) >>> 0
  if (after(ack + window, receiver.maxEnd - 1)) receiver.maxEnd = (ack + window + (window === 0 ? 1 : 0)) >>> 0
  if (ack === receiver.end) receiver.unacknowledged = false
}

function countRetransmissions(tracking: TcpTracking, direction: Direction, tcp: TcpHeader, { seq, ack, end }: { seq: number; ack: number; end: number }): void {
  const isSame = tracking.lastDirection === direction && tracking.lastSeq === seq && tracking.lastAck === ack && tracking.lastEnd === end && tracking.lastWindow === tcp.window
  if (isSame) {
    tracking.retransmissions++
    return
  }
  tracking.lastDirection = direction
  tracking.lastSeq = seq
  tracking.lastAck = ack
  tracking.lastEnd = end
  tracking.lastWindow = tcp.window
  tracking.retransmissions = 0
}
