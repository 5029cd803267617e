/** The sysctls that an engine sets on its host. */

import { isAtLeast, isClassic } from './engine.ts'
import type { DockerHost } from './model.ts'

/** Returns sysctls by name. Those of bridged packets are what the engine leaves where nobody else changed them. */
export function hostSysctls(host: DockerHost): Readonly<Record<string, string>> {
  const { options, networks } = host
  const hasIpv6 = networks.some(({ sides }) => sides.ipv6 !== undefined)
  const filtersBridged = bridgeCallsIptables(host)
  const bridges = networks.filter(network => answersLoopback(host, network.bridge))
  return {
    'net.ipv4.ip_forward': flag(options.hostForwards || options.ipForward),
    'net.ipv6.conf.all.forwarding': flag(options.hostForwards || (hasIpv6 && (options.ipForward || isClassic(host.engine)))),
    'net.bridge.bridge-nf-call-iptables': flag(filtersBridged),
    'net.bridge.bridge-nf-call-ip6tables': flag(filtersBridged),
    ...Object.fromEntries(bridges.map(({ bridge }) => [`net.ipv4.conf.${bridge}.route_localnet`, '1'])),
  }
}

/** Rules see packets between containers of one network only where the engine needs that. */
function bridgeCallsIptables({ engine, options, networks }: DockerHost): boolean {
  return networks.some(({ icc }) => !icc) || (isAtLeast(engine, 27) && !options.userlandProxy)
}

function answersLoopback({ options, ingress }: DockerHost, bridge: string): boolean {
  return !options.userlandProxy || (ingress !== undefined && ingress.ports.length > 0 && ingress.network.bridge === bridge)
}

function flag(value: boolean): string {
  return value ? '1' : '0'
}
