/** A Service -> its service ports, without endpoints. Source: kubernetes pkg/proxy/serviceport.go newBaseServiceInfo(), pkg/proxy/util/utils.go ShouldSkipService(). */

import { fieldsOf } from '../draft/fields.ts'
import type { FieldNotes } from '../draft/fields.ts'
import { reportMissing } from '../draft/required.ts'
import { addressOf, choiceOf, listOf, portOf, subnetOf } from '../draft/values.ts'
import type { Address, Prefix } from '../net/address.ts'
import { prefixAround } from '../net/prefix-math.ts'
import { entryNamed, itemsOf, numberOf, textOf } from '../yaml/yaml-reader.ts'
import type { YamlEntry, YamlValue } from '../yaml/yaml-reader.ts'
import { INGRESS_KEYS, PORT_KEYS, SERVICE_KEYS, SPEC_KEYS } from './manifest-keys.ts'
import { labelOf, readText } from './manifest.ts'
import type { Manifest } from './manifest.ts'
import type { ServicePort } from './model.ts'

/** The entries of a mapping by key. */
export type Fields = (key: string) => YamlEntry | undefined

/** A service port that waits for its endpoints. */
export interface ServiceReading extends ServicePort {
  /** The service, as `namespace/name`, and the name of the port, by which endpoints are found. */
  readonly service: string
  readonly portName: string
}

/** The ports of a service, or why it has none. */
export type ServiceAnswer = { readonly ports: readonly ServiceReading[] } | { readonly skipped: string }

/** What a traffic policy may be. */
export const POLICIES = ['Cluster', 'Local'] as const
/** What `sessionAffinity` may be. */
export const AFFINITIES = ['None', 'ClientIP'] as const
/** What `type` may be. */
export const TYPES = ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'] as const

/** Seconds for which a client keeps its endpoint where nothing is said, and at most. */
export const AFFINITY_SECONDS = { usual: 10800, most: 86400 } as const

/** Reads a service. */
export function readService(manifest: Manifest, notes: FieldNotes): ServiceAnswer {
  const service = `${manifest.namespace}/${manifest.name}`
  const object = fieldsOf(manifest.value, `service ${service}`, SERVICE_KEYS, notes)
  const entry = object('spec')
  if (!entry) {
    reportMissing(manifest.value, `service ${service}`, 'spec')
    return { ports: [] }
  }
  const spec = fieldsOf(entry.value, `service ${service}`, SPEC_KEYS, notes)
  const type = choice(spec('type'), TYPES) ?? 'ClusterIP'
  const addresses = spec('clusterIPs') ?? spec('clusterIP')
  const words = (addresses ? itemsOf(addresses.value) : []).map(item => textOf(item, '`clusterIP`'))
  if (type === 'ExternalName') return { skipped: 'it is only another name' }
  if (words[0] === 'None') return { skipped: 'it is headless' }
  if (labelOf(manifest, 'service.kubernetes.io/service-proxy-name') !== undefined) return { skipped: 'another proxy serves it' }
  if (labelOf(manifest, 'service.kubernetes.io/headless') !== undefined) return { skipped: 'its label says that it is headless' }
  if (!addresses || words[0] === '') {
    notes.report('missing-key', 'warning', entry.keySpan, `service ${service} has no \`clusterIP\`: no rules are written for it`, { help: 'the cluster gives one: take what `kubectl get service -o yaml` prints' })
    return { skipped: 'it has no cluster address yet' }
  }
  const clusterAddresses = itemsOf(addresses.value).flatMap(item => addressOf(item, '`clusterIP`') ?? [])
  const status = object('status')
  return { ports: readPorts({ service, entry, spec, type, clusterAddresses, balancerAddresses: status ? balancersOf(status.value, notes) : [] }, notes) }
}

interface SpecReading {
  readonly service: string
  readonly entry: YamlEntry
  readonly spec: Fields
  readonly type: (typeof TYPES)[number]
  readonly clusterAddresses: readonly Address[]
  readonly balancerAddresses: readonly Address[]
}

function readPorts({ service, entry, spec, type, clusterAddresses, balancerAddresses }: SpecReading, notes: FieldNotes): readonly ServiceReading[] {
  const ports = spec('ports')
  if (!ports) reportMissing(entry.value, `service ${service}`, 'ports')
  const externalAddresses = listOf(spec('externalIPs')?.value, '`externalIPs`').flatMap(item => addressOf(item, 'an external address') ?? [])
  const isOpen = type === 'NodePort' || type === 'LoadBalancer' || externalAddresses.length > 0
  const isExternalLocal = choice(spec('externalTrafficPolicy'), POLICIES) === 'Local' && isOpen
  const health = spec('healthCheckNodePort')
  const healthPort = health && numberOf(health.value, '`healthCheckNodePort`', 0, 65535)
  const common = {
    clusterAddresses, externalAddresses, balancerAddresses, isExternalLocal, service, endpoints: [],
    sourceRanges: readRanges(spec('loadBalancerSourceRanges')),
    healthCheckPort: type === 'LoadBalancer' && isExternalLocal && healthPort !== 0 ? healthPort : undefined,
    isInternalLocal: choice(spec('internalTrafficPolicy'), POLICIES) === 'Local',
    affinitySeconds: readAffinity(spec),
  }
  const items = listOf(ports?.value, '`ports`')
  return items.flatMap(value => readPort(value, items.length > 1, common, notes))
}

function readPort(value: YamlValue, needsName: boolean, common: Omit<ServiceReading, 'name' | 'portName' | 'protocol' | 'port' | 'nodePort' | 'span'>, notes: FieldNotes): readonly ServiceReading[] {
  const field = fieldsOf(value, 'a port', PORT_KEYS, notes)
  const [number, protocol, node] = [field('port'), field('protocol'), field('nodePort')]
  if (!number) reportMissing(value, 'a port', 'port')
  const portName = readText(value, 'name') ?? ''
  if (needsName && portName === '') reportMissing(value, `a port of service ${common.service}, which has several,`, 'name')
  const port = number && portOf(number.value, '`port`')
  const nodePort = node && numberOf(node.value, '`nodePort`', 0, 65535)
  const word = protocol ? choiceOf(protocol.value, '`protocol`', ['TCP', 'UDP', 'SCTP']) : 'TCP'
  if (port === undefined || word === undefined) return []
  const name = portName === '' ? common.service : `${common.service}:${portName}`
  return [{ ...common, name, portName, protocol: PROTOCOL_OF[word], port, nodePort: nodePort === 0 ? undefined : nodePort, span: value.span }]
}

const PROTOCOL_OF = { TCP: 'tcp', UDP: 'udp', SCTP: 'sctp' } as const

/** Load balancers whose mode is Proxy send packets to node ports or pods themselves. */
function balancersOf(status: YamlValue, notes: FieldNotes): readonly Address[] {
  const balancer = entryNamed(status, 'loadBalancer')
  const ingress = balancer && entryNamed(balancer.value, 'ingress')
  return listOf(ingress?.value, '`ingress`').flatMap(item => {
    const field = fieldsOf(item, 'an entry of `ingress`', INGRESS_KEYS, notes)
    const [ip, mode] = [field('ip'), field('ipMode')]
    const isProxy = mode !== undefined && choiceOf(mode.value, '`ipMode`', ['VIP', 'Proxy']) === 'Proxy'
    const address = ip && !isProxy ? addressOf(ip.value, '`ip`') : undefined
    return address === undefined ? [] : [address]
  })
}

/** Returns the ranges of `loadBalancerSourceRanges`, around which blanks may stand. */
export function readRanges(entry: YamlEntry | undefined): readonly Prefix[] {
  return listOf(entry?.value, '`loadBalancerSourceRanges`').flatMap(item => {
    const range = subnetOf(item, 'a source range')
    return range ? [prefixAround(range.address, range.length)] : []
  })
}

function readAffinity(spec: Fields): number | undefined {
  if (choice(spec('sessionAffinity'), AFFINITIES) !== 'ClientIP') return undefined
  const config = spec('sessionAffinityConfig')
  const client = config && entryNamed(config.value, 'clientIP')
  const seconds = client && entryNamed(client.value, 'timeoutSeconds')
  return seconds ? numberOf(seconds.value, '`timeoutSeconds`', 1, AFFINITY_SECONDS.most) : AFFINITY_SECONDS.usual
}

function choice<T extends string>(entry: YamlEntry | undefined, choices: readonly T[]): T | undefined {
  return entry && choiceOf(entry.value, `\`${entry.key}\``, choices)
}
