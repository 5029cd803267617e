/** What is asked of an engine: networks and containers as a compose file or an inspection names them, before anything has an address. */

import type { Span } from '../diagnostics/source-file.ts'
import type { Address, Family } from '../net/address.ts'
import type { AddressWithLength } from '../net/prefix-math.ts'
import type { PortProtocol } from '../net/protocol.ts'
import type { DaemonOptions } from './daemon-options.ts'
import type { Engine } from './engine.ts'
import type { PortRequest } from './model.ts'

/** A value with the place that says so. */
export interface Placed<T> {
  readonly value: T
  readonly span: Span
}

/** One `ipam.config` entry. */
export interface PoolPlan {
  readonly subnet?: Placed<AddressWithLength>
  readonly gateway?: Placed<Address>
  readonly range?: Placed<AddressWithLength>
  readonly reserved: readonly Placed<Address>[]
  readonly span: Span
}

/** A network to be made. `id` is the engine's, of which the bridge has its name. */
export interface NetworkPlan {
  readonly key: string
  readonly name: string
  readonly id?: string
  readonly isInternal: boolean
  readonly ipv4: boolean
  readonly ipv6: boolean
  readonly options: readonly DriverOption[]
  readonly pools: readonly PoolPlan[]
  readonly span: Span
}

/** A label of the driver, such as `com.docker.network.bridge.name`. */
export interface DriverOption {
  readonly name: string
  readonly value: string
  readonly span: Span
}

/** A container joins a network, by its key or `bridge`. */
export interface JoinPlan {
  readonly network: string
  readonly addresses: Readonly<Partial<Record<Family, Placed<Address>>>>
  /** 12 hex digits. */
  readonly mac?: string
  readonly gatewayPriority: number
  readonly device?: string
}

/** A container to be started. `guestOf` is the container whose namespace it shares. */
export interface ContainerPlan {
  readonly name: string
  readonly service?: string
  readonly mode: 'own' | 'host' | 'none' | 'guest'
  readonly guestOf?: string
  /** In join order. */
  readonly joins: readonly JoinPlan[]
  readonly ports: readonly PortRequest[]
  readonly exposed: readonly { readonly protocol: PortProtocol; readonly port: number }[]
  /** Containers that it may reach where docker0 has icc off. */
  readonly links: readonly string[]
  readonly sysctls: Readonly<Record<string, string>>
  readonly span: Span
}

/** Everything that is asked. Networks are in the order of their making, containers in that of their start. */
export interface HostPlan {
  readonly project: string
  readonly engine: Engine
  readonly options: DaemonOptions
  readonly networks: readonly NetworkPlan[]
  readonly containers: readonly ContainerPlan[]
  /** Where the file begins, for what has no place of its own. */
  readonly span: Span
}
