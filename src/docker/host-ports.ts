/** The host's ports: which are taken, and which a range gives next. Source: daemon/libnetwork/portallocator/portallocator.go RequestPortsInRange(). */

import { familyOf, isUnspecified } from '../net/address.ts'
import type { Address } from '../net/address.ts'
import type { PortProtocol } from '../net/protocol.ts'

/** What Linux gives to those who ask for no port: net.ipv4.ip_local_port_range. */
const EPHEMERAL = { low: 32768, high: 60999 } as const

/** Ports with their owners, and where each range went on. */
export interface HostPorts {
  /** By family, protocol and port: the addresses on which it is taken, and by whom. */
  readonly taken: Map<string, Map<Address, string>>
  /** By address, protocol and range: the last port that it gave. */
  readonly last: Map<string, number>
}

/** What is asked for: one port on all of the addresses. `range` is absent for any port. */
export interface PortWish {
  readonly protocol: PortProtocol
  readonly addresses: readonly Address[]
  readonly range: { readonly low: number; readonly high: number } | undefined
  readonly owner: string
}

/** A port, or who has the one that was asked for (undefined where a whole range is taken). */
export type PortAnswer = { readonly ok: true; readonly port: number } | { readonly ok: false; readonly owner: string | undefined }

/** Returns ports of which none is taken. */
export function openHostPorts(): HostPorts {
  return { taken: new Map(), last: new Map() }
}

/** Takes a port; a range goes on behind the port that it gave last, and begins anew at its end. */
export function takePort(ports: HostPorts, wish: PortWish): PortAnswer {
  const { low, high } = wish.range ?? EPHEMERAL
  if (wish.range && low === high) {
    const owner = ownerOf(ports, wish, low)
    if (owner !== undefined) return { ok: false, owner }
    occupy(ports, wish, low)
    return { ok: true, port: low }
  }
  const first = wish.addresses[0] ?? 0
  const last = ports.last.get(rangeKey(first, wish.protocol, low, high)) ?? high
  for (let step = 1; step <= high - low + 1; step++) {
    const port = low + ((last - low + step) % (high - low + 1))
    if (ownerOf(ports, wish, port) !== undefined) continue
    occupy(ports, wish, port)
    for (const address of wish.addresses) ports.last.set(rangeKey(address, wish.protocol, low, high), port)
    return { ok: true, port }
  }
  return { ok: false, owner: undefined }
}

/** Gives a port back. */
export function releasePort({ taken }: HostPorts, protocol: PortProtocol, address: Address, port: number): void {
  taken.get(portKey(address, protocol, port))?.delete(address)
}

function ownerOf({ taken }: HostPorts, { protocol, addresses }: PortWish, port: number): string | undefined {
  for (const address of addresses) {
    for (const [other, owner] of taken.get(portKey(address, protocol, port)) ?? []) {
      if (other === address || isUnspecified(other) || isUnspecified(address)) return owner
    }
  }
  return undefined
}

function occupy({ taken }: HostPorts, { protocol, addresses, owner }: PortWish, port: number): void {
  for (const address of addresses) {
    const key = portKey(address, protocol, port)
    const owners = taken.get(key) ?? new Map<Address, string>()
    taken.set(key, owners.set(address, owner))
  }
}

function portKey(address: Address, protocol: PortProtocol, port: number): string {
  return `${familyOf(address)} ${protocol} ${port}`
}

function rangeKey(address: Address, protocol: PortProtocol, low: number, high: number): string {
  return `${familyOf(address)} ${address} ${protocol} ${low}-${high}`
}
