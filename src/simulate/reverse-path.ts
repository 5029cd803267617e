/** Whether the answer to a packet would leave by the device on which it arrived. Source: net/ipv4/netfilter/ipt_rpfilter.c rpfilter_mt(); net/ipv6/netfilter/ip6t_rpfilter.c. */

import type { ReversePath } from '../meaning/subject.ts'
import type { Packet } from '../packet/packet.ts'
import { lookupRoute } from '../topology/fib.ts'
import { isLimitedBroadcast, isMulticast } from './group-address.ts'
import type { Host } from './world.ts'

/** Kernel: what came in over lo passes, and so does IPv4 without a sender to everybody, IPv6 without a sender to anybody. */
export function hasReversePath(host: Host, { packet, inDevice }: { readonly packet: Packet; readonly inDevice: string }, how: ReversePath): boolean {
  const { src, dst } = packet
  if (host.devices.get(inDevice)?.kind === 'loopback') return true
  if (src === 0n || (typeof src === 'number' && src >>> 24 === 0 && isToEverybody(dst))) return true
  const isSourceOfAnswer = !isLimitedBroadcast(dst) && !isMulticast(dst)
  const isStrict6 = packet.family === 'ipv6' && !how.isLoose
  const back = lookupRoute(host.fib, {
    destination: src, mark: how.usesMark ? packet.mark : 0, tos: packet.tos,
    ...(isSourceOfAnswer ? { source: dst } : {}), ...(isStrict6 ? { outDevice: inDevice } : {}),
  })
  if (back.kind === 'local' && packet.family === 'ipv6') return how.acceptsLocal
  if (back.kind !== 'unicast' && !(back.kind === 'local' && how.acceptsLocal)) return false
  return how.isLoose || back.device === inDevice
}

/** 255.255.255.255 and 224.0.0.0/24. */
function isToEverybody(address: number | bigint): boolean {
  return isLimitedBroadcast(address) || (typeof address === 'number' && address >>> 8 === 0xe00000)
}
