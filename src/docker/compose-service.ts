/** One service of a compose file. */

import type { Span } from '../diagnostics/source-file.ts'
import { fieldsOf } from '../draft/fields.ts'
import { complain, entriesOf, isEmpty, isList, isMapping, itemsOf } from '../yaml/yaml-reader.ts'
import type { YamlEntry, YamlValue } from '../yaml/yaml-reader.ts'
import { DEPLOY_KEYS, JOIN_KEYS, SERVICE_KEYS } from './compose-keys.ts'
import { readExposed, readPorts } from './compose-ports.ts'
import { filledAddress, filledNumber, filledText } from './compose-reader.ts'
import type { ComposeReader } from './compose-reader.ts'
import type { ContainerPlan, JoinPlan, Placed } from './plan.ts'

/** A service: what its containers have in common, and whom it names. */
export interface ComposeService {
  readonly name: string
  readonly span: Span
  readonly containerName?: string
  readonly count: number
  readonly mode: NetworkMode
  /** Absent where the service names no networks. */
  readonly joins?: readonly ServiceJoin[]
  readonly ports: ContainerPlan['ports']
  readonly exposed: ContainerPlan['exposed']
  readonly dependsOn: readonly Placed<string>[]
  readonly links: readonly Placed<string>[]
  readonly sysctls: ContainerPlan['sysctls']
  readonly mac?: string
  readonly profiles: readonly string[]
}

/** `network_mode`; `networks` where it is absent. */
export type NetworkMode =
  | { readonly kind: 'networks' | 'bridge' | 'host' | 'none' }
  | { readonly kind: 'service' | 'container' | 'other'; readonly name: string; readonly span: Span }

/** A network of a service, with its place. */
export interface ServiceJoin extends JoinPlan {
  readonly priority: number
  readonly span: Span
}

/** Reads one entry of `services`. */
export function readService({ key, keySpan, value }: YamlEntry, reader: ComposeReader): ComposeService {
  const find = fieldsOf(value, `service \`${key}\``, SERVICE_KEYS, reader)
  const filled = (name: string): string | undefined => textAt(find(name), reader)
  const [networks, mode, ports, exposed] = [find('networks'), find('network_mode'), find('ports'), find('expose')]
  if (networks && mode && !isEmpty(networks.value)) complain(value.reader, 'bad-value', mode.keySpan, `service \`${key}\` has both \`network_mode\` and \`networks\``, 'keep one of them')
  const [containerName, mac] = [filled('container_name'), macAt(find('mac_address'), reader)]
  return {
    name: key, span: keySpan, count: countOf(key, find, reader), mode: readMode(mode, reader),
    ...(containerName === undefined ? {} : { containerName }),
    ...(networks && !isEmpty(networks.value) ? { joins: readJoins(networks, reader) } : {}),
    ports: ports ? itemsOf(ports.value).flatMap(item => readPorts(item, reader)) : [],
    exposed: exposed ? itemsOf(exposed.value).flatMap(item => readExposed(item, reader)) : [],
    dependsOn: [...namesAt(find('depends_on'), reader), ...namesAt(find('links'), reader).map(withoutAlias)],
    links: namesAt(find('x-legacy-links'), reader).map(withoutAlias),
    sysctls: readSysctls(find('sysctls'), reader),
    ...(mac === undefined ? {} : { mac }),
    profiles: namesAt(find('profiles'), reader).map(({ value: name }) => name),
  }
}

type Find = (key: string) => YamlEntry | undefined

function textAt(entry: YamlEntry | undefined, reader: ComposeReader): string | undefined {
  return entry && !isEmpty(entry.value) ? filledText(entry.value, `\`${entry.key}\``, reader) : undefined
}

/** Items of a list, or keys of a mapping. */
function namesAt(entry: YamlEntry | undefined, reader: ComposeReader): readonly Placed<string>[] {
  if (!entry) return []
  if (isMapping(entry.value)) return entriesOf(entry.value, `\`${entry.key}\``).map(({ key, keySpan }) => ({ value: key, span: keySpan }))
  return itemsOf(entry.value).flatMap(item => {
    const text = filledText(item, `\`${entry.key}\``, reader)
    return text === undefined ? [] : [{ value: text, span: item.span }]
  })
}

/** `name:alias` */
function withoutAlias({ value, span }: Placed<string>): Placed<string> {
  return { value: value.split(':')[0] ?? value, span }
}

function countOf(name: string, find: Find, reader: ComposeReader): number {
  const deploy = find('deploy')
  const replicas = deploy && fieldsOf(deploy.value, '`deploy`', DEPLOY_KEYS, reader)('replicas')
  const entry = find('scale') ?? replicas
  const count = entry ? (filledNumber(entry.value, `the number of containers of service \`${name}\``, 0, 10000, reader) ?? 1) : 1
  const fixed = find('container_name')
  if (entry && count > 1 && fixed) complain(fixed.value.reader, 'bad-value', fixed.keySpan, `service \`${name}\` has ${count} containers, which cannot all have one name`, 'leave out `container_name`')
  return count
}

function readMode(entry: YamlEntry | undefined, reader: ComposeReader): NetworkMode {
  const text = textAt(entry, reader)
  if (!entry || text === undefined) return { kind: 'networks' }
  if (text === 'bridge' || text === 'host' || text === 'none') return { kind: text }
  const [kind = '', name = ''] = text.split(':')
  if ((kind === 'service' || kind === 'container') && name !== '') return { kind, name, span: entry.value.span }
  return { kind: 'other', name: text, span: entry.value.span }
}

function readJoins({ value }: YamlEntry, reader: ComposeReader): readonly ServiceJoin[] {
  if (isList(value) || !isMapping(value)) return itemsOf(value).flatMap(item => readJoinName(item, reader))
  return entriesOf(value, '`networks`').map(entry => readJoin(entry, reader))
}

function readJoinName(item: YamlValue, reader: ComposeReader): readonly ServiceJoin[] {
  const network = filledText(item, 'a network', reader)
  return network === undefined ? [] : [{ network, addresses: {}, gatewayPriority: 0, priority: 0, span: item.span }]
}

function readJoin({ key, keySpan, value }: YamlEntry, reader: ComposeReader): ServiceJoin {
  const find = fieldsOf(value, `network \`${key}\` of a service`, JOIN_KEYS, reader)
  const address = (name: string) => {
    const entry = find(name)
    const found = entry && filledAddress(entry.value, `\`${name}\``, reader)
    return entry && found !== undefined ? { value: found, span: entry.value.span } : undefined
  }
  const number = (name: string): number => {
    const entry = find(name)
    return entry ? (filledNumber(entry.value, `\`${name}\``, -(2 ** 31), 2 ** 31 - 1, reader) ?? 0) : 0
  }
  const [ipv4, ipv6, mac, device] = [address('ipv4_address'), address('ipv6_address'), macAt(find('mac_address'), reader), textAt(find('interface_name'), reader)]
  return {
    network: key, span: keySpan, addresses: { ...(ipv4 ? { ipv4 } : {}), ...(ipv6 ? { ipv6 } : {}) }, gatewayPriority: number('gw_priority'), priority: number('priority'),
    ...(mac === undefined ? {} : { mac }), ...(device === undefined ? {} : { device }),
  }
}

function macAt(entry: YamlEntry | undefined, reader: ComposeReader): string | undefined {
  const text = textAt(entry, reader)
  const digits = text?.toLowerCase().replaceAll(/[:.-]/g, '')
  if (!entry || digits === undefined) return undefined
  if (/^[0-9a-f]{12}$/.test(digits)) return digits
  complain(entry.value.reader, 'bad-value', entry.value.span, `\`${text}\` is not a MAC address`)
  return undefined
}

/** A mapping, or a list of `name=value`. */
function readSysctls(entry: YamlEntry | undefined, reader: ComposeReader): Readonly<Record<string, string>> {
  if (!entry) return {}
  if (isMapping(entry.value)) return Object.fromEntries(entriesOf(entry.value, '`sysctls`').map(({ key, value }) => [key, filledText(value, `sysctl \`${key}\``, reader) ?? '']))
  return Object.fromEntries(namesAt(entry, reader).map(({ value }) => {
    const equals = value.indexOf('=')
    return [value.slice(0, equals === -1 ? undefined : equals), equals === -1 ? '' : value.slice(equals + 1)]
  }))
}
