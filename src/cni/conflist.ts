/** A network configuration list (JSON, or YAML of the same shape) -> a network. Source: containernetworking/plugins plugins/main/bridge, plugins/meta/firewall, plugins/meta/portmap. */

import { fieldsOf } from '../draft/fields.ts'
import type { FieldNotes } from '../draft/fields.ts'
import { requiredText } from '../draft/required.ts'
import { chainOf, choiceOf, deviceOf, listOf } from '../draft/values.ts'
import { complain, entryNamed, flagOf, numberOf } from '../yaml/yaml-reader.ts'
import type { YamlEntry, YamlValue } from '../yaml/yaml-reader.ts'
import { readConditions } from './conditions.ts'
import { BRIDGE_KEYS, FIREWALL_KEYS, LIST_KEYS, PORTMAP_KEYS, SILENT_PLUGINS } from './conflist-keys.ts'
import { NO_IPAM, readIpam } from './ipam.ts'
import { INGRESS_POLICIES } from './model.ts'
import type { BridgePlugin, CniNetwork, CniPlugin, FirewallPlugin, PortmapPlugin } from './model.ts'

type Fields = (key: string) => YamlEntry | undefined

/** Returns the network; what is wrong is complained of and left out. */
export function readConflist(root: YamlValue, notes: FieldNotes): CniNetwork {
  const list = fieldsOf(root, 'the configuration list', LIST_KEYS, notes)
  const name = requiredText(list('name'), root, 'the configuration list', 'name') ?? ''
  const plugins = listOf(list('plugins')?.value, '`plugins`').flatMap(value => readPlugin(value, notes))
  const network: CniNetwork = { name, plugins, span: list('name')?.value.span ?? root.span }
  reportOrder(network, notes)
  return network
}

/** Without a bridge before them the other plugins have neither addresses nor a device. */
function reportOrder({ plugins, span }: CniNetwork, { report }: FieldNotes): void {
  const [first] = plugins
  if (first && first.kind !== 'bridge') report('engine-refuses', 'error', span, `\`${first.kind}\` stands before \`bridge\`: it has no pod to work on`, { help: 'put the plugin that makes devices and addresses first' })
}

function readPlugin(value: YamlValue, notes: FieldNotes): readonly CniPlugin[] {
  const type = typeOf(value)
  if (type?.text === 'bridge') return [readBridge(value, fieldsOf(value, 'plugin `bridge`', BRIDGE_KEYS, notes), notes)]
  if (type?.text === 'firewall') return [readFirewall(fieldsOf(value, 'plugin `firewall`', FIREWALL_KEYS, notes), notes)]
  if (type?.text === 'portmap') return readPortmap(fieldsOf(value, 'plugin `portmap`', PORTMAP_KEYS, notes), notes)
  if (type) {
    const silent = SILENT_PLUGINS[type.text]
    notes.report('not-modelled', 'note', type.value.span, `plugin \`${type.text}\` is not modelled: ${silent ?? 'its devices, addresses and rules are missing'}`)
  }
  return []
}

function typeOf(value: YamlValue): { readonly text: string; readonly value: YamlValue } | undefined {
  const entry = entryNamed(value, 'type')
  const text = requiredText(entry, value, 'a plugin', 'type')
  return text === undefined || !entry ? undefined : { text, value: entry.value }
}

function readBridge(value: YamlValue, field: Fields, notes: FieldNotes): BridgePlugin {
  const isDefaultGateway = flag(field('isDefaultGateway'), false)
  const hairpin = flag(field('hairpinMode'), false)
  const promiscuous = field('promiscMode')
  if (hairpin && promiscuous && flag(promiscuous, false)) complain(value.reader, 'engine-refuses', promiscuous.keySpan, '`promiscMode` and `hairpinMode` exclude each other')
  const backend = field('ipMasqBackend')
  const isNative = backend !== undefined && choiceOf(backend.value, '`ipMasqBackend`', ['iptables', 'nftables']) === 'nftables'
  if (isNative) notes.report('not-modelled', 'note', backend.keySpan, '`ipMasqBackend: nftables` is not modelled: no masquerading rules are written with iptables')
  const name = field('bridge')
  const mtu = field('mtu')
  const ipam = field('ipam')
  return {
    kind: 'bridge',
    bridge: (name && deviceOf(name.value, '`bridge`')) ?? 'cni0',
    isGateway: isDefaultGateway || flag(field('isGateway'), false),
    isDefaultGateway,
    masquerades: !isNative && flag(field('ipMasq'), false),
    hairpin,
    mtu: (mtu && numberOf(mtu.value, '`mtu`', 68, 65535)) ?? 1500,
    ipam: ipam ? readIpam(ipam.value, notes) : NO_IPAM,
  }
}

function readFirewall(field: Fields, { report }: FieldNotes): FirewallPlugin {
  const backend = field('backend')
  const program = backend && choiceOf(backend.value, '`backend`', ['iptables', 'firewalld', 'nftables'])
  if (backend && program && program !== 'iptables') report('not-modelled', 'note', backend.keySpan, `\`backend: ${program}\` is not modelled: its accepting rules are not written with iptables`)
  const admin = field('iptablesAdminChainName')
  const policy = field('ingressPolicy')
  return {
    kind: 'firewall',
    usesIptables: program === undefined || program === 'iptables',
    adminChain: (admin && chainOf(admin.value, '`iptablesAdminChainName`')) ?? 'CNI-ADMIN',
    ingressPolicy: (policy && choiceOf(policy.value, '`ingressPolicy`', INGRESS_POLICIES)) ?? 'open',
  }
}

function readPortmap(field: Fields, notes: FieldNotes): readonly PortmapPlugin[] {
  const backend = field('backend')
  const program = backend && choiceOf(backend.value, '`backend`', ['iptables', 'nftables'])
  if (backend && program === 'nftables') {
    notes.report('not-modelled', 'note', backend.keySpan, '`backend: nftables` is not modelled: no ports are published with iptables')
    return []
  }
  const bit = field('markMasqBit')
  const chain = field('externalSetMarkChain')
  if (bit && chain) complain(chain.value.reader, 'engine-refuses', chain.keySpan, '`externalSetMarkChain` and `markMasqBit` exclude each other')
  const capabilities = field('capabilities')
  const markChain = chain && chainOf(chain.value, '`externalSetMarkChain`')
  if (chain && markChain !== undefined) notes.report('foreign-chain', 'note', chain.value.span, `portmap does not make chain \`${markChain}\`: the rules cannot be loaded where it is not there yet`, { help: 'give the rules that have it with `--base`' })
  return [{
    kind: 'portmap',
    snat: flag(field('snat'), true),
    markBit: (bit && numberOf(bit.value, '`markMasqBit`', 0, 31)) ?? 13,
    markChain,
    masqueradesAll: flag(field('masqAll'), false),
    conditions: { ipv4: readConditions(field('conditionsV4')?.value, 'ipv4'), ipv6: readConditions(field('conditionsV6')?.value, 'ipv6') },
    takesMappings: capabilities !== undefined && flag(fieldsOf(capabilities.value, '`capabilities`', { modelled: ['portMappings'], harmless: [], open: {} }, notes)('portMappings'), false),
  }]
}

function flag(entry: YamlEntry | undefined, otherwise: boolean): boolean {
  return (entry && flagOf(entry.value, `\`${entry.key}\``)) ?? otherwise
}
