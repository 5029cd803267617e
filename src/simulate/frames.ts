/**
 * Frames between devices: what a device sends, where that arrives, and what bridges know of it. No packet is looked at here.
 * Source: net/bridge/br_fdb.c, br_forward.c; drivers/net/veth.c; net/8021q/vlan_core.c.
 */

import { farEnds } from '../topology/links.ts'
import type { Device, DeviceEnd } from '../topology/topology.ts'
import type { Host, World } from './world.ts'

/** MAC addresses as 12 hex digits, and the vlan tags that are on the frame, the outermost last. */
export interface Frame {
  readonly macSource: string
  readonly macDestination: string
  readonly tags: readonly number[]
}

/** A frame at a device that takes it: of the stack of `device`, or of the bridge that `device` is a port of. */
export interface Arrival {
  readonly host: Host
  readonly device: Device
  readonly frame: Frame
}

/** Where a frame went: to devices of the world, and (`leaves`: by these) out of it. `lost` names devices that are down or lead nowhere. */
export interface Transmission {
  readonly arrivals: readonly Arrival[]
  readonly leaves: readonly DeviceEnd[]
  readonly lost: readonly DeviceEnd[]
}

/** The address of all. */
export const BROADCAST_MAC = 'ffffffffffff'

/** Tells whether a frame is for more than one. */
export function isGroupMac(mac: string): boolean {
  return (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1
}

/** Sends a frame by a device: through its parent, the ports of its bridge, to the far ends of its link. */
export function transmit(world: World, host: Host, name: string, frame: Frame): Transmission {
  const end = { namespace: host.namespace.name, device: name }
  const device = host.devices.get(name)
  if (!device?.up) return { ...NOWHERE, lost: [end] }
  if (device.vlan) return transmit(world, host, device.vlan.parent, { ...frame, tags: [...frame.tags, device.vlan.id] })
  if (device.kind === 'bridge') return joined(portsFor(host, device, frame.macDestination).map(port => transmit(world, host, port, frame)))
  if (device.kind === 'dummy' || device.kind === 'loopback') return { ...NOWHERE, lost: [end] }
  const far = world.links && farEnds(world.links, end)
  return far ? joined(far.map(one => arriveAt(world, one, frame))) : { ...NOWHERE, leaves: [end] }
}

/** Returns the ports by which a bridge sends a frame of its own host: the one that has the address, else all. */
export function portsFor(host: Host, bridge: Device, mac: string): readonly string[] {
  const known = knownPort(host, bridge.name, mac)
  return known === undefined ? host.namespace.devices.filter(port => port.master === bridge.name && port.up).map(port => port.name) : [known]
}

/** Returns the port behind which a bridge knows an address: from a described neighbour, or learned. */
export function knownPort(host: Host, bridge: string, mac: string): string | undefined {
  const told = host.namespace.neighbours.find(neighbour => neighbour.device === bridge && neighbour.mac === mac)?.port
  return told ?? host.learned.get(`${bridge} ${mac}`)
}

/** Notes behind which port a bridge saw an address. Source: br_fdb_update(). */
export function learnPort(host: Host, bridge: string, mac: string, port: string): void {
  if (!isGroupMac(mac)) host.learned.set(`${bridge} ${mac}`, port)
}

/** Tells whether a frame on a port of a bridge is addressed to its own host: the address of the bridge or of one of its ports. */
export function isOwnMac(host: Host, bridge: Device, mac: string): boolean {
  return mac === bridge.mac || host.namespace.devices.some(port => port.master === bridge.name && port.mac === mac)
}

/** A tag is taken off by the vlan device for it; a bridge carries it on, others drop what they have no device for. */
function arriveAt(world: World, end: DeviceEnd, frame: Frame): Transmission {
  const host = world.hosts.get(end.namespace)
  const device = host?.devices.get(end.device)
  if (!host || !device?.up) return { ...NOWHERE, lost: [end] }
  const taken = untagged({ host, device, frame })
  return taken ? { ...NOWHERE, arrivals: [taken] } : { ...NOWHERE, lost: [end] }
}

/** Returns who takes a frame that came in by a device: its vlan device for the tag; undefined where there is none. */
export function untagged(arrival: Arrival): Arrival | undefined {
  const { host, device, frame } = arrival
  const tag = frame.tags.at(-1)
  if (tag === undefined) return arrival
  const tagged = host.namespace.devices.find(one => one.up && one.vlan?.parent === device.name && one.vlan.id === tag)
  if (tagged) return untagged({ host, device: tagged, frame: { ...frame, tags: frame.tags.slice(0, -1) } })
  return device.master === undefined ? undefined : arrival
}

const NOWHERE: Transmission = { arrivals: [], leaves: [], lost: [] }

function joined(parts: readonly Transmission[]): Transmission {
  return { arrivals: parts.flatMap(part => part.arrivals), leaves: parts.flatMap(part => part.leaves), lost: parts.flatMap(part => part.lost) }
}
