/** Packets that come into the described world by a bridge port: up into the host, or across the bridge. The mirror of receiveOnBridge() for frames of unknown addresses. */

import { any, onDevice } from '../meaning/predicate.ts'
import type { PacketSet } from '../packetset/packet-sets.ts'
import { isOwnAddress, lookupRoute, makeFib } from '../topology/fib.ts'
import type { BridgePort } from './bridge-path.ts'
import type { SymbolicWorld, WorldHost } from './world.ts'

/** Packets on one port: `up` is for the host, the others are for a neighbour on the bridge. */
export interface PortArrivals {
  readonly at: BridgePort
  readonly up: PacketSet
  readonly across: PacketSet
}

/** Returns the packets of a set that come in by bridge ports, port by port; `others` come in by devices that are none. */
export function divideByPorts({ sets, pieces }: SymbolicWorld, { namespace, devices }: WorldHost, set: PacketSet): { readonly ports: readonly PortArrivals[]; readonly others: PacketSet } {
  const fib = makeFib(namespace)
  let others = set
  const ports = [...devices.values()].flatMap(({ name, master }): PortArrivals[] => {
    const here = sets.intersect(others, sets.setOf(onDevice('device.in', { name, prefix: false })))
    if (master === undefined || here === sets.none) return []
    others = sets.subtract(others, here)
    const near = pieces.filter(({ address }) => {
      const route = lookupRoute(fib, { destination: address, mark: 0, tos: 0 })
      return !isOwnAddress(namespace, address) && route.kind === 'unicast' && route.device === master && route.gateway === undefined
    })
    const across = sets.intersect(here, sets.setOf(any(near.map(({ isTowards }) => isTowards))))
    return [{ at: { bridge: master, port: name }, up: sets.subtract(here, across), across }]
  })
  return { ports, others }
}
