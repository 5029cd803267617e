/** `ip link add|del|set` and `bridge link set`. Source: net/core/rtnetlink.c, net/ipv4/fib_frontend.c fib_netdev_event(). */

import { familyOf } from '../net/address.ts'
import { withDevice } from './change-addresses.ts'
import { readMac } from './load-devices.ts'
import type { TextReading } from './route-text.ts'
import { deviceNamed } from './topology.ts'
import type { Device, DeviceEnd, DeviceKind, Namespace, Topology } from './topology.ts'

/** Returns the topology after `set DEVICE ...`, `add NAME type KIND ...` or `del NAME`. */
export function changeLinks(topology: Topology, place: Namespace, words: readonly string[]): TextReading<Topology> {
  const [verb = '', ...rest] = words
  switch (verb) {
    case 'set':
      return setLink(topology, place, rest)
    case 'add':
      return addLink(topology, place, rest)
    case 'del':
    case 'delete':
      return deleteLink(topology, place, rest.filter(word => word !== 'dev')[0] ?? '')
    default:
      return problem(`\`ip link ${verb}\` is not known here`)
  }
}

function setLink(topology: Topology, place: Namespace, words: readonly string[]): TextReading<Topology> {
  const [name = '', ...rest] = words[0] === 'dev' ? words.slice(1) : words
  let current = place
  for (let index = 0; index < rest.length; index++) {
    const device = deviceNamed(current, name)
    if (!device) return problem(`there is no device \`${name}\``)
    const [word = '', value = ''] = rest.slice(index)
    if (word === 'netns') return moveLink(withNamespace(topology, current), current, device, value)
    const changed = setProperty(current, device, word, value)
    if (typeof changed === 'string') return problem(changed)
    current = changed.namespace
    if (changed.hasValue) index += 1
  }
  return { ok: true, value: withNamespace(topology, current) }
}

interface Changed {
  readonly namespace: Namespace
  readonly hasValue: boolean
}

function setProperty(namespace: Namespace, device: Device, word: string, value: string): Changed | string {
  switch (word) {
    case 'up':
      return { namespace: withDevice(namespace, { ...device, up: true }), hasValue: false }
    case 'down':
      return { namespace: takeDown(namespace, device), hasValue: false }
    case 'master':
      if (deviceNamed(namespace, value)?.kind !== 'bridge') return `there is no bridge \`${value}\``
      return { namespace: withDevice(namespace, { ...device, master: value }), hasValue: true }
    case 'nomaster': {
      const { master: _, ...free } = device
      return { namespace: withDevice(namespace, free), hasValue: false }
    }
    case 'hairpin':
      return { namespace: withDevice(namespace, { ...device, hairpin: value === 'on' }), hasValue: true }
    case 'mtu':
      return { namespace: withDevice(namespace, { ...device, mtu: Number(value) }), hasValue: true }
    case 'address': {
      const mac = readMac(value)
      return mac === undefined ? `\`${value}\` is not a MAC address` : { namespace: withDevice(namespace, { ...device, mac }), hasValue: true }
    }
    default:
      return `\`${word}\` is not known in \`ip link set\``
  }
}

/** Kernel: a device that goes down loses its routes, and its IPv6 addresses. */
function takeDown(namespace: Namespace, device: Device): Namespace {
  const routes = namespace.routes.filter(route => route.device !== device.name)
  return withDevice({ ...namespace, routes }, { ...device, up: false, addresses: device.addresses.filter(one => familyOf(one.address) === 'ipv4') })
}

/** A device that moves to another namespace arrives there down, without addresses. */
function moveLink(topology: Topology, from: Namespace, device: Device, target: string): TextReading<Topology> {
  const to = topology.namespaces.find(one => one.name === target)
  if (!to) return problem(`there is no namespace \`${target}\``)
  if (deviceNamed(to, device.name)) return problem(`namespace \`${target}\` has a device \`${device.name}\` already`)
  const { master: _, ...moved } = { ...device, addresses: [], up: false }
  const left = { ...from, devices: from.devices.filter(one => one !== device), routes: from.routes.filter(route => route.device !== device.name) }
  const joined = withNamespace(withNamespace(topology, left), { ...to, devices: [...to.devices, moved] })
  const peer = device.peer
  return { ok: true, value: peer ? withPeer(joined, peer, { namespace: target, device: device.name }) : joined }
}

const KINDS: readonly DeviceKind[] = ['bridge', 'dummy', 'veth', 'vlan']

function addLink(topology: Topology, place: Namespace, words: readonly string[]): TextReading<Topology> {
  const option = (name: string): string | undefined => words[words.indexOf(name) + 1 || words.length]
  const name = option('name') !== undefined && words[0] !== undefined && ['name', 'link'].includes(words[0]) ? option('name') : words[0]
  const kind = KINDS.find(one => one === option('type'))
  if (name === undefined || !kind) return problem('write `ip link add NAME type bridge|dummy|veth|vlan ...`')
  if (deviceNamed(place, name)) return problem(`there is a device \`${name}\` already`)
  const fresh: Device = { name, kind, addresses: [], mtu: 1500, up: false, hairpin: false }
  if (kind === 'vlan') {
    const parent = option('link')
    if (parent === undefined || !deviceNamed(place, parent)) return problem('a vlan device is added with `link DEVICE`')
    return { ok: true, value: withNamespace(topology, { ...place, devices: [...place.devices, { ...fresh, vlan: { parent, id: Number(option('id') ?? 1) } }] }) }
  }
  if (kind !== 'veth') return { ok: true, value: withNamespace(topology, { ...place, devices: [...place.devices, fresh] }) }
  const after = words.slice(words.indexOf('peer') + 1)
  const peerName = after[after.indexOf('name') + 1 || after.length]
  const target = after[after.indexOf('netns') + 1 || after.length] ?? place.name
  if (peerName === undefined) return problem('write `ip link add NAME type veth peer name PEER [netns NAMESPACE]`')
  const own = withNamespace(topology, { ...place, devices: [...place.devices, { ...fresh, peer: { namespace: target, device: peerName } }] })
  const other = own.namespaces.find(one => one.name === target)
  if (!other) return problem(`there is no namespace \`${target}\``)
  return { ok: true, value: withNamespace(own, { ...other, devices: [...other.devices, { ...fresh, name: peerName, peer: { namespace: place.name, device: name } }] }) }
}

/** Both ends of a pair go together; what stood on a bridge stands alone. */
function deleteLink(topology: Topology, place: Namespace, name: string): TextReading<Topology> {
  const device = deviceNamed(place, name)
  if (!device) return problem(`there is no device \`${name}\``)
  const gone: readonly DeviceEnd[] = [{ namespace: place.name, device: name }, ...(device.peer ? [device.peer] : [])]
  const namespaces = topology.namespaces.map(namespace => {
    const names = gone.filter(end => end.namespace === namespace.name).map(end => end.device)
    const devices = namespace.devices.filter(one => !names.includes(one.name)).map(one => {
      const { master, ...free } = one
      return master !== undefined && names.includes(master) ? free : one
    })
    return { ...namespace, devices, routes: namespace.routes.filter(route => route.device === undefined || !names.includes(route.device)) }
  })
  return { ok: true, value: { ...topology, namespaces } }
}

function withPeer(topology: Topology, end: DeviceEnd, peer: DeviceEnd): Topology {
  const namespace = topology.namespaces.find(one => one.name === end.namespace)
  const device = namespace && deviceNamed(namespace, end.device)
  return namespace && device ? withNamespace(topology, withDevice(namespace, { ...device, peer })) : topology
}

function withNamespace(topology: Topology, namespace: Namespace): Topology {
  return { ...topology, namespaces: topology.namespaces.map(one => (one.name === namespace.name ? namespace : one)) }
}

function problem(text: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem: text }
}
