/**
 * What iptables-nft makes of later fragments, which meet rules over lo only. Kernel: nf_tables reads ports and TCP flags without asking whether
 * the packet has a transport header: in IPv4 the first bytes of the fragment's data; in IPv6 the IPv6 header itself, since the offset of a
 * header that is not there stays 0. Source: net/netfilter/nf_tables_core.c nft_payload_fast_eval(); include/net/netfilter/nf_tables_ipv6.h
 * __nft_set_pktinfo_ipv6_validate(); net/ipv6/exthdrs_core.c ipv6_find_hdr().
 */

import { evaluate } from '../meaning/evaluate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import { packetBytes } from '../packet/packet-bytes.ts'
import type { PacketByte } from '../packet/packet-bytes.ts'
import type { Flight } from './flight.ts'

/** Tells whether the packet is a later fragment before rules of iptables-nft. */
export function isLaterFragmentInNft({ packet, world }: Flight): boolean {
  return packet.fragmentOffset > 0 && world.backend === 'nft'
}

/** Tells whether ports and flags match that are not there; false, and told, where the bytes in their place are not known. */
export function matchesLaterFragment(flight: Flight, predicate: Predicate): boolean {
  const { packet } = flight
  const { bytes: all } = packetBytes(packet)
  const bytes = packet.family === 'ipv4' ? all.slice(20) : all
  const [sport, dport] = [wordAt(bytes, 0), wordAt(bytes, 2)]
  if (sport === undefined || dport === undefined) {
    flight.record?.({ kind: 'notModelled', words: 'what iptables-nft takes for the ports of a later fragment' })
    return false
  }
  const flags = bytes[13]
  const tcp = flags === undefined ? {} : { tcp: { flags, seq: 0, ack: 0, window: 0, optionKinds: [] } }
  return evaluate(predicate, { ...flight, packet: { ...packet, fragmentOffset: 0, sport, dport, ...tcp } }) === true
}

function wordAt(bytes: readonly PacketByte[], at: number): number | undefined {
  const [high, low] = bytes.slice(at, at + 2)
  return high === undefined || low === undefined ? undefined : high * 256 + low
}
