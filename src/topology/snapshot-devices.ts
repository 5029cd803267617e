/** The devices of a machine -> the `devices` of a topology file. */

import { hasWord, numberIn, objectIn, objectsIn, textIn } from './snapshot-record.ts'
import type { JsonObject, NamespaceRecord } from './snapshot-record.ts'
import { yamlFlow } from './snapshot-yaml.ts'
import type { FlowValue } from './snapshot-yaml.ts'

/** A device as a line of YAML. */
export type DeviceLine = readonly [string, string]

/** The end of a veth pair. */
export interface VethEnd {
  readonly namespace: string
  readonly device: string
}

/** Kinds that a topology file knows; all others are taken as physical ones. */
const KINDS: readonly string[] = ['veth', 'bridge', 'vlan', 'dummy']

/** Returns the devices, and sentences about what of them a topology file cannot say. */
export function snapshotDevices(record: NamespaceRecord, peers: ReadonlyMap<JsonObject, VethEnd>): { readonly lines: readonly DeviceLine[]; readonly leftOut: readonly string[] } {
  const lines = record.devices.map((device): DeviceLine => [textIn(device, 'ifname') ?? '', yamlFlow(propertiesOf(record, device, peers))])
  return { lines, leftOut: record.devices.flatMap(device => remarks(record, device, peers)) }
}

/** Returns the veth pairs of a machine, each end by the device that `ip` told of. An end whose other end is in no namespace that was read is absent. */
export function pairVeths(namespaces: readonly NamespaceRecord[]): ReadonlyMap<JsonObject, VethEnd> {
  const all = namespaces.flatMap(record => record.devices.filter(device => kindOf(device) === 'veth').map(device => ({ record, device })))
  return new Map(all.flatMap(one => {
    const other = all.find(candidate => candidate !== one && isPeer(one, candidate))
    return other ? [[one.device, { namespace: other.record.name, device: textIn(other.device, 'ifname') ?? '' }] as const] : []
  }))
}

interface Veth {
  readonly record: NamespaceRecord
  readonly device: JsonObject
}

/** Indexes of devices name each other; those of several namespaces may be alike, so the numbers that namespaces have for each other must fit where they are known. */
function isPeer(one: Veth, other: Veth): boolean {
  const namesOther = numberIn(one.device, 'link_index') === numberIn(other.device, 'ifindex') || (one.record === other.record && textIn(one.device, 'link') === textIn(other.device, 'ifname'))
  const isNamed = numberIn(other.device, 'link_index') === numberIn(one.device, 'ifindex') || (one.record === other.record && textIn(other.device, 'link') === textIn(one.device, 'ifname'))
  return namesOther && isNamed && mayBeIn(one, other) && mayBeIn(other, one)
}

/** Source: ip-netns(8) `list-id`; a pair within one namespace has no number. */
function mayBeIn({ record, device }: Veth, other: Veth): boolean {
  const id = numberIn(device, 'link_netnsid')
  if (id === undefined) return record === other.record
  if (record === other.record) return false
  const known = record.namespaceIds.find(one => numberIn(one, 'nsid') === id)
  const name = textIn(known, 'name')
  if (name !== undefined) return name === other.record.name
  return !record.namespaceIds.some(one => textIn(one, 'name') === other.record.name)
}

function propertiesOf(record: NamespaceRecord, device: JsonObject, peers: ReadonlyMap<JsonObject, VethEnd>): readonly (readonly [string, FlowValue])[] {
  const kind = kindOf(device)
  const isLoopback = hasWord(device, 'flags', 'LOOPBACK')
  const info = objectIn(device, 'linkinfo')
  const peer = peers.get(device)
  const [mtu, group, mac, master] = [numberIn(device, 'mtu'), numberIn(device, 'group') ?? 0, textIn(device, 'address'), bridgeOf(record, device)]
  const addresses = addressesOf(record, device)
  const entries: (readonly [string, FlowValue] | undefined)[] = [
    KINDS.includes(kind) && kind !== 'vlan' && !peer ? ['kind', kind] : undefined,
    addresses.length > 0 ? ['addresses', addresses] : undefined,
    kind === 'vlan' ? ['parent', textIn(device, 'link') ?? ''] : undefined,
    kind === 'vlan' ? ['vlan', numberIn(objectIn(info, 'info_data'), 'id') ?? 0] : undefined,
    master === undefined ? undefined : ['master', master],
    peer ? ['peer', peer.namespace === record.name ? peer.device : `${peer.namespace}/${peer.device}`] : undefined,
    objectIn(info, 'info_slave_data')?.['hairpin'] === true ? ['hairpin', true] : undefined,
    mtu !== undefined && mtu !== (isLoopback ? 65536 : 1500) ? ['mtu', mtu] : undefined,
    !isLoopback && mac !== undefined && /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(mac) ? ['mac', mac] : undefined,
    group === 0 ? undefined : ['group', group],
    hasWord(device, 'flags', 'UP') ? undefined : ['up', false],
  ]
  return entries.filter(entry => entry !== undefined)
}

/** The kind that `ip -d link` tells; a device without one has a driver of its own. */
function kindOf(device: JsonObject): string {
  return textIn(objectIn(device, 'linkinfo'), 'info_kind') ?? 'physical'
}

/**
 * `lo` has its usual addresses without being told. A bridge has the link address of one of its ports, a vlan device that of its parent, and so
 * the same link-local address: it stands with the device that speaks IP.
 */
function addressesOf(record: NamespaceRecord, device: JsonObject): readonly string[] {
  const isLoopback = hasWord(device, 'flags', 'LOOPBACK')
  const others = record.devices.filter(other => other !== device && (textIn(device, 'master') === textIn(other, 'ifname') || textIn(device, 'link') === textIn(other, 'ifname'))).flatMap(writtenAddresses)
  return [...new Set(writtenAddresses(device))].filter(one => (isLoopback ? one !== '127.0.0.1/8' && one !== '::1/128' : !(one.startsWith('fe80:') && others.includes(one))))
}

function writtenAddresses(device: JsonObject): readonly string[] {
  return objectsIn(device, 'addr_info').flatMap(one => {
    const [local, length] = [textIn(one, 'local'), numberIn(one, 'prefixlen')]
    return local === undefined || length === undefined ? [] : [`${local}/${length}`]
  })
}

/** Only bridges have ports here; the master of a bond's part or of a VRF is no bridge. */
function bridgeOf(record: NamespaceRecord, device: JsonObject): string | undefined {
  const master = textIn(device, 'master')
  return record.devices.some(one => textIn(one, 'ifname') === master && kindOf(one) === 'bridge') ? master : undefined
}

function remarks(record: NamespaceRecord, device: JsonObject, peers: ReadonlyMap<JsonObject, VethEnd>): readonly string[] {
  const name = textIn(device, 'ifname') ?? ''
  const kind = kindOf(device)
  const master = textIn(device, 'master')
  const data = objectIn(objectIn(device, 'linkinfo'), 'info_data')
  return [
    kind === 'physical' || KINDS.includes(kind) ? '' : `${name} is of kind \`${kind}\`: it is taken as a physical one, and what it does to packets is left out`,
    kind === 'veth' && !peers.has(device) ? `${name}: the other end of this veth pair is in no namespace that was read (a container has one without a name), so it counts as a wire that leads out` : '',
    master !== undefined && bridgeOf(record, device) === undefined ? `${name} belongs to ${master}, which is no bridge: that is left out` : '',
    kind === 'bridge' && numberIn(data, 'vlan_filtering') === 1 ? `${name} filters by vlan: that is left out` : '',
    kind === 'bridge' && numberIn(data, 'nf_call_iptables') === 1 ? `${name} calls iptables by its own option \`nf_call_iptables\`: only the sysctl net.bridge.bridge-nf-call-iptables is looked at` : '',
  ].filter(words => words !== '')
}
