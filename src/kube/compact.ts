/** A compact description of services, with their endpoints beside them: YAML of our own, for what needs no cluster. */

import { fieldsOf } from '../draft/fields.ts'
import type { FieldNotes } from '../draft/fields.ts'
import { reportMissing } from '../draft/required.ts'
import { addressOf, choiceOf, listOf, portOf, protocolOf, subnetOf } from '../draft/values.ts'
import { readAddress } from '../net/address.ts'
import type { Address } from '../net/address.ts'
import { prefixAround } from '../net/prefix-math.ts'
import { complain, entryNamed, flagOf, isMapping, itemsOf, numberOf, textOf } from '../yaml/yaml-reader.ts'
import type { YamlEntry, YamlValue } from '../yaml/yaml-reader.ts'
import { COMPACT_ENDPOINT_KEYS, COMPACT_KEYS, COMPACT_SERVICE_KEYS } from './manifest-keys.ts'
import { readText } from './manifest.ts'
import { DEFAULT_OPTIONS } from './model.ts'
import type { Endpoint, ProxyOptions, ServicePort } from './model.ts'
import { endpointText } from './names.ts'
import { detectorOf, readPrefixes } from './read-options.ts'
import { AFFINITIES, AFFINITY_SECONDS, POLICIES, readRanges, TYPES } from './read-service.ts'
import type { Fields } from './read-service.ts'

/** Tells whether a document is a compact description. */
export function looksCompact(root: YamlValue): boolean {
  return entryNamed(root, 'services') !== undefined && entryNamed(root, 'kind') === undefined
}

/** Returns the services and what the description says to kube-proxy. */
export function readCompact(root: YamlValue, flags: Partial<ProxyOptions>, notes: FieldNotes): { readonly services: readonly ServicePort[]; readonly options: ProxyOptions } {
  const field = fieldsOf(root, 'the description', COMPACT_KEYS, notes)
  const options = { ...readOptions(field), ...flags }
  const local = textsOf(field('localEndpoints'))
  return { services: listOf(field('services')?.value, '`services`').flatMap(value => readService(value, { nodeName: options.nodeName, local }, notes)), options }
}

function readOptions(field: Fields): ProxyOptions {
  const [bit, cidr, ports] = [field('masqueradeBit'), field('clusterCIDR'), field('nodePortAddresses')]
  const addresses = [field('nodeIP'), field('nodeAddresses')].flatMap(entry => (entry ? itemsOf(entry.value) : [])).flatMap(item => addressOf(item, 'an address of the node') ?? [])
  const flag = (key: string, otherwise: boolean): boolean => {
    const entry = field(key)
    return (entry && flagOf(entry.value, `\`${key}\``)) ?? otherwise
  }
  const text = (key: string): string | undefined => {
    const entry = field(key)
    return entry && textOf(entry.value, `\`${key}\``)
  }
  return {
    ...DEFAULT_OPTIONS,
    nodeName: text('nodeName'), zone: text('zone'), nodeAddresses: [...new Set(addresses)],
    detector: detectorOf((cidr ? itemsOf(cidr.value) : []).flatMap(readPrefixes)),
    masqueradeAll: flag('masqueradeAll', false),
    masqueradeBit: (bit && numberOf(bit.value, '`masqueradeBit`', 0, 31)) ?? DEFAULT_OPTIONS.masqueradeBit,
    nodePortPrefixes: ports && itemsOf(ports.value).flatMap(item => {
      const subnet = subnetOf(item, 'a node port address')
      return subnet ? [prefixAround(subnet.address, subnet.length)] : []
    }),
    localhostNodePorts: flag('localhostNodePorts', true), isLiberal: flag('conntrackTCPBeLiberal', false),
    randomFully: flag('randomFully', true), countsWithNfacct: flag('nfacct', false),
  }
}

/** What tells endpoints of this node from others: their node's name, or the description itself. */
interface Here {
  readonly nodeName: string | undefined
  readonly local: readonly string[]
}

function readService(value: YamlValue, here: Here, notes: FieldNotes): readonly ServicePort[] {
  const field = fieldsOf(value, 'a service', COMPACT_SERVICE_KEYS, notes)
  const text = (key: string): string | undefined => {
    const entry = field(key)
    return entry && textOf(entry.value, `\`${key}\``)
  }
  const [number, node, health, protocol, seconds] = [field('port'), field('nodePort'), field('healthCheckNodePort'), field('protocol'), field('sessionAffinityTimeout')]
  for (const key of ['name', 'port']) if (!field(key)) reportMissing(value, 'a service', key)
  const choice = <T extends string>(key: string, choices: readonly T[]): T | undefined => {
    const entry = field(key)
    return entry && choiceOf(entry.value, `\`${key}\``, choices)
  }
  const type = choice('type', TYPES) ?? 'ClusterIP'
  const cluster = field('clusterIPs') ?? field('clusterIP')
  const isSkipped = type === 'ExternalName' || !cluster || itemsOf(cluster.value).some(item => ['None', ''].includes(textOf(item, '`clusterIP`') ?? ''))
  const name = text('name')
  const port = number && portOf(number.value, '`port`')
  if (isSkipped || name === undefined || port === undefined) return []
  const externalAddresses = addressesOf(field('externalIPs'))
  const isOpen = type === 'NodePort' || type === 'LoadBalancer' || externalAddresses.length > 0
  const isExternalLocal = isOpen && choice('externalTrafficPolicy', POLICIES) === 'Local'
  const healthPort = health && portOf(health.value, '`healthCheckNodePort`')
  const affinity = choice('sessionAffinity', AFFINITIES)
  const local = [...here.local, ...textsOf(field('localEndpoints'))]
  return [{
    name, port, externalAddresses, isExternalLocal,
    protocol: (protocol && protocolOf(protocol.value, '`protocol`')) ?? 'tcp',
    clusterAddresses: addressesOf(cluster),
    nodePort: node && portOf(node.value, '`nodePort`'),
    balancerAddresses: addressesOf(field('loadBalancerIPs')),
    sourceRanges: readRanges(field('loadBalancerSourceRanges')),
    healthCheckPort: type === 'LoadBalancer' && isExternalLocal ? healthPort : undefined,
    isInternalLocal: choice('internalTrafficPolicy', POLICIES) === 'Local',
    affinitySeconds: affinity === 'ClientIP' ? (seconds ? numberOf(seconds.value, '`sessionAffinityTimeout`', 1, AFFINITY_SECONDS.most) : AFFINITY_SECONDS.usual) : undefined,
    endpoints: listOf(field('endpoints')?.value, '`endpoints`').flatMap(item => readEndpoint(item, { ...here, local }, notes)),
    span: field('name')?.value.span ?? value.span,
  }]
}

function addressesOf(entry: YamlEntry | undefined): readonly Address[] {
  return (entry ? itemsOf(entry.value) : []).flatMap(item => addressOf(item, 'an address') ?? [])
}

function textsOf(entry: YamlEntry | undefined): readonly string[] {
  return (entry ? itemsOf(entry.value) : []).flatMap(item => textOf(item, 'an endpoint') ?? [])
}

/** `10.180.0.1:80`, `[2001:db8::1]:80`, or a mapping. */
function readEndpoint(value: YamlValue, { nodeName, local }: Here, notes: FieldNotes): readonly Endpoint[] {
  const field = isMapping(value) ? fieldsOf(value, 'an endpoint', COMPACT_ENDPOINT_KEYS, notes) : () => undefined
  const place = field('address') ?? field('ip')
  const text = isMapping(value) ? (place && textOf(place.value, '`address`')) : textOf(value, 'an endpoint')
  if (text === undefined) {
    if (isMapping(value)) reportMissing(value, 'an endpoint', 'address')
    return []
  }
  const [, bracketed, plain, portText] = /^(?:\[([^\]]+)\]|([^:]+|[^[].*:.*))(?::(\d+))?$/.exec(portOfMapping(text, field)) ?? []
  const address = readAddress(bracketed ?? plain ?? '')
  const port = Number(portText)
  if (address === undefined || !(port >= 1 && port <= 65535)) {
    complain(value.reader, 'bad-value', value.span, `\`${text}\` is not an endpoint`, 'an endpoint reads `10.180.0.1:80` or `[2001:db8::1]:80`')
    return []
  }
  const flag = (key: string): boolean | undefined => {
    const entry = field(key)
    return entry && flagOf(entry.value, `\`${key}\``)
  }
  const node = isMapping(value) ? (readText(value, 'nodeName') ?? readText(value, 'node')) : undefined
  const listed = [endpointText({ address, port }), bracketed ?? plain ?? ''].some(one => local.includes(one))
  return [{
    address, port, isReady: flag('ready') ?? true, isServing: flag('serving') ?? true, isTerminating: flag('terminating') ?? false,
    isLocal: flag('local') ?? flag('isLocal') ?? (listed || (node !== undefined && node === nodeName)), zoneHints: textsOf(field('zones')), nodeHints: textsOf(field('nodes')),
  }]
}

function portOfMapping(text: string, field: Fields): string {
  const entry = field('port')
  const port = entry && portOf(entry.value, '`port`')
  return port === undefined ? text : `${text.includes(':') && !text.startsWith('[') ? `[${text}]` : text}:${port}`
}
