/** Services of a cluster as kube-proxy sees them on one node: a service port for each port of a service, with its endpoints. */

import type { Span } from '../diagnostics/source-file.ts'
import type { Address, Family, Prefix } from '../net/address.ts'
import type { PortProtocol } from '../net/protocol.ts'

/** A port of a service. Addresses may be of both families; rules are written for those of one at a time. */
export interface ServicePort {
  /** `namespace/name`, and `:port` where the port has a name. */
  readonly name: string
  readonly protocol: PortProtocol
  readonly clusterAddresses: readonly Address[]
  readonly port: number
  readonly nodePort: number | undefined
  readonly externalAddresses: readonly Address[]
  /** Addresses of load balancers that hand packets on with them as destination. */
  readonly balancerAddresses: readonly Address[]
  /** Who may use the load balancer; nobody is kept out where it is empty. */
  readonly sourceRanges: readonly Prefix[]
  readonly healthCheckPort: number | undefined
  /** Only endpoints on this node are used for packets from outside, or from the cluster. */
  readonly isExternalLocal: boolean
  readonly isInternalLocal: boolean
  /** Clients keep their endpoint for so many seconds; absent: they do not. */
  readonly affinitySeconds: number | undefined
  readonly endpoints: readonly Endpoint[]
  readonly span: Span
}

/** A pod's end of a service port. */
export interface Endpoint {
  readonly address: Address
  readonly port: number
  readonly isReady: boolean
  readonly isServing: boolean
  readonly isTerminating: boolean
  readonly isLocal: boolean
  /** Zones and nodes that should use it; empty: no hint. */
  readonly zoneHints: readonly string[]
  readonly nodeHints: readonly string[]
}

/** How kube-proxy tells the packets of pods of this node (or cluster) from others. */
export type LocalDetector =
  | { readonly kind: 'prefixes'; readonly prefixes: readonly Prefix[] }
  | { readonly kind: 'device'; readonly name: string; readonly isPrefix: boolean }
  | { readonly kind: 'none' }

/** What kube-proxy was told. */
export interface ProxyOptions {
  readonly nodeName: string | undefined
  readonly zone: string | undefined
  /** The node's addresses, the one that it is known by first. */
  readonly nodeAddresses: readonly Address[]
  readonly detector: LocalDetector
  readonly masqueradeAll: boolean
  /** 0 to 31. */
  readonly masqueradeBit: number
  /** Node ports are open on these of the node's addresses only; undefined: on all. */
  readonly nodePortPrefixes: readonly Prefix[] | undefined
  /** Node ports work by 127.0.0.1 too. */
  readonly localhostNodePorts: boolean
  /** The host takes TCP packets that conntrack calls invalid. */
  readonly isLiberal: boolean
  /** MASQUERADE knows --random-fully: iptables 1.6.2 and later. */
  readonly randomFully: boolean
  /** The kernel counts with nfacct objects. */
  readonly countsWithNfacct: boolean
}

/** What kube-proxy is told where nobody says anything. */
export const DEFAULT_OPTIONS: ProxyOptions = {
  nodeName: undefined, zone: undefined, nodeAddresses: [], detector: { kind: 'none' }, masqueradeAll: false, masqueradeBit: 14, nodePortPrefixes: undefined,
  localhostNodePorts: true, isLiberal: false, randomFully: true, countsWithNfacct: false,
}

/** A node with kube-proxy. Services are in the order in which their rules are written. */
export interface KubeNode {
  readonly options: ProxyOptions
  readonly services: readonly ServicePort[]
}

/** Returns the families that a node's services have addresses of; IPv4 where there are none. */
export function familiesOf({ services }: KubeNode): readonly Family[] {
  const types = new Set(services.flatMap(({ clusterAddresses }) => clusterAddresses.map(address => typeof address)))
  return [...(types.has('number') || types.size === 0 ? ['ipv4' as const] : []), ...(types.has('bigint') ? ['ipv6' as const] : [])]
}
