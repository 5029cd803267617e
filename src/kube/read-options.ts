/** What kube-proxy is told: its configuration, the Node object, and flags over both. Source: kubernetes cmd/kube-proxy/app/server_linux.go. */

import { fieldsOf } from '../draft/fields.ts'
import type { FieldNotes } from '../draft/fields.ts'
import { addressOf, choiceOf, deviceOf, listOf, subnetOf } from '../draft/values.ts'
import { addressWidth, familyOf } from '../net/address.ts'
import type { Address, Prefix } from '../net/address.ts'
import { prefixAround, readAddressWithLength } from '../net/prefix-math.ts'
import { complain, entryNamed, flagOf, numberOf, textOf } from '../yaml/yaml-reader.ts'
import type { YamlEntry, YamlValue } from '../yaml/yaml-reader.ts'
import { CONFIG_KEYS, IPTABLES_KEYS } from './manifest-keys.ts'
import { labelOf, readText } from './manifest.ts'
import type { Manifest } from './manifest.ts'
import { DEFAULT_OPTIONS } from './model.ts'
import type { LocalDetector, ProxyOptions } from './model.ts'

/** Reads the options from the objects of a cluster; `flags` come over them. */
export function readOptions(manifests: readonly Manifest[], flags: Partial<ProxyOptions>, notes: FieldNotes): ProxyOptions {
  const config = manifests.find(({ kind }) => kind === 'KubeProxyConfiguration')
  const nodes = manifests.filter(({ kind }) => kind === 'Node')
  const read = config ? readConfig(config.value, notes) : undefined
  const nodeName = flags.nodeName ?? read?.nodeName ?? (nodes.length === 1 ? nodes[0]?.name : undefined)
  const node = nodes.find(({ name }) => name === nodeName)
  const nodeAddresses = flags.nodeAddresses ?? (node ? addressesOf(node) : [])
  const mode = read?.detectsBy === 'NodeCIDR' && node ? podPrefixes(node) : undefined
  return {
    ...DEFAULT_OPTIONS, ...read?.options,
    ...(mode ? { detector: { kind: 'prefixes', prefixes: mode } } : {}),
    zone: node && labelOf(node, 'topology.kubernetes.io/zone'),
    ...flags, nodeName, nodeAddresses,
    nodePortPrefixes: flags.nodePortPrefixes ?? (read?.isPrimaryOnly ? primaryPrefixes(nodeAddresses) : read?.options.nodePortPrefixes),
  }
}

/** Returns the prefix that each family's first address is alone in. */
function primaryPrefixes(addresses: readonly Address[]): readonly Prefix[] {
  const firsts = addresses.filter((address, index) => addresses.findIndex(other => familyOf(other) === familyOf(address)) === index)
  return firsts.map(address => prefixAround(address, addressWidth(familyOf(address))))
}

interface ConfigReading {
  readonly options: Partial<ProxyOptions>
  readonly nodeName: string | undefined
  readonly detectsBy: string | undefined
  readonly isPrimaryOnly: boolean
}

function readConfig(value: YamlValue, notes: FieldNotes): ConfigReading {
  const field = fieldsOf(value, 'the configuration of kube-proxy', CONFIG_KEYS, notes)
  const mode = field('mode')
  const word = mode && textOf(mode.value, '`mode`')
  if (mode && word !== 'iptables' && word !== '') notes.report('not-modelled', 'note', mode.value.span, `mode \`${word ?? ''}\` of kube-proxy is not modelled: these are the rules of mode iptables`)
  const own = field('iptables')
  const iptables = own ? fieldsOf(own.value, '`iptables`', IPTABLES_KEYS, notes) : () => undefined
  const bit = iptables('masqueradeBit')
  const conntrack = field('conntrack')
  const liberal = conntrack && entryNamed(conntrack.value, 'tcpBeLiberal')
  const ports = listOf(field('nodePortAddresses')?.value, '`nodePortAddresses`')
  const isPrimaryOnly = ports.length === 1 && ports[0] !== undefined && textOf(ports[0], 'a node port address') === 'primary'
  const by = field('detectLocalMode')
  const detectsBy = by && textOf(by.value, '`detectLocalMode`')
  const name = readText(value, 'hostnameOverride')
  return {
    nodeName: name === '' ? undefined : name,
    detectsBy, isPrimaryOnly,
    options: {
      ...flag('masqueradeAll', iptables('masqueradeAll')), ...flag('localhostNodePorts', iptables('localhostNodePorts')), ...flag('isLiberal', liberal),
      ...(bit ? { masqueradeBit: numberOf(bit.value, '`masqueradeBit`', 0, 31) ?? DEFAULT_OPTIONS.masqueradeBit } : {}),
      ...(ports.length === 0 || isPrimaryOnly ? {} : { nodePortPrefixes: ports.flatMap(item => prefixOf(item, 'a node port address')) }),
      detector: readDetector(field, detectsBy),
    },
  }
}

function flag<K extends 'masqueradeAll' | 'localhostNodePorts' | 'isLiberal'>(key: K, entry: YamlEntry | undefined): Partial<Record<K, boolean>> {
  const value = entry && flagOf(entry.value, `\`${entry.key}\``)
  if (value === undefined) return {}
  const given: Partial<Record<K, boolean>> = {}
  given[key] = value
  return given
}

function readDetector(field: (key: string) => YamlEntry | undefined, mode: string | undefined): LocalDetector {
  const [own, cidr, by] = [field('detectLocal'), field('clusterCIDR'), field('detectLocalMode')]
  if (mode === 'BridgeInterface' || mode === 'InterfaceNamePrefix') {
    const isPrefix = mode === 'InterfaceNamePrefix'
    const entry = own && entryNamed(own.value, isPrefix ? 'interfaceNamePrefix' : 'bridgeInterface')
    const name = entry && !isEmptyText(entry.value) ? deviceOf(entry.value, `\`${entry.key}\``) : undefined
    if (by && (!entry || isEmptyText(entry.value))) complain(by.value.reader, 'missing-key', by.value.span, `\`${mode}\` needs \`detectLocal.${isPrefix ? 'interfaceNamePrefix' : 'bridgeInterface'}\``)
    return name === undefined ? { kind: 'none' } : { kind: 'device', name, isPrefix }
  }
  if (by && mode !== '' && mode !== 'ClusterCIDR' && mode !== 'NodeCIDR') choiceOf(by.value, '`detectLocalMode`', ['ClusterCIDR', 'NodeCIDR', 'BridgeInterface', 'InterfaceNamePrefix'])
  return cidr ? detectorOf(readPrefixes(cidr.value)) : { kind: 'none' }
}

function isEmptyText(value: YamlValue): boolean {
  return textOf(value, 'the name') === ''
}

/** Returns the detector of prefixes; without any kube-proxy cannot tell pods from others. */
export function detectorOf(prefixes: readonly Prefix[]): LocalDetector {
  return prefixes.length === 0 ? { kind: 'none' } : { kind: 'prefixes', prefixes }
}

/** Reads one prefix, or one of each family with a comma between. */
export function readPrefixes(value: YamlValue): readonly Prefix[] {
  const text = textOf(value, 'the pods\' subnet')
  if (text === undefined || text === '') return []
  return text.split(',').flatMap(part => {
    const subnet = readAddressWithLength(part.trim())
    if (!subnet) complain(value.reader, 'bad-value', value.span, `\`${part.trim()}\` is not a subnet`, 'write it with the length of its prefix, such as 10.244.0.0/16')
    return subnet ? [prefixAround(subnet.address, subnet.length)] : []
  })
}

function prefixOf(value: YamlValue, what: string): readonly Prefix[] {
  const subnet = subnetOf(value, what)
  return subnet ? [prefixAround(subnet.address, subnet.length)] : []
}

/** The address by which a node is known comes first. */
function addressesOf({ value }: Manifest): readonly Address[] {
  const status = entryNamed(value, 'status')
  const entries = status && entryNamed(status.value, 'addresses')
  const all = listOf(entries?.value, '`addresses`').flatMap(item => {
    const [type, address] = [readText(item, 'type'), entryNamed(item, 'address')]
    const read = address && (type === 'InternalIP' || type === 'ExternalIP') ? addressOf(address.value, '`address`') : undefined
    return read === undefined ? [] : [{ read, rank: type === 'InternalIP' ? 0 : 1 }]
  })
  return all.toSorted((one, other) => one.rank - other.rank).map(({ read }) => read)
}

function podPrefixes({ value }: Manifest): readonly Prefix[] {
  const spec = entryNamed(value, 'spec')
  const many = spec && entryNamed(spec.value, 'podCIDRs')
  const one = spec && entryNamed(spec.value, 'podCIDR')
  return many ? listOf(many.value, '`podCIDRs`').flatMap(item => prefixOf(item, 'a pod subnet')) : one ? prefixOf(one.value, '`podCIDR`') : []
}
