/** What a topology has that the kernel allows and hardly anybody means: reported as warnings. */

import type { Diagnostic, DiagnosticCode } from '../diagnostics/diagnostic.ts'
import type { Span } from '../diagnostics/source-file.ts'
import { familyOf, lengthOfMask, maskOfLength, prefixIncludes, prefixOf, writeAddress } from '../net/address.ts'
import { makeLinks } from './links.ts'
import type { Device, Namespace, Topology } from './topology.ts'

/** Where a device, a route or a namespace is written; absent for what was made of something else. */
export interface TopologyPlaces {
  readonly device: (namespace: string, device: string) => Span | undefined
  readonly namespace: (namespace: string) => Span | undefined
}

/** Returns what looks like a mistake, at the places of a file. */
export function findMistakes(topology: Topology, places: TopologyPlaces): readonly Diagnostic[] {
  return topology.namespaces.flatMap(namespace => [
    ...namespace.devices.flatMap(device => deviceMistakes(namespace, device, places)),
    ...routeMistakes(namespace, places),
    ...missingDefaultRoute(topology, namespace, places),
  ])
}

function deviceMistakes(namespace: Namespace, device: Device, places: TopologyPlaces): readonly Diagnostic[] {
  const span = places.device(namespace.name, device.name)
  if (!span) return []
  // Every device that is up has an address of its link.
  const first = device.addresses.find(({ address }) => typeof address === 'number' || address >> 118n !== 0x3fan)
  if (device.master !== undefined && first !== undefined) {
    return [warning('address-on-port', span, `\`${device.name}\` is a port of bridge \`${device.master}\` and has the address ${writeAddress(first.address)}`, `the kernel hands what arrives there to the bridge: move the address to \`${device.master}\``)]
  }
  const hasPorts = namespace.devices.some(port => port.master === device.name)
  if (device.kind !== 'bridge' || device.addresses.length === 0 || hasPorts) return []
  // An idle bridge is usual where containers come and go; one that has a network with another device stands in its way.
  if (!sharesNetwork(namespace, device)) return []
  return [warning('empty-bridge', span, `bridge \`${device.name}\` has no ports: nobody is reached by it`, 'attach devices with `ports: [...]`, or `master:` at the device')]
}

function sharesNetwork(namespace: Namespace, bridge: Device): boolean {
  const prefixes = bridge.addresses.map(({ address, length }) => prefixOf(address, maskOfLength(familyOf(address), length)))
  return namespace.devices.some(other => other !== bridge && other.kind !== 'loopback' && other.addresses.some(({ address }) => prefixes.some(prefix => prefixIncludes(prefix, address))))
}

/** Kernel: such a route is refused when it is added. */
function routeMistakes(namespace: Namespace, places: TopologyPlaces): readonly Diagnostic[] {
  const wrong = namespace.routes.find(({ gateway, device }) => typeof gateway === 'number' && !isOnLink(namespace, gateway, device))
  const span = places.namespace(namespace.name)
  if (wrong?.gateway === undefined || !span) return []
  return [warning('gateway-off-link', span, `gateway ${writeAddress(wrong.gateway)} is on none of the networks of \`${wrong.device ?? namespace.name}\``, 'the kernel refuses such a route, unless it is added with `onlink`')]
}

/** Whether an address is on a network of the device, or of any where none is named: by an address there, or a route without a gateway. */
function isOnLink({ devices, routes }: Namespace, address: number, device: string | undefined): boolean {
  const isThere = (name: string | undefined): boolean => device === undefined || name === undefined || name === device
  const ofAddresses = devices.some(one => isThere(one.name) && one.addresses.some(own => typeof own.address === 'number' && prefixIncludes(prefixOf(own.address, maskOfLength('ipv4', own.length)), address)))
  return ofAddresses || routes.some(route => route.gateway === undefined && isThere(route.device) && typeof route.prefix.address === 'number' && prefixIncludes(route.prefix, address))
}

/** A host with one link and without a default route reaches its own network only, which matters where the far end forwards. */
function missingDefaultRoute(topology: Topology, namespace: Namespace, places: TopologyPlaces): readonly Diagnostic[] {
  const span = places.namespace(namespace.name)
  const links = makeLinks(topology)
  const outward = namespace.devices.filter(device => device.addresses.some(one => familyOf(one.address) === 'ipv4') && device.kind !== 'loopback')
  const [only] = outward
  if (!span || !links || !only || outward.length > 1 || namespace.routes.some(route => lengthOfMask(route.prefix.mask) === 0 || route.gateway !== undefined)) return []
  const far = links.ends.get(`${namespace.name}/${only.name}`)?.map(end => topology.namespaces.find(one => one.name === end.namespace)) ?? []
  const router = far.find(one => one !== undefined && one.devices.filter(device => device.kind !== 'loopback' && device.addresses.length > 0).length > 1 && one.sysctls['net.ipv4.ip_forward'] !== '0')
  if (!router) return []
  return [warning('no-default-route', span, `\`${namespace.name}\` has no default route: it reaches its own network only, though \`${router.name}\` leads on`, 'add `routes: default via ADDRESS dev DEVICE`')]
}

function warning(code: DiagnosticCode, span: Span, message: string, help: string): Diagnostic {
  return { code, severity: 'warning', span, message, help, related: [] }
}
