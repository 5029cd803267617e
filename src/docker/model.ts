/** The container network model as data: networks, sandboxes and endpoints with their addresses, and the published ports of each. */

import type { Span } from '../diagnostics/source-file.ts'
import type { Address, Family, Prefix } from '../net/address.ts'
import type { PortProtocol } from '../net/protocol.ts'
import type { DaemonOptions } from './daemon-options.ts'
import type { Engine, GatewayMode } from './engine.ts'

/** What a network has in one family. */
export interface NetworkSide {
  /** The subnet, host bits cleared. */
  readonly prefix: Prefix
  /** The address of the bridge; absent in gateway mode isolated. */
  readonly gateway?: Address
  /** Where addresses of containers come from; the whole subnet where it is absent. */
  readonly range?: Prefix
  readonly mode: GatewayMode
  /** The source that outgoing packets get instead of the address of their device. */
  readonly hostAddress?: Address
  /** Addresses that no container gets. */
  readonly reserved: readonly Address[]
}

/** A bridge network. `name` is the engine's, `key` the one in the file. */
export interface DockerNetwork {
  readonly name: string
  readonly key: string
  readonly bridge: string
  readonly isInternal: boolean
  readonly icc: boolean
  readonly masquerade: boolean
  readonly sides: Readonly<Partial<Record<Family, NetworkSide>>>
  /** The host address of published ports that name none; 0 is every address. */
  readonly hostBinding: Address
  /** Devices of the host whose packets may go straight to containers. */
  readonly trustedDevices: readonly string[]
  /** Bytes. */
  readonly mtu: number
  /** The bridge has no IPv4 address though the network has IPv4. */
  readonly inhibitIpv4: boolean
  readonly span?: Span
}

/** A port to be published: `low..high` on the host (equal for one port, absent for any free one). */
export interface PortRequest {
  readonly protocol: PortProtocol
  readonly containerPort: number
  readonly hostAddress?: Address
  readonly hostPorts?: { readonly low: number; readonly high: number }
  readonly span?: Span
}

/** A published port as the engine made it. `hostPort` is absent in gateway mode routed; where the two families differ only the proxy serves it. */
export interface PortBinding {
  readonly protocol: PortProtocol
  readonly hostAddress: Address
  readonly hostPort?: number
  readonly address: Address
  readonly port: number
  readonly network: DockerNetwork
  readonly request: PortRequest
}

/** A container on a network. */
export interface Endpoint {
  readonly network: DockerNetwork
  /** The device in the container: `eth0`, `eth1`, ... */
  readonly device: string
  readonly addresses: Readonly<Partial<Record<Family, Address>>>
  /** 12 hex digits; absent where the engine draws it by lot. */
  readonly mac?: string
  /** Endpoints with a higher one are gateways first. */
  readonly gatewayPriority: number
}

/** Where a container's packets go: a namespace of its own with endpoints, the host's, or none at all. */
export interface Sandbox {
  readonly container: string
  /** Absent for what no compose service made. */
  readonly service?: string
  readonly kind: 'own' | 'host'
  readonly endpoints: readonly Endpoint[]
  /** Ports that rules of legacy links open. */
  readonly exposed: readonly { readonly protocol: PortProtocol; readonly port: number }[]
  /** Containers that share this namespace. */
  readonly guests: readonly string[]
  /** By name, for the container's namespace. */
  readonly sysctls: Readonly<Record<string, string>>
  readonly span?: Span
}

/** One endpoint joins its sandbox: the rules that are written then. `bindings` are those that hold until the end. */
export interface Join {
  readonly sandbox: Sandbox
  readonly endpoint: Endpoint
  readonly links: readonly Link[]
  readonly bindings: readonly PortBinding[]
}

/** `docker run --link`: `from` may open connections to the exposed ports of `to`. */
export interface Link {
  readonly from: Sandbox
  readonly to: Sandbox
}

/** Ports that the swarm publishes on every node, and the ingress sandbox that takes them. */
export interface SwarmIngress {
  readonly network: DockerNetwork
  readonly sandbox: Sandbox
  readonly ports: readonly { readonly protocol: PortProtocol; readonly published: number; readonly target: number }[]
}

/** A host with its engine: everything that the rules and the topology follow from. Networks and joins are in the order in which they were made. */
export interface DockerHost {
  readonly project: string
  readonly engine: Engine
  readonly options: DaemonOptions
  readonly networks: readonly DockerNetwork[]
  readonly sandboxes: readonly Sandbox[]
  readonly joins: readonly Join[]
  readonly ingress?: SwarmIngress
  /** Sentences that say what a real host may do otherwise. */
  readonly assumptions: readonly string[]
}
