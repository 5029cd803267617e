/** A docker host as JSON: what `5x5 docker --json` prints. */

import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts'
import type { DockerHost, NetworkSide, PortBinding } from '../../src/docker/model.ts'
import { familyOf, writeAddress, writePrefix } from '../../src/net/address.ts'
import { rulesJson } from '../network/rules-json.ts'
import type { HostRules } from './host-rules.ts'

/** Returns the value to print. */
export function dockerJson(host: DockerHost, rules: readonly HostRules[], diagnostics: readonly Diagnostic[]): unknown {
  return {
    engine: host.engine.text,
    flavor: host.engine.flavor,
    networks: host.networks.map(network => ({
      name: network.name, bridge: network.bridge, internal: network.isInternal, icc: network.icc, masquerade: network.masquerade,
      subnets: Object.values(network.sides).map(sideJson),
    })),
    containers: host.sandboxes.map(({ container, service, kind, endpoints, guests }) => ({
      name: container, service: service ?? null, network: kind === 'host' ? 'host' : endpoints.length === 0 ? 'none' : 'own', guests,
      endpoints: endpoints.map(({ network, device, addresses }) => ({ network: network.name, device, addresses: Object.values(addresses).map(writeAddress) })),
    })),
    ports: host.joins.flatMap(({ sandbox, bindings }) => bindings.map(binding => portJson(sandbox.container, binding))),
    ...rulesJson(rules, diagnostics, host.assumptions),
  }
}

function sideJson({ prefix, gateway, mode }: NetworkSide): unknown {
  return { subnet: writePrefix(prefix), gateway: gateway === undefined ? null : writeAddress(gateway), mode }
}

function portJson(container: string, { protocol, hostAddress, hostPort, address, port, network }: PortBinding): unknown {
  const isProxied = familyOf(hostAddress) !== familyOf(address)
  return { container, network: network.name, protocol, hostAddress: writeAddress(hostAddress), hostPort: hostPort ?? null, address: writeAddress(address), port, by: network.isInternal ? 'nothing' : isProxied ? 'proxy' : 'rules' }
}
