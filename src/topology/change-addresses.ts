/** `ip address add|del`. Source: net/ipv4/devinet.c __inet_del_ifa(), net/ipv4/fib_frontend.c fib_inetaddr_event(). */

import { addressWidth, familyOf, maskOfLength, prefixIncludes, prefixOf, readAddress } from '../net/address.ts'
import type { TextReading } from './route-text.ts'
import { deviceNamed } from './topology.ts'
import type { Device, DeviceAddress, Namespace, Route } from './topology.ts'

/** Returns the namespace after `add ADDRESS/LENGTH dev DEVICE` or `del ...`. */
export function changeAddresses(namespace: Namespace, words: readonly string[]): TextReading<Namespace> {
  const [verb = '', ...rest] = words
  const name = rest[rest.indexOf('dev') + 1 || rest.length] ?? ''
  const device = deviceNamed(namespace, name)
  if (!device) return problem(`there is no device \`${name}\``)
  if (verb === 'flush') return { ok: true, value: withoutAddresses(namespace, device, device.addresses) }
  const address = readDeviceAddress(rest.find(word => /^[\d a-f.:]+(\/\d+)?$/i.test(word) && word !== name) ?? '')
  if (!address) return problem(`\`${rest.join(' ')}\` has no address`)
  const known = device.addresses.find(one => one.address === address.address && one.length === address.length)
  if (verb === 'add') return known ? problem('the device has the address already') : { ok: true, value: withDevice(namespace, { ...device, addresses: [...device.addresses, { ...address, added: 1 + Math.max(0, ...namespace.devices.flatMap(one => one.addresses.map(other => other.added ?? 0))) }] }) }
  if (verb === 'del' || verb === 'delete') return known ? { ok: true, value: withoutAddresses(namespace, device, [known]) } : problem('the device does not have the address')
  return problem(`\`ip address ${verb}\` is not known here`)
}

/** Returns the namespace with a device changed. */
export function withDevice(namespace: Namespace, device: Device): Namespace {
  return { ...namespace, devices: namespace.devices.map(one => (one.name === device.name ? device : one)) }
}

/** Kernel: with a device's last IPv4 address all its IPv4 routes go; with any address those that have it as source. */
function withoutAddresses(namespace: Namespace, device: Device, gone: readonly DeviceAddress[]): Namespace {
  const [primary] = gone
  const isDependent = (one: DeviceAddress): boolean => primary !== undefined && gone.length === 1 && isSecondaryOf(one, primary, device)
  const left = device.addresses.filter(one => !gone.includes(one) && !isDependent(one))
  const isLastOf = (family: 'ipv4' | 'ipv6'): boolean => !left.some(one => familyOf(one.address) === family)
  const stays = (route: Route): boolean =>
    !(route.device === device.name && familyOf(route.prefix.address) === 'ipv4' && isLastOf('ipv4')) && !gone.some(one => one.address === route.source)
  return withDevice({ ...namespace, routes: namespace.routes.filter(stays) }, { ...device, addresses: left })
}

/** Kernel: without promote_secondaries the later addresses of a network go with its first one. */
function isSecondaryOf(one: DeviceAddress, primary: DeviceAddress, device: Device): boolean {
  if (typeof primary.address === 'bigint' || one.length !== primary.length) return false
  const prefix = prefixOf(primary.address, maskOfLength('ipv4', primary.length))
  return prefixIncludes(prefix, one.address) && device.addresses.indexOf(one) > device.addresses.indexOf(primary)
}

function readDeviceAddress(text: string): DeviceAddress | undefined {
  const [host = '', length] = text.split('/')
  const address = readAddress(host)
  return address === undefined ? undefined : { address, length: length === undefined ? addressWidth(familyOf(address)) : Number(length) }
}

function problem(text: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem: text }
}
