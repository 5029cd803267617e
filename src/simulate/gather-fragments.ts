/**
 * conntrack puts fragments together before the first table of PREROUTING and OUTPUT sees anything: rules see one packet, on its last fragment.
 * Source: net/ipv4/netfilter/nf_defrag_ipv4.c ipv4_conntrack_defrag(), net/ipv6/netfilter/nf_defrag_ipv6_hooks.c ipv6_defrag().
 */

import type { Hook } from '../ir/hooks.ts'
import type { Flight } from './flight.ts'
import { addPiece, makeFragmentQueue } from './fragments.ts'

/**
 * Tells whether conntrack leaves fragments of this packet as they are. Kernel: over lo it has dealt with the packet already; then they stay
 * where it is untracked, in IPv6 also where it has a connection.
 */
export function keepsFragments({ packet, tracked, untracked }: Flight): boolean {
  return untracked || (packet.family === 'ipv6' && tracked !== undefined)
}

/**
 * Puts the fragment to those that came before; true where the datagram is whole, and then it is what flies on. False: the fragment
 * is gone. At INPUT it is not conntrack that does so but the host, before the first table. Source: net/ipv4/ip_input.c ip_local_deliver().
 */
export function gatherFragments(flight: Flight, hook: Hook): boolean {
  const { packet, world } = flight
  if (hook !== 'INPUT' && keepsFragments(flight)) return true
  const { fragments } = flight.host
  const key = queueKey(flight, hook)
  const known = fragments.get(key)
  const queue = known && known.expiresAt > world.now ? known : makeFragmentQueue(packet, world.now)
  const whole = addPiece(queue, packet)
  flight.record?.({ kind: 'fragment', hook, came: queue.pieces.length, isWhole: whole !== undefined })
  if (whole || queue.pieces.length === 0) fragments.delete(key)
  else fragments.set(key, queue)
  if (!whole) return false
  flight.packet = whole
  return true
}

/** Source: nf_ct_defrag_user(): what arrives, what is bridged and what is sent are gathered apart. */
function queueKey({ packet, bridgeIn }: Flight, hook: Hook): string {
  const user = hook === 'OUTPUT' ? 'out' : hook === 'INPUT' ? 'host' : bridgeIn === '' ? 'in' : 'bridge'
  return `${user} ${packet.identification ?? 0} ${packet.src} ${packet.dst} ${packet.family === 'ipv4' ? packet.protocol : ''}`
}
