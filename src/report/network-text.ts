/** Pods and services in words: what `5x5 cni --explain` and `5x5 kube --explain` show above the reasons. */

import type { NetworkPart } from '../cni/generate.ts'
import { bridgeOf } from '../cni/model.ts'
import type { Pod } from '../cni/model.ts'
import type { NetavarkHost } from '../cni/netavark.ts'
import type { KubeNode, ServicePort } from '../kube/model.ts'
import type { SkippedService } from '../kube/read-cluster.ts'
import { isUnspecified, writeAddress, writePrefix } from '../net/address.ts'
import type { Address } from '../net/address.ts'
import { writeTable } from './docker-text.ts'
import { count } from './paint.ts'
import type { Paint } from './paint.ts'

/** Returns the tables of networks, pods and published ports. */
export function writeNetworks(parts: readonly NetworkPart[], paint: Paint): string {
  const rows = parts.map(rowsOf)
  const blocks = [
    writeTable('networks', rows.flatMap(({ networks }) => networks), paint),
    writeTable('pods', rows.flatMap(({ pods }) => pods), paint),
    writeTable('published ports', rows.flatMap(({ ports }) => ports), paint),
  ]
  return blocks.filter(block => block !== '').join('\n')
}

type Rows = readonly (readonly string[])[]

interface PartRows {
  readonly networks: Rows
  readonly pods: Rows
  readonly ports: Rows
}

function rowsOf(part: NetworkPart): PartRows {
  if (part.kind === 'netavark') return netavarkRows(part.host)
  if (part.kind === 'flannel') {
    return { networks: Object.values(part.node.sides).map(({ network, lease }) => ['flannel', writePrefix(network), `this node has ${writePrefix(lease)}`, '']), pods: [], ports: [] }
  }
  if (part.kind === 'calico') {
    return { networks: [], pods: part.node.workloads.map(({ name, device, ingress, egress }) => [name, device, 'calico', policyWords(ingress.length + egress.length)]), ports: [] }
  }
  return {
    networks: part.host.networks.map(network => {
      const bridge = bridgeOf(network)
      return [network.name, bridge?.bridge ?? 'no bridge', (bridge?.ipam.rangeSets ?? []).flat().map(({ subnet }) => writePrefix(subnet)).join(', '), network.plugins.map(({ kind }) => kind).join(', ')]
    }),
    pods: part.host.pods.map(({ name, containerId, joined, addresses }) => [name, name === containerId ? '' : containerId, joined.name, addresses.map(({ address }) => writeAddress(address)).join(', ')]),
    ports: part.host.pods.flatMap(podPorts),
  }
}

function policyWords(number: number): string {
  return number === 0 ? 'no policy' : number === 1 ? '1 policy' : `${number} policies`
}

/** Returns how many networks, pods and port mappings there are, in words. */
export function networkSizes(parts: readonly NetworkPart[]): string {
  const rows = parts.map(rowsOf)
  const sum = (key: keyof PartRows): number => rows.reduce((total, row) => total + row[key].length, 0)
  return `for ${count(sum('networks'), 'network')}, ${count(sum('pods'), 'pod')} and ${count(sum('ports'), 'port mapping')}`
}

function podPorts({ name, mappings, addresses }: Pod): Rows {
  return mappings.map(({ hostAddress, hostPort, protocol, containerPort }) => [endText(hostAddress, hostPort), protocol, `${name} port ${containerPort}`, addresses.length === 0 ? 'no address' : ''])
}

function netavarkRows({ networks }: NetavarkHost): PartRows {
  return {
    networks: networks.map(({ name, bridge, subnets, isolation }) => [name, bridge, Object.values(subnets).map(({ prefix }) => writePrefix(prefix)).join(', '), isolation === 'never' ? '' : `isolated${isolation === 'strict' ? ', strictly' : ''}`]),
    pods: networks.flatMap(({ name, containers }) => containers.map(container => [container.name, '', name, Object.values(container.addresses).map(writeAddress).join(', ')])),
    ports: networks.flatMap(({ containers }) => containers.flatMap(({ name, ports }) => ports.map(({ hostAddress, host, protocol, container }) =>
      [`${endText(hostAddress, host.low)}${host.high > host.low ? `-${host.high}` : ''}`, protocol, `${name} port ${container.low}${container.high > container.low ? `-${container.high}` : ''}`, '']))),
  }
}

function endText(address: Address | undefined, port: number): string {
  if (address === undefined || isUnspecified(address)) return `*:${port}`
  return typeof address === 'number' ? `${writeAddress(address)}:${port}` : `[${writeAddress(address)}]:${port}`
}

/** Returns the tables of services, with all ways to them, and of those that have no rules. */
export function writeServices({ services }: KubeNode, skipped: readonly SkippedService[], paint: Paint): string {
  const blocks = [
    writeTable('services', services.map(service => [service.name, `${service.port}/${service.protocol}`, ...service.clusterAddresses.map(writeAddress).slice(0, 1), waysTo(service), endpointWords(service)]), paint),
    writeTable('no rules', skipped.map(({ name, reason }) => [name, reason]), paint),
  ]
  return blocks.filter(block => block !== '').join('\n')
}

function waysTo({ clusterAddresses, nodePort, externalAddresses, balancerAddresses }: ServicePort): string {
  const ways = [
    ...clusterAddresses.slice(1).map(writeAddress),
    ...(nodePort === undefined ? [] : [`node port ${nodePort}`]),
    ...externalAddresses.map(address => `external ${writeAddress(address)}`),
    ...balancerAddresses.map(address => `load balancer ${writeAddress(address)}`),
  ]
  return ways.join(', ')
}

function endpointWords({ endpoints }: ServicePort): string {
  const ready = endpoints.filter(({ isReady }) => isReady)
  const here = ready.filter(({ isLocal }) => isLocal).length
  if (ready.length === 0) return endpoints.length === 0 ? 'no endpoint' : 'no ready endpoint'
  return `${ready.length} ${ready.length === 1 ? 'endpoint' : 'endpoints'}${here === 0 ? '' : `, ${here} of them here`}`
}
