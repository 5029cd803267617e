/** One namespace of a topology file. */

import type { Span } from '../diagnostics/source-file.ts'
import { didYouMean } from '../extensions/did-you-mean.ts'
import { readAddress } from '../net/address.ts'
import { readIpsets } from './ipset-text.ts'
import { networkBridge, placeContainers } from './container-network.ts'
import type { ContainerHost } from './container-network.ts'
import { readContainers } from './load-containers.ts'
import { readDevices, readMac } from './load-devices.ts'
import type { DeviceReading } from './load-devices.ts'
import { readNamedFile, readRulesetEntries } from './load-rulesets.ts'
import { readSocketLine } from './load-sockets.ts'
import { readSysctls } from './load-sysctls.ts'
import { readRoute, readRouteRule } from './route-text.ts'
import type { TextReading } from './route-text.ts'
import type { Device, Ipset, Namespace, Neighbour, Route, RouteRule } from './topology.ts'
import { complain, entriesOf, isBlock, isMapping, itemsOf, textOf } from '../yaml/yaml-reader.ts'
import type { YamlEntry, YamlReader, YamlValue } from '../yaml/yaml-reader.ts'

/** The keys of a namespace. */
export const NAMESPACE_KEYS: readonly string[] = ['devices', 'routes', 'rules', 'neighbours', 'sysctls', 'ipsets', 'iptables', 'ip6tables', 'listen', 'networks', 'containers']

/** A namespace, the sandboxes of its containers, and where they are described. */
export interface NamespaceReading extends ContainerHost {
  readonly devices: DeviceReading
  readonly nameSpans: ReadonlyMap<string, Span>
}

/** Reads the entries of one namespace. */
export function readNamespace(reader: YamlReader, name: string, entries: readonly YamlEntry[]): NamespaceReading {
  for (const { key, keySpan } of entries) {
    if (!NAMESPACE_KEYS.includes(key)) complain(reader, 'unknown-key', keySpan, `\`${key}\` is not known in a namespace`, didYouMean(key, NAMESPACE_KEYS))
  }
  const valuesOf = (key: string): readonly YamlValue[] => entries.filter(entry => entry.key === key).map(entry => entry.value)
  const mapping = (key: string): readonly YamlEntry[] => valuesOf(key).flatMap(value => entriesOf(value, `\`${key}\``))
  const reading = readDevices(reader, name, mapping('devices'))
  const { networks, plans, nameSpans } = readContainers(reader, mapping('networks'), mapping('containers'))
  const devices = [...reading.devices, ...networks.filter(({ bridge }) => !reading.devices.some(device => device.name === bridge)).map(networkBridge)]
  const lines = (key: string): readonly YamlValue[] => valuesOf(key).flatMap(itemsOf)
  const listen = valuesOf('listen')
  const host: Namespace = {
    name,
    devices: reading.devices,
    routes: lines('routes').flatMap(value => readRouteLine(value, devices)),
    rules: lines('rules').flatMap(value => readRuleLine(value, devices)),
    neighbours: lines('neighbours').flatMap(value => readNeighbour(value, devices)),
    sysctls: Object.fromEntries(valuesOf('sysctls').flatMap(readSysctls)),
    ipsets: valuesOf('ipsets').flatMap(readSets),
    rulesets: readRulesetEntries(entries),
    ...(listen.length === 0 ? {} : { sockets: listen.flatMap(itemsOf).flatMap(readSocketLine) }),
  }
  return { ...placeContainers(host, networks, plans), devices: reading, nameSpans }
}

function readRouteLine(value: YamlValue, devices: readonly Device[]): readonly Route[] {
  const text = textOf(value, 'a route')
  if (text === undefined) return []
  const route = checked(value, readRoute(text))
  if (route?.device !== undefined && !isKnown(value, route.device, devices)) return []
  return route ? [route] : []
}

function readRuleLine(value: YamlValue, devices: readonly Device[]): readonly RouteRule[] {
  const text = textOf(value, 'a routing rule')
  if (text === undefined) return []
  const rule = checked(value, readRouteRule(text))
  const named = [rule?.inDevice, rule?.outDevice].filter(name => name !== undefined)
  return rule && named.every(name => isKnown(value, name, devices)) ? [rule] : []
}

/** Reads `172.17.0.2 dev docker0 lladdr 02:42:ac:11:00:02 port veth1`. */
function readNeighbour(value: YamlValue, devices: readonly Device[]): readonly Neighbour[] {
  const text = textOf(value, 'a neighbour')
  if (text === undefined) return []
  const [host = '', ...words] = text.trim().split(/\s+/)
  const option = (name: string): string | undefined => words[words.indexOf(name) + 1 || words.length]
  const address = readAddress(host)
  const mac = readMac(option('lladdr') ?? '')
  const device = option('dev')
  const port = option('port')
  if (address === undefined || mac === undefined || device === undefined) {
    complain(value.reader, 'bad-value', value.span, `\`${text}\` is not a neighbour`, 'write `ADDRESS dev DEVICE lladdr MAC`, on a bridge with `port DEVICE`')
    return []
  }
  if (![device, ...(port === undefined ? [] : [port])].every(name => isKnown(value, name, devices))) return []
  return [{ device, address, mac, ...(port === undefined ? {} : { port }) }]
}

/** Sets are the text of `ipset save`, a file with it, or a mapping from name to type and entries. */
function readSets(value: YamlValue): readonly Ipset[] {
  if (!isMapping(value)) return readIpsets(isBlock(value) || !value.reader.readFile ? textOf(value, '`ipsets`') ?? '' : (readNamedFile(value, '`ipsets`')?.text ?? ''))
  return entriesOf(value, '`ipsets`').flatMap(({ key, value: set }) => readSet(key, set))
}

function readSet(name: string, value: YamlValue): readonly Ipset[] {
  const entries = entriesOf(value, `ipset \`${name}\``)
  const type = entries.find(entry => entry.key === 'type')
  const typeName = type && textOf(type.value, 'the type of an ipset')
  for (const { key, keySpan } of entries) {
    if (!['type', 'family', 'entries'].includes(key)) complain(value.reader, 'unknown-key', keySpan, `\`${key}\` is not known in an ipset`, 'known are type, family, entries')
  }
  if (typeName === undefined) {
    complain(value.reader, 'bad-value', value.span, `ipset \`${name}\` has no \`type\``, 'such as hash:ip, hash:net or list:set')
    return []
  }
  const family = entries.find(entry => entry.key === 'family')
  const texts = entries.filter(entry => entry.key === 'entries').flatMap(entry => itemsOf(entry.value)).map(item => textOf(item, 'an entry') ?? '')
  const isIpv6 = family ? textOf(family.value, 'family') === 'inet6' : texts.some(text => text.includes('::'))
  return [{
    name,
    type: typeName,
    family: isIpv6 ? 'inet6' : 'inet',
    entries: texts.map(text => ({ text: text.split(/\s+/)[0] ?? '', nomatch: /\snomatch\b/.test(text) })),
  }]
}

function checked<T>(value: YamlValue, reading: TextReading<T>): T | undefined {
  if (reading.ok) return reading.value
  complain(value.reader, 'bad-value', value.span, reading.problem)
  return undefined
}

function isKnown(value: YamlValue, name: string, devices: readonly Device[]): boolean {
  if (devices.some(device => device.name === name)) return true
  complain(value.reader, 'unknown-device', value.span, `there is no device \`${name}\``, didYouMean(name, devices.map(device => device.name)))
  return false
}

