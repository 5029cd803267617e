/**
 * Fragments and the datagrams that they make. Source: net/ipv4/ip_fragment.c ip_frag_queue() and ip_frag_reasm(),
 * net/ipv6/netfilter/nf_conntrack_reasm.c, net/ipv4/inet_fragment.c inet_frag_queue_insert(), net/ipv4/ip_output.c ip_do_fragment().
 */

import type { Packet } from '../packet/packet.ts'

/** The fragments of one datagram that have come so far, in the order of their offsets. */
export interface FragmentQueue {
  pieces: readonly Packet[]
  /** In milliseconds of the world's clock. */
  readonly expiresAt: number
}

/** Seconds: net.ipv4.ipfrag_time, nf_conntrack_frag6_timeout. */
const TIMEOUT = { ipv4: 30, ipv6: 60 } as const

/** Tells whether the packet is a fragment. */
export function isFragment(packet: Packet): boolean {
  return packet.fragmentOffset > 0 || packet.moreFragments
}

/** Puts a fragment to those that came before. Returns the whole datagram where this was the last one missing. */
export function addPiece(queue: FragmentQueue, packet: Packet): Packet | undefined {
  const piece = packet.family === 'ipv4' && packet.moreFragments ? { ...packet, length: packet.length - (dataLength(packet) & 7) } : packet
  if (!isInQueue(queue, piece)) {
    queue.pieces = contradicts(queue, piece) ? [] : [...queue.pieces, piece].sort((one, other) => one.fragmentOffset - other.fragmentOffset)
  }
  return isWhole(queue.pieces) ? joinPieces(queue.pieces, packet) : undefined
}

/** Returns an empty queue for the fragments of a packet's datagram. */
export function makeFragmentQueue(packet: Packet, now: number): FragmentQueue {
  return { pieces: [], expiresAt: now + TIMEOUT[packet.family] * 1000 }
}

/** Returns a packet that leaves by a device with the lengths of the pieces in which it leaves, where it does not fit in one. */
export function withPieces(packet: Packet, mtu: number): Packet {
  if (packet.pieces && packet.pieces.every(length => length <= mtu)) return packet
  if (packet.length <= mtu && !packet.pieces) return packet
  const header = packet.family === 'ipv4' ? 20 : 48
  const room = (mtu - header) & ~7
  const data = packet.length - (packet.family === 'ipv4' ? 20 : 40)
  const count = Math.ceil(data / room)
  return { ...packet, pieces: Array.from({ length: count }, (_, index) => header + Math.min(room, data - index * room)) }
}

/** Returns the packet as one whose pieces are forgotten: it leaves whole where the device carries it. */
export function withoutPieces(packet: Packet): Packet {
  const { pieces, ...whole } = packet
  return pieces ? whole : packet
}

/** Returns the frames' packets: the pieces of a packet that leaves in several, else the packet itself. Later pieces have no transport header. */
export function piecesOf(packet: Packet): readonly Packet[] {
  const { pieces, ...whole } = packet
  if (!pieces) return [packet]
  const header = packet.family === 'ipv4' ? 20 : 48
  let fragmentOffset = 0
  return pieces.map((length, index) => {
    const piece = { ...(index === 0 ? whole : { ...withoutTransport(whole), cutFrom: whole }), length, fragmentOffset, moreFragments: index < pieces.length - 1 }
    fragmentOffset += length - header
    return piece
  })
}

/** Bytes after the header; an IPv6 fragment's header is part of its header. */
function dataLength(packet: Packet): number {
  return packet.length - (packet.family === 'ipv4' ? 20 : 48)
}

function endOf(packet: Packet): number {
  return packet.fragmentOffset + dataLength(packet)
}

/** Kernel: what brings nothing new is forgotten without a word. */
function isInQueue({ pieces }: FragmentQueue, piece: Packet): boolean {
  let end = piece.fragmentOffset
  for (const other of pieces) if (other.fragmentOffset <= end && endOf(other) > end) end = endOf(other)
  return pieces.length > 0 && end >= endOf(piece) && pieces.some(other => other.fragmentOffset <= piece.fragmentOffset && endOf(other) > piece.fragmentOffset)
}

/** Kernel: a datagram whose fragments overlap or disagree about its end is given up. */
function contradicts({ pieces }: FragmentQueue, piece: Packet): boolean {
  const last = pieces.find(other => !other.moreFragments)
  if (dataLength(piece) <= 0 || (last && endOf(piece) > endOf(last)) || (!piece.moreFragments && pieces.some(other => endOf(other) > endOf(piece)))) return true
  return pieces.some(other => other.fragmentOffset < endOf(piece) && piece.fragmentOffset < endOf(other))
}

function isWhole(pieces: readonly Packet[]): boolean {
  let end = 0
  for (const piece of pieces) {
    if (piece.fragmentOffset !== end) return false
    end = endOf(piece)
  }
  return pieces.length > 0 && pieces.at(-1)?.moreFragments === false
}

/**
 * The header is the first fragment's, the socket that of the one that came last. Kernel: DF stays where the largest fragment had it.
 * Source: ip_frag_reasm(), inet_frag_reasm_prepare().
 */
function joinPieces(pieces: readonly Packet[], latest: Packet): Packet {
  const [first = latest] = pieces
  const { socket: _first, ...header } = first
  const total = pieces.reduce((sum, piece) => sum + dataLength(piece), 0)
  const largest = Math.max(...pieces.map(piece => piece.length))
  const payload = joinPayloads(pieces)
  const { malformed, ...sound } = header
  const isStillBroken = malformed !== undefined && (malformed === 'checksum' || total < 20)
  return {
    ...(isStillBroken ? header : sound),
    length: (first.family === 'ipv4' ? 20 : 40) + total,
    moreFragments: false,
    dontFragment: Math.max(0, ...pieces.filter(piece => piece.dontFragment).map(piece => piece.length)) === largest,
    pieces: pieces.map(piece => piece.length),
    ...(payload ? { payload } : {}),
    ...(latest.socket ? { socket: latest.socket } : {}),
  }
}

function joinPayloads(pieces: readonly Packet[]): Uint8Array | undefined {
  const parts = pieces.map(piece => piece.payload)
  const known = parts.filter(part => part !== undefined)
  return known.length === parts.length ? Uint8Array.from(known.flatMap(part => [...part])) : undefined
}

/** Returns a packet without what stands in its transport header and behind it: a later fragment. */
export function withoutTransport(packet: Packet): Packet {
  const { sport: _sport, dport: _dport, tcp: _tcp, icmp: _icmp, spi: _spi, sctp: _sctp, greKey: _greKey, payload: _payload, ...rest } = packet
  return rest
}
