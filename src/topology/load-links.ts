/** Links between the namespaces of a topology file: veth pairs and wires, and what is wrong with them. */

import type { Span } from '../diagnostics/source-file.ts'
import { didYouMean } from '../extensions/did-you-mean.ts'
import { readDeviceEnd } from './load-devices.ts'
import type { Device, DeviceEnd, Namespace, Wire } from './topology.ts'
import { complain, itemsOf, textOf } from '../yaml/yaml-reader.ts'
import type { YamlReader, YamlValue } from '../yaml/yaml-reader.ts'

/** Where the peers are written, by namespace and device. */
export type PeerSpans = ReadonlyMap<string, ReadonlyMap<string, Span>>

/** Returns the namespaces with every pair known at both its ends; an end that one side alone names is completed. */
export function joinPeers(reader: YamlReader, namespaces: readonly Namespace[], spans: PeerSpans): readonly Namespace[] {
  const peers = new Map<string, DeviceEnd>()
  for (const { name, devices } of namespaces) {
    for (const device of devices) {
      if (!device.peer) continue
      const span = spans.get(name)?.get(device.name)
      const other = findDevice(namespaces, device.peer)
      if (!other) complainOfMissing(reader, span, namespaces, device, device.peer)
      else if (other.peer && !isSameEnd(other.peer, { namespace: name, device: device.name }) && span) {
        complain(reader, 'dangling-peer', span, `\`${device.peer.namespace}/${device.peer.device}\` is the other end of \`${other.peer.namespace}/${other.peer.device}\` already`, 'a pair has two ends')
      } else peers.set(endKey(device.peer), { namespace: name, device: device.name })
    }
  }
  return namespaces.map(namespace => ({ ...namespace, devices: namespace.devices.map(device => withPeer(device, peers.get(endKey({ namespace: namespace.name, device: device.name })))) }))
}

/** Reads `wires`: lists of `NAMESPACE/DEVICE`, two or more of them. */
export function readWires(value: YamlValue, namespaces: readonly Namespace[]): readonly Wire[] {
  const seen = new Set<string>()
  return itemsOf(value).flatMap(item => {
    const ends = itemsOf(item).flatMap(end => readWireEnd(end, namespaces, seen))
    if (ends.length >= 2) return [{ ends }]
    if (itemsOf(item).length < 2) complain(item.reader, 'bad-value', item.span, 'a wire has at least two ends', 'write each wire as a list: `- [host1/eth0, host2/eth0]`')
    return []
  })
}

function readWireEnd(value: YamlValue, namespaces: readonly Namespace[], seen: Set<string>): readonly DeviceEnd[] {
  const text = textOf(value, 'the end of a wire')
  if (text === undefined) return []
  const end = readDeviceEnd(text, '')
  const device = findDevice(namespaces, end)
  if (!device) complainOfMissing(value.reader, value.span, namespaces, undefined, end)
  else if (device.kind !== 'physical' || device.peer) complain(value.reader, 'bad-value', value.span, `a wire joins physical devices, and \`${text}\` is ${device.peer ? 'one end of a pair' : `a ${device.kind} device`}`)
  else if (seen.has(endKey(end))) complain(value.reader, 'duplicate-key', value.span, `\`${text}\` is on a wire already`)
  else {
    seen.add(endKey(end))
    return [end]
  }
  return []
}

function complainOfMissing(reader: YamlReader, span: Span | undefined, namespaces: readonly Namespace[], device: Device | undefined, end: DeviceEnd): void {
  if (!span) return
  const namespace = namespaces.find(one => one.name === end.namespace)
  const speaker = device ? `the other end of \`${device.name}\`` : 'this end of the wire'
  if (!namespace) complain(reader, 'dangling-peer', span, `${speaker} is in namespace \`${end.namespace}\`, which is not there`, didYouMean(end.namespace, namespaces.map(one => one.name)))
  else complain(reader, 'dangling-peer', span, `${speaker} is \`${end.device}\` in namespace \`${end.namespace}\`, which has no such device`, didYouMean(end.device, namespace.devices.map(one => one.name)))
}

function withPeer(device: Device, peer: DeviceEnd | undefined): Device {
  if (!peer || device.peer) return device
  return { ...device, kind: device.kind === 'physical' ? 'veth' : device.kind, peer }
}

function findDevice(namespaces: readonly Namespace[], end: DeviceEnd): Device | undefined {
  return namespaces.find(one => one.name === end.namespace)?.devices.find(device => device.name === end.device)
}

function isSameEnd(one: DeviceEnd, other: DeviceEnd): boolean {
  return one.namespace === other.namespace && one.device === other.device
}

function endKey(end: DeviceEnd): string {
  return `${end.namespace}/${end.device}`
}
