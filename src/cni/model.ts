/** Networks of the Container Network Interface as data: plugins in their order, and the pods that they were run for. */

import type { Span } from '../diagnostics/source-file.ts'
import type { MatchUse } from '../ir/ruleset.ts'
import type { Address, Family, Prefix } from '../net/address.ts'
import type { AddressWithLength } from '../net/prefix-math.ts'
import type { PortProtocol } from '../net/protocol.ts'

/** One range of a range set: addresses from `low` to `high`, both inclusive, are given to pods. */
export interface IpamRange {
  readonly subnet: Prefix
  readonly gateway: Address
  readonly low: Address
  readonly high: Address
}

/** A route of a pod; without a gateway by that of its address. */
export interface PodRoute {
  readonly destination: Prefix
  readonly gateway: Address | undefined
}

/** Where addresses come from: each range set gives one, static ones are the same for every pod. */
export interface Ipam {
  readonly rangeSets: readonly (readonly IpamRange[])[]
  readonly fixed: readonly { readonly address: AddressWithLength; readonly gateway: Address | undefined }[]
  readonly routes: readonly PodRoute[]
}

/** The plugin that joins pods to a bridge. */
export interface BridgePlugin {
  readonly kind: 'bridge'
  readonly bridge: string
  readonly isGateway: boolean
  readonly isDefaultGateway: boolean
  readonly masquerades: boolean
  readonly hairpin: boolean
  readonly mtu: number
  readonly ipam: Ipam
}

/** Who may open connections to a pod. */
export const INGRESS_POLICIES = ['open', 'same-bridge', 'isolated'] as const

/** The plugin that lets packets of pods through FORWARD. */
export interface FirewallPlugin {
  readonly kind: 'firewall'
  /** The accepting rules are written with iptables; the ingress policy always is. */
  readonly usesIptables: boolean
  readonly adminChain: string
  readonly ingressPolicy: (typeof INGRESS_POLICIES)[number]
}

/** The plugin that publishes ports. */
export interface PortmapPlugin {
  readonly kind: 'portmap'
  readonly snat: boolean
  /** 0 to 31. */
  readonly markBit: number
  /** Marks packets in place of the plugin's own chain. */
  readonly markChain: string | undefined
  readonly masqueradesAll: boolean
  /** Further matches of the rules that lead to a pod's chain. */
  readonly conditions: Readonly<Record<Family, readonly MatchUse[]>>
  /** The runtime hands on port mappings only to who says that it takes them. */
  readonly takesMappings: boolean
}

/** A plugin that decides about packets. */
export type CniPlugin = BridgePlugin | FirewallPlugin | PortmapPlugin

/** A network configuration list. */
export interface CniNetwork {
  readonly name: string
  readonly plugins: readonly CniPlugin[]
  readonly span: Span
}

/** A published port. Without a host address, or with an unspecified one, on all addresses. */
export interface PortMapping {
  readonly hostPort: number
  readonly containerPort: number
  readonly protocol: PortProtocol
  readonly hostAddress: Address | undefined
  readonly span: Span
}

/** A pod as it is asked for; addresses may be left to the address plugin. */
export interface PodPlan {
  readonly name: string
  readonly containerId: string
  /** The network's name; the first one's where it is not said. */
  readonly network: string | undefined
  readonly addresses: readonly AddressWithLength[]
  readonly mappings: readonly PortMapping[]
  readonly span: Span
}

/** A pod with its network and addresses, in the order in which the plugins hand them on. */
export interface Pod extends PodPlan {
  readonly joined: CniNetwork
  readonly gateways: Readonly<Partial<Record<Family, Address>>>
}

/** Networks and their pods in the order in which they were added. */
export interface CniHost {
  readonly networks: readonly CniNetwork[]
  readonly pods: readonly Pod[]
}

/** Returns the plugin that makes a network's bridge, undefined where it has none. */
export function bridgeOf(network: CniNetwork): BridgePlugin | undefined {
  return network.plugins.find(plugin => plugin.kind === 'bridge')
}
