/** A node with calico: felix' settings, the pods on it and the policies for them, as a compact YAML names them. */

import { fieldsOf } from '../draft/fields.ts'
import type { FieldNotes } from '../draft/fields.ts'
import { reportMissing, requiredText } from '../draft/required.ts'
import { choiceOf, deviceOf, listOf, subnetOf } from '../draft/values.ts'
import type { Prefix } from '../net/address.ts'
import { prefixAround } from '../net/prefix-math.ts'
import { protocolNumber } from '../net/protocol.ts'
import type { NumberRange } from '../net/ranges.ts'
import { sha1 } from '../net/sha1.ts'
import { hexDigits } from '../net/sha256.ts'
import { complain, entryNamed, flagOf, itemsOf, numberOf, textOf } from '../yaml/yaml-reader.ts'
import type { YamlEntry, YamlValue } from '../yaml/yaml-reader.ts'

/** A rule of a policy; empty lists match everything. */
export interface PolicyRule {
  readonly action: 'allow' | 'deny' | 'pass'
  readonly protocol: { readonly name: string; readonly number: number } | undefined
  readonly from: readonly Prefix[]
  readonly to: readonly Prefix[]
  readonly sourcePorts: readonly NumberRange[]
  readonly ports: readonly NumberRange[]
}

/** A NetworkPolicy of Kubernetes, or another kind. */
export interface CalicoPolicy {
  readonly kind: string
  /** By which pods name it: `namespace/name`. */
  readonly key: string
  readonly ingress: readonly PolicyRule[]
  readonly egress: readonly PolicyRule[]
}

/** A pod. */
export interface CalicoWorkload {
  readonly name: string
  readonly device: string
  readonly profiles: readonly string[]
  readonly ingress: readonly CalicoPolicy[]
  readonly egress: readonly CalicoPolicy[]
}

/** A node. */
export interface CalicoNode {
  readonly ipip: boolean
  readonly vxlan: boolean
  readonly vxlanPort: number
  readonly toHost: 'ACCEPT' | 'DROP' | 'RETURN'
  readonly natOutgoing: boolean
  readonly workloads: readonly CalicoWorkload[]
}

const FILE_KEYS = { modelled: ['felix', 'ippool', 'workloads', 'networkPolicies'], harmless: [], open: { hostEndpoints: 'policies of the node itself are missing', globalNetworkPolicies: 'they are missing' } } as const
const FELIX_KEYS = {
  modelled: ['ipipEnabled', 'vxlanEnabled', 'vxlanPort', 'defaultEndpointToHostAction'],
  harmless: [],
  open: { ipv6Support: 'the rules of IPv6 are missing', flowLogs: 'rules that log are missing', wireguardEnabled: 'its rules are missing', chainInsertMode: 'jumps are inserted' },
} as const
const POOL_KEYS = { modelled: ['natOutgoing'], harmless: ['cidr', 'ipipMode', 'vxlanMode', 'blockSize', 'nodeSelector'], open: {} } as const
const WORKLOAD_KEYS = { modelled: ['namespace', 'pod', 'interface', 'profiles', 'policies'], harmless: ['ip', 'ips', 'node'], open: {} } as const
const DIRECTION_KEYS = { modelled: ['ingress', 'egress'], harmless: [], open: {} } as const
const POLICY_KEYS = { modelled: ['namespace', 'name', 'kind', 'ingress', 'egress'], harmless: ['selector', 'order', 'tier'], open: {} } as const
const RULE_KEYS = { modelled: ['action', 'protocol', 'from', 'to', 'ports', 'sourcePorts'], harmless: [], open: { selector: 'ipsets of selectors are not known here' } } as const

/** The names by which policy chains know kinds. */
export const POLICY_KINDS = { KubernetesNetworkPolicy: 'knp', NetworkPolicy: 'np', GlobalNetworkPolicy: 'gnp' } as const

/** Tells whether a file describes a node with calico. */
export function looksLikeCalico(root: YamlValue): boolean {
  return entryNamed(root, 'felix') !== undefined || (entryNamed(root, 'workloads') !== undefined && entryNamed(root, 'ippool') !== undefined)
}

/** Reads a node. */
export function readCalico(root: YamlValue, notes: FieldNotes): CalicoNode {
  const file = fieldsOf(root, 'the description of calico', FILE_KEYS, notes)
  const [felixEntry, poolEntry] = [file('felix'), file('ippool')]
  const felix = felixEntry ? fieldsOf(felixEntry.value, '`felix`', quietKeys(felixEntry.value), notes) : () => undefined
  const pool = poolEntry ? fieldsOf(poolEntry.value, '`ippool`', POOL_KEYS, notes) : () => undefined
  const [port, action] = [felix('vxlanPort'), felix('defaultEndpointToHostAction')]
  const policies = listOf(file('networkPolicies')?.value, '`networkPolicies`').map(value => readPolicy(value, notes))
  const byKey = new Map(policies.map(policy => [policy.key, policy]))
  return {
    ipip: flag(felix('ipipEnabled'), false), vxlan: flag(felix('vxlanEnabled'), false),
    vxlanPort: (port && numberOf(port.value, '`vxlanPort`', 1, 65535)) ?? 4789,
    toHost: (action && choiceOf(action.value, '`defaultEndpointToHostAction`', ['ACCEPT', 'DROP', 'RETURN'])) ?? 'DROP',
    natOutgoing: flag(pool('natOutgoing'), false),
    workloads: listOf(file('workloads')?.value, '`workloads`').map(value => readWorkload(value, byKey, notes)),
  }
}

/** What is not modelled is told only where it is switched on. */
function quietKeys(felix: YamlValue): { readonly modelled: readonly string[]; readonly harmless: readonly string[]; readonly open: Readonly<Record<string, string>> } {
  const isOff = (key: string): boolean => {
    const entry = entryNamed(felix, key)
    return entry !== undefined && /^(false|no|off|disabled|insert)$/i.test(textOf(entry.value, `\`${key}\``) ?? '')
  }
  const open = Object.entries(FELIX_KEYS.open)
  return { modelled: FELIX_KEYS.modelled, harmless: open.map(([key]) => key).filter(isOff), open: Object.fromEntries(open.filter(([key]) => !isOff(key))) }
}

function readWorkload(value: YamlValue, policies: ReadonlyMap<string, CalicoPolicy>, notes: FieldNotes): CalicoWorkload {
  const field = fieldsOf(value, 'a workload', WORKLOAD_KEYS, notes)
  const [namespace, device, chosen] = [field('namespace'), field('interface'), field('policies')]
  const pod = requiredText(field('pod'), value, 'a workload', 'pod') ?? ''
  const name = `${(namespace && textOf(namespace.value, '`namespace`')) ?? 'default'}.${pod}`
  const direction = chosen ? fieldsOf(chosen.value, '`policies`', DIRECTION_KEYS, notes) : () => undefined
  const named = (key: 'ingress' | 'egress'): readonly CalicoPolicy[] => itemsFor(direction(key)).flatMap(item => {
    const text = textOf(item, 'a policy')
    const policy = text === undefined ? undefined : policies.get(text)
    if (text !== undefined && !policy) complain(item.reader, 'unknown-name', item.span, `there is no policy \`${text}\``, policies.size === 0 ? undefined : `known are ${[...policies.keys()].join(', ')}`)
    return policy ? [policy] : []
  })
  return {
    name: name.replace('.', '/'),
    device: (device && deviceOf(device.value, '`interface`')) ?? `cali${hexDigits(sha1(name)).slice(0, 11)}`,
    profiles: itemsFor(field('profiles')).flatMap(item => readProfile(item, notes)),
    ingress: named('ingress'), egress: named('egress'),
  }
}

function itemsFor(entry: YamlEntry | undefined): readonly YamlValue[] {
  return entry ? itemsOf(entry.value) : []
}

/** Profiles of namespaces let everything through, those of service accounts have no rules. */
function readProfile(value: YamlValue, { report }: FieldNotes): readonly string[] {
  const text = textOf(value, 'a profile')
  if (text !== undefined && !/^(kns|ksa)\./.test(text)) report('not-modelled', 'note', value.span, `the rules of profile \`${text}\` are not known`)
  return text === undefined ? [] : [text]
}

function readPolicy(value: YamlValue, notes: FieldNotes): CalicoPolicy {
  const field = fieldsOf(value, 'a policy', POLICY_KEYS, notes)
  const name = requiredText(field('name'), value, 'a policy', 'name') ?? ''
  const [namespace, kind] = [field('namespace'), field('kind')]
  const rules = (key: 'ingress' | 'egress'): readonly PolicyRule[] => listOf(field(key)?.value, `\`${key}\``).map(item => readRule(item, notes))
  const place = namespace && textOf(namespace.value, '`namespace`')
  return {
    kind: (kind && choiceOf(kind.value, '`kind`', ['KubernetesNetworkPolicy', 'NetworkPolicy', 'GlobalNetworkPolicy'])) ?? 'KubernetesNetworkPolicy',
    key: place === undefined ? name : `${place}/${name}`,
    ingress: rules('ingress'), egress: rules('egress'),
  }
}

function readRule(value: YamlValue, notes: FieldNotes): PolicyRule {
  const field = fieldsOf(value, 'a rule', RULE_KEYS, notes)
  const [action, protocol] = [field('action'), field('protocol')]
  const name = protocol && textOf(protocol.value, '`protocol`')?.toLowerCase()
  const number = name === undefined ? undefined : (protocolNumber(name) ?? (/^\d+$/.test(name) ? Number(name) : undefined))
  if (protocol && name !== undefined && number === undefined) complain(value.reader, 'bad-value', protocol.value.span, `protocol \`${name}\` is not known`)
  const prefixes = (key: string): readonly Prefix[] => itemsFor(field(key)).flatMap(item => {
    const subnet = subnetOf(item, `\`${key}\``)
    return subnet ? [prefixAround(subnet.address, subnet.length)] : []
  })
  const ports = (key: string): readonly NumberRange[] => {
    const items = itemsFor(field(key))
    if (items.length > 0 && name !== 'tcp' && name !== 'udp' && name !== 'sctp') reportMissing(value, `a rule with \`${key}\``, 'protocol: tcp, udp or sctp')
    return items.flatMap(readPorts)
  }
  return {
    action: (action && choiceOf(action.value, '`action`', ['allow', 'deny', 'pass'])) ?? 'allow',
    protocol: name !== undefined && number !== undefined ? { name, number } : undefined,
    from: prefixes('from'), to: prefixes('to'), sourcePorts: ports('sourcePorts'), ports: ports('ports'),
  }
}

function readPorts(value: YamlValue): readonly NumberRange[] {
  const text = textOf(value, 'a port')
  const [low = Number.NaN, high = low] = (text ?? '').split(/[:-]/).map(Number)
  if (low >= 1 && high >= low && high <= 65535) return [{ low, high }]
  if (text !== undefined) complain(value.reader, 'bad-value', value.span, `\`${text}\` is not a port from 1 to 65535, nor a range of them`)
  return []
}

function flag(entry: YamlEntry | undefined, otherwise: boolean): boolean {
  return (entry && flagOf(entry.value, `\`${entry.key}\``)) ?? otherwise
}
