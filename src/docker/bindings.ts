/** The published ports of one endpoint: which addresses of the host and of the container they join. Source: daemon/libnetwork/drivers/bridge/port_mapping_linux.go. */

import { familyOf } from '../net/address.ts'
import type { Address, Family } from '../net/address.ts'
import type { PortProtocol } from '../net/protocol.ts'
import { isAtLeast } from './engine.ts'
import type { Engine } from './engine.ts'
import { releasePort, takePort } from './host-ports.ts'
import type { HostPorts } from './host-ports.ts'
import type { Endpoint, PortBinding, PortRequest } from './model.ts'
import { shareHostPort, sortBindings, sortRequestsOldWay } from './port-order.ts'
import type { BindingRequest } from './port-order.ts'

/** What to publish where. `families` are those that the endpoint maps now, `proxies6` allows an IPv6 address of the host for a container without IPv6. */
export interface PublishJob {
  readonly endpoint: Endpoint
  readonly requests: readonly PortRequest[]
  readonly exposed: readonly { readonly protocol: PortProtocol; readonly port: number }[]
  readonly families: readonly Family[]
  readonly proxies6: boolean
  readonly owner: string
  readonly engine: Engine
}

/** The bindings made, or the request that could not be met and who is in its way. */
export type PublishAnswer =
  | { readonly ok: true; readonly bindings: readonly PortBinding[] }
  | { readonly ok: false; readonly request: PortRequest; readonly owner: string | undefined }

/** Publishes all ports of an endpoint, or none. */
export function publishPorts(job: PublishJob, ports: HostPorts): PublishAnswer {
  const isNew = isAtLeast(job.engine, 27)
  const requests = isNew ? job.requests : sortRequestsOldWay(job.requests, job.exposed)
  const wanted = requests.flatMap(request => job.families.flatMap(family => bindingFor(request, family, job) ?? []))
  const groups = isNew ? groupsOf(sortBindings(wanted, job.engine)) : wanted.map(binding => [binding])
  const bindings: PortBinding[] = []
  for (const group of groups) {
    const answer = bindGroup(group, job, ports)
    if (!answer.ok) {
      releaseBindings(bindings, ports)
      return answer
    }
    bindings.push(...answer.bindings)
  }
  return { ok: true, bindings }
}

/** Gives the host ports of bindings back. */
export function releaseBindings(bindings: readonly PortBinding[], ports: HostPorts): void {
  for (const { protocol, hostAddress, hostPort } of bindings) if (hostPort !== undefined) releasePort(ports, protocol, hostAddress, hostPort)
}

/** Returns what a request asks for in a family; undefined where it asks for nothing there. */
function bindingFor(request: PortRequest, family: Family, { endpoint, proxies6 }: PublishJob): BindingRequest | undefined {
  const { network, addresses } = endpoint
  const address = addresses[family] ?? (family === 'ipv6' && proxies6 ? addresses.ipv4 : undefined)
  const hostAddress = hostAddressFor(request.hostAddress, network.hostBinding, family)
  if (address === undefined || hostAddress === undefined) return undefined
  const isRouted = network.sides[family]?.mode === 'routed'
  return { request, address, isRouted, hostAddress: isRouted ? anyAddress(family) : hostAddress }
}

function hostAddressFor(given: Address | undefined, byDefault: Address, family: Family): Address | undefined {
  if (given !== undefined) return familyOf(given) === family ? given : undefined
  if (byDefault === 0) return anyAddress(family)
  return familyOf(byDefault) === family ? byDefault : undefined
}

function anyAddress(family: Family): Address {
  return family === 'ipv4' ? 0 : 0n
}

function groupsOf(bindings: readonly BindingRequest[]): readonly (readonly BindingRequest[])[] {
  const groups: BindingRequest[][] = []
  for (const binding of bindings) {
    const group = groups.at(-1)
    const [before] = group ?? []
    if (group && before && shareHostPort(before, binding)) group.push(binding)
    else groups.push([binding])
  }
  return groups
}

function bindGroup(group: readonly BindingRequest[], { endpoint, owner }: PublishJob, ports: HostPorts): PublishAnswer {
  const [first] = group
  if (!first) return { ok: true, bindings: [] }
  const { protocol, hostPorts, containerPort } = first.request
  const addresses = group.filter(({ isRouted }) => !isRouted).map(({ hostAddress }) => hostAddress)
  const answer = addresses.length === 0 ? undefined : takePort(ports, { protocol, addresses: [...new Set(addresses)], range: hostPorts, owner })
  if (answer && !answer.ok) return { ok: false, request: first.request, owner: answer.owner }
  const bindings = group.map(({ request, hostAddress, address, isRouted }): PortBinding => ({
    protocol, hostAddress, address, port: containerPort, network: endpoint.network, request,
    ...(isRouted || !answer?.ok ? {} : { hostPort: answer.port }),
  }))
  return { ok: true, bindings }
}
