/** Which endpoints a service port uses on this node. Source: kubernetes pkg/proxy/topology.go CategorizeEndpoints(). */

import type { Endpoint, ProxyOptions, ServicePort } from './model.ts'
import { endpointText } from './names.ts'

/** Endpoints for packets without and with regard to the node. `hasAny`: some node has one that could be used. */
export interface ChosenEndpoints {
  readonly cluster: readonly Endpoint[]
  readonly local: readonly Endpoint[]
  /** Both, each once. */
  readonly reachable: readonly Endpoint[]
  readonly hasAny: boolean
}

/** Tells whether anything but cluster addresses leads to a service port. */
export function isExternallyAccessible({ nodePort, balancerAddresses, externalAddresses }: ServicePort): boolean {
  return nodePort !== undefined || balancerAddresses.length > 0 || externalAddresses.length > 0
}

/** Returns the endpoints. Those that end are used where none is ready, for each policy by itself. */
export function chooseEndpoints(service: ServicePort, endpoints: readonly Endpoint[], options: ProxyOptions): ChosenEndpoints {
  const usesCluster = !service.isInternalLocal || isExternallyAccessible(service)
  const usesLocal = service.isInternalLocal || (service.isExternalLocal && isExternallyAccessible(service))
  const hinted = usesCluster ? withHints(endpoints, options) : []
  const cluster = usesCluster ? usable(hinted, endpoints) : []
  if (!usesLocal) return { cluster, local: [], reachable: cluster, hasAny: cluster.length > 0 }
  const here = endpoints.filter(({ isLocal }) => isLocal)
  const local = usable(here.filter(({ isReady }) => isReady), here)
  const hasAny = cluster.length > 0 || endpoints.some(endpoint => endpoint.isReady || isEnding(endpoint))
  const both = usesCluster ? [...cluster, ...local.filter(endpoint => !cluster.includes(endpoint))] : local
  return { cluster, local, reachable: both.toSorted((one, other) => (endpointText(one) < endpointText(other) ? -1 : 1)), hasAny }
}

function usable(ready: readonly Endpoint[], all: readonly Endpoint[]): readonly Endpoint[] {
  return ready.length > 0 ? ready : all.filter(isEnding)
}

function isEnding({ isServing, isTerminating }: Endpoint): boolean {
  return isServing && isTerminating
}

/** Hints count only where every ready endpoint has one and one of them is for this node, else for its zone. */
function withHints(endpoints: readonly Endpoint[], { nodeName, zone }: ProxyOptions): readonly Endpoint[] {
  const ready = endpoints.filter(({ isReady }) => isReady)
  const forNode = ready.filter(({ nodeHints }) => nodeName !== undefined && nodeHints.includes(nodeName))
  if (forNode.length > 0 && ready.every(({ nodeHints }) => nodeHints.length > 0)) return forNode
  const forZone = ready.filter(({ zoneHints }) => zone !== undefined && zoneHints.includes(zone))
  return forZone.length > 0 && ready.every(({ zoneHints }) => zoneHints.length > 0) ? forZone : ready
}
