/** The keys `networks` and `containers` of a namespace in a topology file. */

import type { Span } from '../diagnostics/source-file.ts'
import { didYouMean } from '../extensions/did-you-mean.ts'
import { lengthOfMask, prefixIncludes, prefixOf, maskOfLength, familyOf, readAddress, readPrefix, writeAddress } from '../net/address.ts'
import type { Address } from '../net/address.ts'
import { DEVICE_NAME_LIMIT } from '../net/device-name.ts'
import { DEFAULT_NETWORK, firstAddress } from './container-network.ts'
import type { ContainerMode, ContainerNetwork, ContainerPlan, Endpoint } from './container-network.ts'
import { readRulesetEntries } from './load-rulesets.ts'
import { readSocketLine } from './load-sockets.ts'
import { readSysctls } from './load-sysctls.ts'
import type { DeviceAddress } from './topology.ts'
import { complain, entriesOf, flagOf, itemsOf, textOf } from '../yaml/yaml-reader.ts'
import type { YamlEntry, YamlReader, YamlValue } from '../yaml/yaml-reader.ts'

const NETWORK_KEYS: readonly string[] = ['subnet', 'gateway', 'bridge', 'internal']
const CONTAINER_KEYS: readonly string[] = ['network', 'mode', 'address', 'listen', 'sysctls', 'iptables', 'ip6tables']

/** The containers of a host and their networks. */
export interface ContainerReading {
  readonly networks: readonly ContainerNetwork[]
  readonly plans: readonly ContainerPlan[]
  readonly nameSpans: ReadonlyMap<string, Span>
}

/** Reads networks and containers; `bridge` with docker0 is there where nobody describes it and a container uses it. */
export function readContainers(reader: YamlReader, networkEntries: readonly YamlEntry[], containerEntries: readonly YamlEntry[]): ContainerReading {
  const described = networkEntries.flatMap(readNetwork)
  const known = described.some(network => network.name === DEFAULT_NETWORK.name) ? described : [...described, DEFAULT_NETWORK]
  const plans = containerEntries.map(entry => readContainer(reader, entry, known, containerEntries.map(({ key }) => key)))
  const isUsed = plans.some(({ mode }) => mode.kind === 'networks' && mode.endpoints.some(({ network }) => network === DEFAULT_NETWORK))
  return { networks: isUsed ? known : described, plans, nameSpans: new Map(containerEntries.map(({ key, keySpan }) => [key, keySpan])) }
}

function readNetwork({ key, keySpan, value }: YamlEntry): readonly ContainerNetwork[] {
  const { reader } = value
  const entries = entriesOf(value, `network \`${key}\``)
  complainOfStrangers(reader, entries, NETWORK_KEYS, 'network')
  const find = (name: string): YamlValue | undefined => entries.find(entry => entry.key === name)?.value
  const [subnet, gateway, bridge, internal] = [find('subnet'), find('gateway'), find('bridge'), find('internal')]
  const gatewayTexts = gateway ? itemsOf(gateway).flatMap(item => readAddressValue(item)) : []
  const gateways = (subnet ? itemsOf(subnet) : []).flatMap(item => readSubnet(item, gatewayTexts))
  if (gateways.length === 0) {
    if (!subnet) complain(reader, 'bad-value', keySpan, `network \`${key}\` has no \`subnet\``, 'such as 172.18.0.0/16')
    return []
  }
  const usual = key === DEFAULT_NETWORK.name ? DEFAULT_NETWORK.bridge : `br-${key}`.slice(0, DEVICE_NAME_LIMIT)
  return [{ name: key, bridge: (bridge && textOf(bridge, 'the bridge of a network')) ?? usual, gateways, internal: (internal && flagOf(internal, '`internal`')) ?? false }]
}

function readSubnet(value: YamlValue, gateways: readonly Address[]): readonly DeviceAddress[] {
  const text = textOf(value, 'a subnet')
  const subnet = text === undefined ? undefined : readPrefix(text)
  const length = subnet && lengthOfMask(subnet.mask)
  if (text !== undefined && (!subnet || length === undefined)) complain(value.reader, 'bad-value', value.span, `\`${text}\` is not a subnet`, 'such as 172.18.0.0/16')
  if (!subnet || length === undefined) return []
  const gateway = gateways.find(address => prefixIncludes(subnet, address))
  return [gateway === undefined ? firstAddress(subnet, length) : { address: gateway, length }]
}

function readContainer(reader: YamlReader, { key, value }: YamlEntry, networks: readonly ContainerNetwork[], names: readonly string[]): ContainerPlan {
  const entries = entriesOf(value, `container \`${key}\``)
  complainOfStrangers(reader, entries, CONTAINER_KEYS, 'container')
  const find = (name: string): YamlValue | undefined => entries.find(entry => entry.key === name)?.value
  const [network, address, listen, sysctls] = [find('network') ?? find('mode'), find('address'), find('listen'), find('sysctls')]
  const addresses = address ? itemsOf(address).flatMap(item => readAddressValue(item)) : []
  const mode = readMode(network, networks, names.filter(name => name !== key), addresses)
  if (address) complainOfForeignAddresses(address, addresses, mode)
  return {
    name: key,
    mode,
    ...(listen ? { sockets: itemsOf(listen).flatMap(readSocketLine) } : {}),
    sysctls: Object.fromEntries(sysctls ? readSysctls(sysctls) : []),
    rulesets: readRulesetEntries(entries),
  }
}

function readMode(value: YamlValue | undefined, networks: readonly ContainerNetwork[], others: readonly string[], addresses: readonly Address[]): ContainerMode {
  const items = value ? itemsOf(value) : []
  const texts = items.map(item => ({ item, text: textOf(item, 'a network') ?? '' }))
  const [only] = texts
  if (only && texts.length === 1) {
    if (only.text === 'host' || only.text === 'none') return { kind: only.text }
    const shared = /^container:(.*)$/.exec(only.text)?.[1]
    if (shared !== undefined && others.includes(shared)) return { kind: 'shared', container: shared }
    if (shared !== undefined) {
      complain(only.item.reader, 'bad-value', only.item.span, `there is no other container \`${shared}\``, didYouMean(shared, others))
      return { kind: 'none' }
    }
  }
  const names = texts.length === 0 ? [DEFAULT_NETWORK.name] : texts.map(({ text }) => text)
  const endpoints = names.flatMap((name, index): Endpoint[] => {
    const network = networks.find(one => one.name === name)
    const place = texts[index]?.item
    if (!network && place) complain(place.reader, 'bad-value', place.span, `there is no network \`${name}\``, didYouMean(name, [...networks.map(one => one.name), 'host', 'none']) ?? 'describe it under `networks:`, or write host, none or container:NAME')
    return network ? [{ network, addresses: addresses.filter(address => isIn(network, address)) }] : []
  })
  return { kind: 'networks', endpoints }
}

function complainOfForeignAddresses(value: YamlValue, addresses: readonly Address[], mode: ContainerMode): void {
  const endpoints = mode.kind === 'networks' ? mode.endpoints : []
  const foreign = addresses.find(address => !endpoints.some(({ network }) => isIn(network, address)))
  if (foreign !== undefined) complain(value.reader, 'bad-value', value.span, `${writeAddress(foreign)} is in no subnet of the container's networks`)
}

function isIn(network: ContainerNetwork, address: Address): boolean {
  return network.gateways.some(gateway => prefixIncludes(prefixOf(gateway.address, maskOfLength(familyOf(gateway.address), gateway.length)), address))
}

function readAddressValue(value: YamlValue): readonly Address[] {
  const text = textOf(value, 'an address')
  const address = text === undefined ? undefined : readAddress(text)
  if (text !== undefined && address === undefined) complain(value.reader, 'bad-value', value.span, `\`${text}\` is not an address`)
  return address === undefined ? [] : [address]
}

function complainOfStrangers(reader: YamlReader, entries: readonly YamlEntry[], known: readonly string[], what: string): void {
  for (const { key, keySpan } of entries) {
    if (!known.includes(key)) complain(reader, 'unknown-key', keySpan, `\`${key}\` is not known in a ${what}`, didYouMean(key, known) ?? `known are ${known.join(', ')}`)
  }
}
