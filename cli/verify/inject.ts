/** Makes the kernel meet a packet: as a frame on a wire, or from a socket of the host itself. */

import type { SentProbe } from '../../src/analyze/probe-flow.ts'
import { addressWidth, familyOf, writeAddress } from '../../src/net/address.ts'
import type { Address } from '../../src/net/address.ts'
import { readFrame, writeFrame } from '../../src/packet/frame-bytes.ts'
import { TCP_FLAG } from '../../src/packet/packet.ts'
import type { Packet } from '../../src/packet/packet.ts'
import type { Probe } from '../../src/packet/probe.ts'
import { isOwnAddress, lookupRoute, makeFib } from '../../src/topology/fib.ts'
import { deviceNamed } from '../../src/topology/topology.ts'
import type { Namespace } from '../../src/topology/topology.ts'
import { nameOf, setNeighbour } from './lab.ts'
import type { Lab } from './lab.ts'
import type { Session } from './session.ts'
import { sendFromSocket } from './senders.ts'
import type { Sender } from './senders.ts'
import type { WireFrame } from './wires.ts'

/** Sends a packet; a socket that it came from is still open. `before` are the frames of the packet before, which an answer acknowledges. */
export async function inject({ lab, wires }: Session, probe: Probe, before: readonly WireFrame[]): Promise<readonly Sender[]> {
  const { inDevice, packet } = probe
  const namespace = lab.topology.namespaces.find(one => one.name === probe.namespace)
  if (!namespace) return []
  if (inDevice === undefined) return [await sendFromSocket(nameOf(lab, namespace.name), packet)]
  const wire = lab.wires.get(`${namespace.name}/${inDevice}`)
  if (wire === undefined) return []
  wires.send(wire, writeFrame({ macDestination: probe.macDestination ?? addresseeOf(namespace, inDevice, packet), macSource: packet.macSource ?? STRANGER_MAC, packet: acknowledging(packet, before) }))
  return []
}

/** Whoever is on the far side of a bridge or behind it is known, as on a network where they talked before. */
export function prepareNeighbours({ lab, neighbours }: Session, sent: SentProbe): void {
  const { probe } = sent
  const at = lab.topology.namespaces.find(one => one.name === probe.namespace)
  const arrival = at && probe.inDevice !== undefined ? deviceNamed(at, probe.inDevice)?.master : undefined
  if (at && arrival !== undefined) learn(lab, neighbours, at, arrival, probe.packet.src)
  for (const { namespace: name, trace: { outcome } } of sent.legs) {
    const namespace = lab.topology.namespaces.find(one => one.name === name)
    if (!namespace || !('ports' in outcome) || deviceNamed(namespace, outcome.device)?.kind !== 'bridge') continue
    learn(lab, neighbours, namespace, outcome.device, outcome.gateway ?? outcome.packet.dst)
  }
}

const STRANGER_MAC = '02aa000000fe'

/** Real namespaces answer for themselves, and described neighbours are known. */
function learn(lab: Lab, known: Set<string>, namespace: Namespace, bridge: string, address: Address): void {
  const key = `${namespace.name} ${bridge} ${address}`
  const isReal = lab.topology.namespaces.some(other => isOwnAddress(other, address)) || namespace.neighbours.some(one => one.device === bridge && one.address === address)
  if (known.has(key) || isReal) return
  known.add(key)
  const isOnLink = namespace.devices.some(device => device.name === bridge && device.addresses.some(own => familyOf(own.address) === familyOf(address) && own.length < addressWidth(familyOf(address))))
  if (isOnLink) setNeighbour(lab, namespace.name, { device: bridge, address: writeAddress(address), mac: macOf(address) })
}

/** The device itself; on a bridge the bridge, or for a neighbour on the same bridge the neighbour. */
function addresseeOf(namespace: Namespace, name: string, { dst }: Packet): string {
  const device = deviceNamed(namespace, name)
  const bridge = device?.master === undefined ? undefined : deviceNamed(namespace, device.master)
  if (!bridge) return device?.mac ?? STRANGER_MAC
  const neighbour = namespace.neighbours.find(one => one.device === bridge.name && one.address === dst)
  if (neighbour) return neighbour.mac
  const route = lookupRoute(makeFib(namespace), { destination: dst, mark: 0, tos: 0 })
  const isNeighbour = route.kind === 'unicast' && route.device === bridge.name && route.gateway === undefined && !isOwnAddress(namespace, dst)
  return isNeighbour ? macOf(dst) : (bridge.mac ?? STRANGER_MAC)
}

function macOf(address: Address): string {
  return `02bb${(BigInt(address) & 0xffffffffn).toString(16).padStart(8, '0')}`
}

/** A socket of the kernel chose its own sequence number: an answer must acknowledge it. */
function acknowledging(packet: Packet, before: readonly WireFrame[]): Packet {
  const { tcp } = packet
  if (!tcp || !(tcp.flags & TCP_FLAG.ACK)) return packet
  for (const frame of before) {
    const seen = readFrame(frame.bytes)?.packet
    if (seen?.tcp && seen.sport === packet.dport && seen.dport === packet.sport && seen.tcp.flags & TCP_FLAG.SYN) return { ...packet, tcp: { ...tcp, ack: (seen.tcp.seq + 1) >>> 0 } }
  }
  return packet
}
