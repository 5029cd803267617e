/** An EndpointSlice -> endpoints by service and port. Source: kubernetes pkg/proxy/endpointslicecache.go newEndpointSliceInfo(), addEndpoints(). */

import { fieldsOf } from '../draft/fields.ts'
import type { FieldNotes } from '../draft/fields.ts'
import { reportMissing } from '../draft/required.ts'
import { addressOf, choiceOf, listOf, portOf } from '../draft/values.ts'
import { familyOf, writeAddress } from '../net/address.ts'
import type { Family } from '../net/address.ts'
import type { PortProtocol } from '../net/protocol.ts'
import { complain, entryNamed, flagOf } from '../yaml/yaml-reader.ts'
import type { YamlValue } from '../yaml/yaml-reader.ts'
import { CONDITION_KEYS, ENDPOINT_KEYS, HINT_KEYS, SLICE_KEYS, SLICE_PORT_KEYS } from './manifest-keys.ts'
import { labelOf, readText } from './manifest.ts'
import type { Manifest } from './manifest.ts'
import type { Endpoint } from './model.ts'

/** Endpoints of one port of a service. */
export interface SliceReading {
  readonly service: string
  readonly portName: string
  readonly protocol: PortProtocol
  readonly endpoints: readonly Endpoint[]
}

/** The label that names the service of a slice. */
const SERVICE_LABEL = 'kubernetes.io/service-name'

/** Reads a slice. Endpoints are on the node of the name given, or elsewhere. */
export function readSlice(manifest: Manifest, nodeName: string | undefined, notes: FieldNotes): readonly SliceReading[] {
  const what = `endpoint slice ${manifest.namespace}/${manifest.name}`
  const object = fieldsOf(manifest.value, what, SLICE_KEYS, notes)
  const label = labelOf(manifest, SERVICE_LABEL)
  const kind = object('addressType')
  if (label === undefined) reportMissing(entryNamed(manifest.value, 'metadata')?.value ?? manifest.value, what, `labels["${SERVICE_LABEL}"]`)
  if (!kind) reportMissing(manifest.value, what, 'addressType')
  const type = kind && choiceOf(kind.value, '`addressType`', ['IPv4', 'IPv6', 'FQDN'])
  if (kind && type === 'FQDN') notes.report('not-modelled', 'note', kind.value.span, `endpoints of ${what} have names, not addresses: kube-proxy leaves them out`)
  if (label === undefined || type === undefined || type === 'FQDN') return []
  const family = type === 'IPv4' ? 'ipv4' : 'ipv6'
  const pods = listOf(object('endpoints')?.value, '`endpoints`').map(value => readEndpoint(value, family, nodeName, notes))
  return listOf(object('ports')?.value, '`ports`').flatMap(value => readPort(value, pods, `${manifest.namespace}/${label}`, notes))
}

type Pod = Omit<Endpoint, 'port'>

function readPort(value: YamlValue, pods: readonly (Pod | undefined)[], service: string, notes: FieldNotes): readonly SliceReading[] {
  const field = fieldsOf(value, 'a port', SLICE_PORT_KEYS, notes)
  const [number, protocol] = [field('port'), field('protocol')]
  if (!number) reportMissing(value, 'a port', 'port')
  const port = number && portOf(number.value, '`port`')
  const word = protocol ? choiceOf(protocol.value, '`protocol`', ['TCP', 'UDP', 'SCTP']) : 'TCP'
  if (port === undefined || word === undefined) return []
  const names = { TCP: 'tcp', UDP: 'udp', SCTP: 'sctp' } as const
  return [{ service, portName: readText(value, 'name') ?? '', protocol: names[word], endpoints: pods.flatMap(pod => (pod ? [{ ...pod, port }] : [])) }]
}

/** kube-proxy uses the first address alone. What a condition does not say is well, except that nobody ends. */
function readEndpoint(value: YamlValue, family: Family, nodeName: string | undefined, notes: FieldNotes): Pod | undefined {
  const field = fieldsOf(value, 'an endpoint', ENDPOINT_KEYS, notes)
  const [first] = listOf(field('addresses')?.value, '`addresses`')
  if (!first) reportMissing(value, 'an endpoint', 'addresses')
  const address = first && addressOf(first, 'an address')
  if (first && address !== undefined && familyOf(address) !== family) complain(value.reader, 'bad-value', first.span, `${writeAddress(address)} is no ${family === 'ipv4' ? 'IPv4' : 'IPv6'} address, as \`addressType\` says`)
  if (address === undefined || familyOf(address) !== family) return undefined
  const conditions = field('conditions')
  const condition = conditions ? fieldsOf(conditions.value, '`conditions`', CONDITION_KEYS, notes) : () => undefined
  const says = (key: string): boolean | undefined => {
    const entry = condition(key)
    return entry && flagOf(entry.value, `\`${key}\``)
  }
  const hints = field('hints')
  const hint = hints ? fieldsOf(hints.value, '`hints`', HINT_KEYS, notes) : () => undefined
  const names = (key: string): readonly string[] => listOf(hint(key)?.value, `\`${key}\``).flatMap(item => readText(item, 'name') ?? [])
  const node = readText(value, 'nodeName')
  return {
    address, isReady: says('ready') ?? true, isServing: says('serving') ?? true, isTerminating: says('terminating') ?? false,
    isLocal: node !== undefined && node === nodeName, zoneHints: names('forZones'), nodeHints: names('forNodes'),
  }
}
