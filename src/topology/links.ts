/** What a topology's devices are joined to: the far ends of veth pairs and wires. */

import type { Device, DeviceEnd, Namespace, Topology } from './topology.ts'

/** The links of a topology, prepared for look-ups. */
export interface Links {
  /** By `NAMESPACE/DEVICE`: where a frame that it sends comes out. A device that is not here leads out of the described world. */
  readonly ends: ReadonlyMap<string, readonly DeviceEnd[]>
}

/** Returns the links of a topology; undefined where nothing in it is joined, so that every device leads out of it. */
export function makeLinks(topology: Topology): Links | undefined {
  const ends = new Map<string, readonly DeviceEnd[]>()
  for (const { name, devices } of topology.namespaces) {
    for (const device of devices) if (device.peer) ends.set(`${name}/${device.name}`, [device.peer])
  }
  for (const wire of topology.wires ?? []) {
    for (const end of wire.ends) ends.set(`${end.namespace}/${end.device}`, wire.ends.filter(other => other !== end))
  }
  return ends.size === 0 && topology.namespaces.length === 1 ? undefined : { ends }
}

/** Returns where a frame of a device comes out; undefined where that is outside the described world. */
export function farEnds(links: Links, end: DeviceEnd): readonly DeviceEnd[] | undefined {
  return links.ends.get(`${end.namespace}/${end.device}`)
}

/** Returns the namespaces with a MAC address for every device that has none: the same ones for the same topology. */
export function withMacs(namespaces: readonly Namespace[]): readonly Namespace[] {
  return namespaces.map((namespace, at) => ({ ...namespace, devices: namespace.devices.map((device, index) => withMac(namespace, device, at, index)) }))
}

/** A vlan device has the address of its parent. */
function withMac(namespace: Namespace, device: Device, at: number, index: number): Device {
  if (device.mac !== undefined) return device
  const parentIndex = device.vlan ? namespace.devices.findIndex(one => one.name === device.vlan?.parent) : -1
  const parent = namespace.devices[parentIndex]
  if (parent && !parent.vlan) return { ...device, mac: parent.mac ?? madeUpMac(at, parentIndex) }
  return { ...device, mac: madeUpMac(at, index) }
}

/** Locally administered. */
function madeUpMac(at: number, index: number): string {
  return `0255${at.toString(16).padStart(4, '0')}${index.toString(16).padStart(4, '0')}`
}
