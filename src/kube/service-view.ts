/** A service port seen from one family, with what decides about its rules. */

import { familyOf } from '../net/address.ts'
import type { Address, Family, Prefix } from '../net/address.ts'
import { chooseEndpoints, isExternallyAccessible } from './choose-endpoints.ts'
import type { ChosenEndpoints } from './choose-endpoints.ts'
import type { ProxyOptions, ServicePort } from './model.ts'
import { endpointText, serviceChain } from './names.ts'

/** A service port of one family. */
export interface ServiceView {
  readonly service: ServicePort
  readonly family: Family
  readonly options: ProxyOptions
  readonly clusterAddress: Address
  readonly external: readonly Address[]
  readonly balancers: readonly Address[]
  readonly ranges: readonly Prefix[]
  readonly chosen: ChosenEndpoints
  /** All endpoints of the family, usable or not. */
  readonly endpointCount: number
  /** There are endpoints for who asks from the cluster, and from outside. */
  readonly hasInternal: boolean
  readonly hasExternal: boolean
  readonly internalChain: string
  readonly isAccessible: boolean
  /** Only some may use the load balancer. */
  readonly filtersSources: boolean
}

/** Returns a service port of a family, undefined where it has no cluster address of that. */
export function viewOf(given: ServicePort, family: Family, options: ProxyOptions): ServiceView | undefined {
  const clusterAddress = given.clusterAddresses.find(address => familyOf(address) === family)
  if (clusterAddress === undefined) return undefined
  const own = (addresses: readonly Address[]): readonly Address[] => addresses.filter(address => familyOf(address) === family)
  const service: ServicePort = { ...given, externalAddresses: own(given.externalAddresses), balancerAddresses: own(given.balancerAddresses) }
  const ranges = service.sourceRanges.filter(({ address }) => familyOf(address) === family)
  const endpoints = service.endpoints.filter(({ address }) => familyOf(address) === family).toSorted((one, other) => (endpointText(one) < endpointText(other) ? -1 : 1))
  const chosen = chooseEndpoints(service, endpoints, options)
  return {
    service, family, options, clusterAddress, external: service.externalAddresses, balancers: service.balancerAddresses, ranges, chosen,
    endpointCount: endpoints.length,
    hasInternal: chosen.hasAny && !(service.isInternalLocal && chosen.local.length === 0),
    hasExternal: chosen.hasAny && !(service.isExternalLocal && chosen.local.length === 0),
    internalChain: serviceChain(service.isInternalLocal ? 'KUBE-SVL-' : 'KUBE-SVC-', service),
    isAccessible: isExternallyAccessible(service),
    filtersSources: chosen.hasAny && service.balancerAddresses.length > 0 && ranges.length > 0,
  }
}

/** Returns how sentences call a service port. */
export function ownerOf({ service: { name } }: ServiceView): string {
  return `service ${name}`
}
