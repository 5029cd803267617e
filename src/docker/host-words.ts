/** Networks, containers and published ports as rows of words, for reports. */

import { familyOf, writeAddress, writePrefix } from '../net/address.ts'
import type { Address } from '../net/address.ts'
import type { DockerHost, DockerNetwork, PortBinding } from './model.ts'

/** One row for each network: name, bridge, subnets, what is special. */
export function networkRows({ networks }: DockerHost): readonly (readonly string[])[] {
  return networks.map(network => [network.name, network.bridge, Object.values(network.sides).map(({ prefix }) => writePrefix(prefix)).join(', '), specialWords(network)])
}

/** One row for each container and network: container, addresses, network. */
export function containerRows({ sandboxes }: DockerHost): readonly (readonly string[])[] {
  return sandboxes.flatMap(({ container, kind, endpoints, guests }) => {
    const shared = guests.length === 0 ? '' : `shared by ${guests.join(', ')}`
    if (kind === 'host') return [[container, 'the host itself', '', shared]]
    if (endpoints.length === 0) return [[container, 'no network', '', shared]]
    return endpoints.map(({ network, addresses }, index) => [index === 0 ? container : '', Object.values(addresses).map(writeAddress).join(', '), network.name, index === 0 ? shared : ''])
  })
}

/** One row for each published port: what the host offers, where it leads, whether rules or the proxy do it. */
export function portRows({ joins, ingress }: DockerHost): readonly (readonly string[])[] {
  const bindings = joins.flatMap(({ sandbox, bindings: made }) => made.map(binding => [hostEnd(binding), `${binding.protocol}`, `${sandbox.container} ${end(binding.address, binding.port)}`, wayOf(binding)]))
  const swarm = (ingress?.ports ?? []).map(({ published, protocol }) => [end(0, published), protocol, 'the ingress sandbox of the swarm', ''])
  return [...bindings, ...swarm]
}

function hostEnd({ hostAddress, hostPort }: PortBinding): string {
  return hostPort === undefined ? 'by routing' : end(hostAddress, hostPort)
}

function end(address: Address, port: number): string {
  const text = writeAddress(address)
  return typeof address === 'number' ? `${text}:${port}` : `[${text}]:${port}`
}

function wayOf({ network, hostAddress, address }: PortBinding): string {
  if (network.isInternal) return 'no rule: the network is internal'
  return familyOf(hostAddress) === familyOf(address) ? '' : 'by the userland proxy alone'
}

function specialWords({ isInternal, icc, masquerade, sides }: DockerNetwork): string {
  const modes = [...new Set(Object.values(sides).map(({ mode }) => mode))].filter(mode => mode !== 'nat')
  return [isInternal ? 'internal' : '', ...modes, icc ? '' : 'icc off', masquerade || isInternal ? '' : 'no masquerading'].filter(word => word !== '').join(', ')
}
