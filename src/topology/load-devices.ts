/** The devices of a namespace in a topology file. */

import type { Span } from '../diagnostics/source-file.ts'
import { didYouMean } from '../extensions/did-you-mean.ts'
import { addressWidth, familyOf, readAddress, writeAddress } from '../net/address.ts'
import type { Address } from '../net/address.ts'
import { DEVICE_NAME_LIMIT } from '../net/device-name.ts'
import { LOOPBACK } from './loopback.ts'
import type { Device, DeviceAddress, DeviceEnd, DeviceKind } from './topology.ts'
import { complain, entriesOf, flagOf, isEmpty, isList, isMapping, itemsOf, numberOf, textOf } from '../yaml/yaml-reader.ts'
import type { YamlEntry, YamlReader, YamlValue } from '../yaml/yaml-reader.ts'

const KINDS: readonly DeviceKind[] = ['physical', 'veth', 'bridge', 'dummy', 'loopback', 'vlan']
const KEYS: readonly string[] = ['kind', 'addresses', 'master', 'ports', 'peer', 'parent', 'vlan', 'mtu', 'mac', 'group', 'up', 'hairpin']

/** Reads the devices of a namespace by name; `lo` is added where it is not given. */
export function readDevices(reader: YamlReader, namespace: string, entries: readonly YamlEntry[]): DeviceReading {
  const drafts = entries.map(entry => readDevice(reader, namespace, entry))
  const ports = new Map(drafts.flatMap(({ device, ports: names }) => names.map(name => [name, device.name] as const)))
  const given = drafts.map(({ device }) => {
    const master = device.master ?? ports.get(device.name)
    return master === undefined ? device : { ...device, master }
  })
  complainOfStrangers(reader, entries, drafts)
  complainOfSharedAddresses(reader, drafts)
  return {
    devices: given.some(device => device.name === LOOPBACK.name) ? given : [LOOPBACK, ...given],
    peerSpans: new Map(drafts.flatMap(({ device, peerSpan }) => (peerSpan ? [[device.name, peerSpan] as const] : []))),
    nameSpans: new Map(entries.map(({ key, keySpan }) => [key, keySpan])),
  }
}

/** Reads a MAC address in any of its usual forms as 12 hex digits. */
export function readMac(text: string): string | undefined {
  const digits = text.toLowerCase().replaceAll(/[:.-]/g, '')
  return /^[0-9a-f]{12}$/.test(digits) ? digits : undefined
}

interface DeviceDraft {
  readonly device: Device
  readonly ports: readonly string[]
  readonly peerSpan: Span | undefined
  readonly places: readonly { readonly address: Address; readonly span: Span }[]
}

/** What is read of a device in other files. */
export interface DeviceReading {
  readonly devices: readonly Device[]
  /** Where the peers of devices are written, by the device's name. */
  readonly peerSpans: ReadonlyMap<string, Span>
  readonly nameSpans: ReadonlyMap<string, Span>
}

function readDevice(reader: YamlReader, namespace: string, { key, keySpan, value }: YamlEntry): DeviceDraft {
  if (key.length > DEVICE_NAME_LIMIT) complain(reader, 'bad-value', keySpan, `device name \`${key}\` is longer than ${DEVICE_NAME_LIMIT} characters`)
  const isShort = isEmpty(value) || isList(value) || !isMapping(value)
  const entries = isShort ? [] : entriesOf(value, `device \`${key}\``)
  for (const entry of entries) {
    if (!KEYS.includes(entry.key)) complain(reader, 'unknown-key', entry.keySpan, `\`${entry.key}\` is not known in a device`, didYouMean(entry.key, KEYS))
  }
  const find = (name: string): YamlValue | undefined => entries.find(entry => entry.key === name)?.value
  const ports = find('ports')
  const portNames = ports ? itemsOf(ports).flatMap(item => textOf(item, 'a port') ?? []) : []
  const addressValue = isShort ? value : find('addresses')
  const places = addressValue ? itemsOf(addressValue).flatMap(item => readDeviceAddress(item)) : []
  const loopback = key === LOOPBACK.name ? LOOPBACK.addresses : []
  const device = {
    ...readProperties(key, namespace, find, portNames.length > 0),
    ...readVlan(key, keySpan, find),
    addresses: [...loopback, ...places.map(place => place.value).filter(one => !loopback.some(own => own.address === one.address))],
  }
  return { device, ports: portNames, peerSpan: find('peer')?.span, places: places.map(place => ({ address: place.value.address, span: place.span })) }
}

/** `eth0.10` is vlan 10 on `eth0` where nothing else is told, as `ip` names them. */
function readVlan(name: string, span: Span, find: (key: string) => YamlValue | undefined): Pick<Device, 'vlan'> | undefined {
  const [parent, vlan, kind] = [find('parent'), find('vlan'), find('kind')]
  if (!parent && !vlan && !(kind && textOf(kind, 'the kind of a device') === 'vlan')) return undefined
  const [, usualParent, usualId] = /^(.+)\.(\d{1,4})$/.exec(name) ?? []
  const parentName = parent ? textOf(parent, 'the parent of a vlan device') : usualParent
  const id = vlan ? numberOf(vlan, 'the vlan', 1, 4094) : usualId === undefined ? undefined : Number(usualId)
  if (parentName !== undefined && id !== undefined) return { vlan: { parent: parentName, id } }
  const reader = (parent ?? vlan ?? kind)?.reader
  if (reader) complain(reader, 'bad-value', span, `vlan device \`${name}\` does not tell its ${parentName === undefined ? 'parent' : 'vlan'}`, 'write `{ parent: eth0, vlan: 10 }`')
  return undefined
}

function readProperties(name: string, namespace: string, find: (key: string) => YamlValue | undefined, hasPorts: boolean): Omit<Device, 'addresses'> {
  const [master, mtu, mac, up, hairpin, peer] = [find('master'), find('mtu'), find('mac'), find('up'), find('hairpin'), find('peer')]
  const groupValue = find('group')
  const group = groupValue && numberOf(groupValue, 'the group of a device', 0, 0xffffffff)
  const masterName = master && textOf(master, 'the master of a device')
  const macText = mac && textOf(mac, 'a MAC address')
  const macDigits = macText === undefined ? undefined : readMac(macText)
  if (mac && macText !== undefined && macDigits === undefined) complain(mac.reader, 'bad-value', mac.span, `\`${macText}\` is not a MAC address`)
  const peerText = peer && textOf(peer, 'the peer of a veth device')
  const end = peerText === undefined ? undefined : readDeviceEnd(peerText, namespace)
  return {
    name,
    kind: readKind(name, find, hasPorts),
    mtu: (mtu && numberOf(mtu, 'the mtu', 68, 65535)) ?? (name === LOOPBACK.name ? LOOPBACK.mtu : 1500),
    up: (up && flagOf(up, '`up`')) ?? true,
    ...(group === undefined ? {} : { group }),
    hairpin: (hairpin && flagOf(hairpin, '`hairpin`')) ?? false,
    ...(masterName === undefined ? {} : { master: masterName }),
    ...(macDigits === undefined ? {} : { mac: macDigits }),
    ...(end ? { peer: end } : {}),
  }
}

/** Reads `NAMESPACE/DEVICE`, `DEVICE@NAMESPACE` or `DEVICE` (of the same namespace). */
export function readDeviceEnd(text: string, namespace: string): DeviceEnd {
  const slash = text.lastIndexOf('/')
  if (slash !== -1) return { namespace: text.slice(0, slash), device: text.slice(slash + 1) }
  const [device = '', of = namespace] = text.split('@')
  return { namespace: of, device }
}

function readKind(name: string, find: (key: string) => YamlValue | undefined, hasPorts: boolean): DeviceKind {
  const value = find('kind')
  const usual: DeviceKind = name === LOOPBACK.name ? 'loopback' : hasPorts ? 'bridge' : find('vlan') ? 'vlan' : find('peer') ? 'veth' : 'physical'
  const text = value && textOf(value, 'the kind of a device')
  if (!value || text === undefined) return usual
  const kind = KINDS.find(one => one === text)
  if (!kind) complain(value.reader, 'bad-value', value.span, `\`${text}\` is not a kind of device`, `known are ${KINDS.join(', ')}`)
  return kind ?? usual
}

function readDeviceAddress(value: YamlValue): readonly { readonly value: DeviceAddress; readonly span: Span }[] {
  const text = textOf(value, 'an address')
  if (text === undefined) return []
  const [host = '', lengthText] = text.split('/')
  const address = readAddress(host)
  if (address === undefined) {
    complain(value.reader, 'bad-value', value.span, `\`${text}\` is not an address`, 'write it with the length of its network, such as 192.0.2.1/24')
    return []
  }
  const width = addressWidth(familyOf(address))
  const length = lengthText === undefined ? width : /^\d{1,3}$/.test(lengthText) ? Number(lengthText) : Number.NaN
  if (!(length <= width)) {
    complain(value.reader, 'bad-prefix', value.span, `prefix length \`${lengthText}\` is not a number from 0 to ${width}`)
    return []
  }
  return [{ value: { address, length }, span: value.span }]
}

function complainOfStrangers(reader: YamlReader, entries: readonly YamlEntry[], drafts: readonly DeviceDraft[]): void {
  const names = drafts.map(({ device }) => device.name)
  for (const [index, { device, ports }] of drafts.entries()) {
    const span = entries[index]?.keySpan
    for (const name of [device.master, device.vlan?.parent, ...ports].filter(one => one !== undefined)) {
      if (span && !names.includes(name)) complain(reader, 'unknown-device', span, `device \`${device.name}\` speaks of \`${name}\`, which is not there`, didYouMean(name, names))
    }
  }
}

/** The kernel refuses an address that a device has already; on two devices of a namespace it takes it. */
function complainOfSharedAddresses(reader: YamlReader, drafts: readonly DeviceDraft[]): void {
  const known: { readonly device: string; readonly address: Address; readonly span: Span }[] = []
  for (const { device, places } of drafts) {
    for (const { address, span } of places) {
      const twin = known.find(one => one.address === address && one.device === device.name)
      const other = twin ?? known.find(one => one.address === address)
      known.push({ device: device.name, address, span })
      if (!other) continue
      const message = twin ? `address ${writeAddress(address)} is there twice` : `address ${writeAddress(address)} is on two devices`
      const related = [{ span: other.span, message: `\`${other.device}\` has it` }]
      reader.diagnostics.push({ code: 'duplicate-address', severity: twin ? 'error' : 'warning', span, message, related, ...(twin ? {} : { help: 'the host answers for it on both, and uses the route of the first' }) })
    }
  }
}
