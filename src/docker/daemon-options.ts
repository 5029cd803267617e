/** The options of dockerd that rules depend on, and what they are where nobody sets them. */

import type { Address, Prefix } from '../net/address.ts'
import type { AddressWithLength } from '../net/prefix-math.ts'
import { isAtLeast } from './engine.ts'
import type { Engine } from './engine.ts'

/** A pool that subnets are cut from, each `size` bits long. */
export interface AddressPool {
  readonly base: Prefix
  readonly size: number
}

/** A published port of the swarm. */
export interface SwarmPort {
  readonly protocol: 'tcp' | 'udp' | 'sctp'
  readonly published: number
  readonly target: number
}

/** The options; names are those of daemon.json where it has them. */
export interface DaemonOptions {
  readonly iptables: boolean
  readonly ip6tables: boolean
  readonly userlandProxy: boolean
  readonly ipForward: boolean
  readonly ipForwardNoDrop: boolean
  readonly allowDirectRouting: boolean
  readonly bridgeAcceptMark?: { readonly value: number; readonly mask: number }
  /** These two are about docker0 only. */
  readonly icc: boolean
  readonly ipMasq: boolean
  /** The host address of docker0's published ports that name none; 0 is every address. */
  readonly ip: Address
  readonly bip?: AddressWithLength
  readonly bip6?: AddressWithLength
  readonly fixedCidr?: AddressWithLength
  readonly fixedCidr6?: AddressWithLength
  readonly defaultGateway?: Address
  readonly defaultGateway6?: Address
  readonly ipv6: boolean
  readonly mtu: number
  readonly addressPools: readonly AddressPool[]
  /** Driver options of networks that do not set them. */
  readonly networkOptions: Readonly<Record<string, string>>
  /** DOCKER_INSECURE_NO_IPTABLES_RAW=1 */
  readonly noRaw: boolean
  /** DOCKER_IPTABLES_SCTP_CHECKSUM=1 */
  readonly sctpChecksum: boolean
  /** WSL2 with mirrored networking. */
  readonly wsl2Mirrored: boolean
  /** The host forwarded before dockerd started. */
  readonly hostForwards: boolean
  readonly swarm?: { readonly tasks: number; readonly ports: readonly SwarmPort[] }
}

/** Returns the options of a daemon that nobody configured. */
export function defaultOptions(engine: Engine): DaemonOptions {
  return {
    iptables: true, ip6tables: isAtLeast(engine, 27), userlandProxy: true, ipForward: true, ipForwardNoDrop: false, allowDirectRouting: false,
    icc: true, ipMasq: true, ip: 0, ipv6: false, mtu: 1500, addressPools: [], networkOptions: {},
    noRaw: false, sctpChecksum: false, wsl2Mirrored: false, hostForwards: false,
  }
}
