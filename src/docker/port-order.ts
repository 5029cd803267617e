/** The order in which an engine publishes the ports of a container: it is the order of the rules. */

import { familyOf } from '../net/address.ts'
import type { Address } from '../net/address.ts'
import { PORT_PROTOCOLS } from '../net/protocol.ts'
import type { PortProtocol } from '../net/protocol.ts'
import { isAtLeast } from './engine.ts'
import type { Engine } from './engine.ts'
import type { PortRequest } from './model.ts'

/** A request for one address of the host and one of the container. */
export interface BindingRequest {
  readonly request: PortRequest
  readonly hostAddress: Address
  readonly address: Address
  /** Gateway mode routed: the port is opened, not translated. */
  readonly isRouted: boolean
}

/** Returns requests in the order of an engine since 27: exact ports first, then by port and protocol. Source: PortBindingReq.Compare(). */
export function sortBindings(bindings: readonly BindingRequest[], engine: Engine): readonly BindingRequest[] {
  return bindings.toSorted((one, other) => {
    const byMapper = isAtLeast(engine, 29) ? Number(one.isRouted) - Number(other.isRouted) : 0
    return byMapper || compareRequests(one.request, other.request) || compareAddresses(one.hostAddress, other.hostAddress)
  })
}

/** Tells whether two requests differ in the host's address only: they get one host port. */
export function shareHostPort(one: BindingRequest, other: BindingRequest): boolean {
  return compareRequests(one.request, other.request) === 0
}

function compareRequests(one: PortRequest, other: PortRequest): number {
  return Number(isOpenEnded(one)) - Number(isOpenEnded(other))
    || one.containerPort - other.containerPort
    || PORT_PROTOCOLS.indexOf(one.protocol) - PORT_PROTOCOLS.indexOf(other.protocol)
    || (one.hostPorts?.low ?? 0) - (other.hostPorts?.low ?? 0)
    || (one.hostPorts?.high ?? 0) - (other.hostPorts?.high ?? 0)
}

function isOpenEnded({ hostPorts }: PortRequest): boolean {
  return hostPorts === undefined || hostPorts.low !== hostPorts.high
}

function compareAddresses(one: Address, other: Address): number {
  if (typeof one !== typeof other) return familyOf(one) === 'ipv4' ? -1 : 1
  return one < other ? -1 : one > other ? 1 : 0
}

/** Up to how many ports Go sorts by plain insertion, the only case that can be foretold. */
export const FORETOLD_PORTS = 12

/**
 * Returns requests in the most likely order of an engine up to 26: exposed and published ports by an order that is none (larger host
 * port or larger container port first), then all bindings of a container port together. Source: go-connections nat/sort.go SortPortMap().
 */
export function sortRequestsOldWay(requests: readonly PortRequest[], exposed: readonly { readonly protocol: PortProtocol; readonly port: number }[]): readonly PortRequest[] {
  const bare = exposed.filter(({ protocol, port }) => !requests.some(request => request.protocol === protocol && request.containerPort === port))
  const entries: OldEntry[] = [
    ...requests.map(request => ({ port: request.containerPort, protocol: request.protocol, hostPort: request.hostPorts?.low ?? 0, request })),
    ...bare.map(({ protocol, port }) => ({ port, protocol, hostPort: 0, request: undefined })),
  ].toSorted((one, other) => (keyOf(one) < keyOf(other) ? -1 : keyOf(one) > keyOf(other) ? 1 : 0))
  insertionSort(entries)
  const keys = [...new Set(entries.map(keyOf))]
  return keys.flatMap(key => entries.flatMap(entry => (keyOf(entry) === key && entry.request ? [entry.request] : [])))
}

interface OldEntry {
  readonly port: number
  readonly protocol: PortProtocol
  readonly hostPort: number
  readonly request: PortRequest | undefined
}

function keyOf({ port, protocol }: OldEntry): string {
  return `${port}/${protocol}`
}

function insertionSort(entries: OldEntry[]): void {
  for (let index = 1; index < entries.length; index++) {
    for (let at = index; at > 0; at--) {
      const [one, other] = [entries[at], entries[at - 1]]
      if (!one || !other || !isBefore(one, other)) break
      entries[at] = other
      entries[at - 1] = one
    }
  }
}

function isBefore(one: OldEntry, other: OldEntry): boolean {
  return one.hostPort > other.hostPort || one.port > other.port || (one.port === other.port && one.protocol === 'tcp')
}
