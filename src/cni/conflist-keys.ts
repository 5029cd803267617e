/** The keys of network configuration lists. Source: containernetworking/cni SPEC.md section 1, www.cni.dev/plugins. */

import type { KeyTable } from '../draft/fields.ts'

/** Keys of the list itself; a single plugin without a list has its own among them. */
export const LIST_KEYS = {
  modelled: ['name', 'plugins', 'x-containers'],
  harmless: ['cniVersion', 'cniVersions', 'disableCheck', 'disableGC', 'loadOnlyInlinedPlugins'],
  open: {},
} as const satisfies KeyTable

/** Keys that every plugin may have. */
const PLUGIN_KEYS = ['type', 'capabilities', 'ipam', 'runtimeConfig']
const PLUGIN_HARMLESS = ['args', 'cniVersion', 'dns', 'name', 'prevResult', 'tokenId']

/** Keys of `bridge`. */
export const BRIDGE_KEYS = {
  modelled: [...PLUGIN_KEYS, 'bridge', 'hairpinMode', 'ipMasq', 'ipMasqBackend', 'isDefaultGateway', 'isGateway', 'mtu', 'promiscMode'],
  harmless: [...PLUGIN_HARMLESS, 'disableContainerInterface', 'enabledad', 'forceAddress', 'mac', 'preserveDefaultVlan'],
  open: {
    macspoofchk: 'its rules are written with nftables, not with iptables',
    portIsolation: 'bridge ports may not talk to each other then',
    vlan: 'VLANs of a bridge are not modelled',
    vlanTrunk: 'VLANs of a bridge are not modelled',
  },
} as const satisfies KeyTable

/** Keys of `firewall`. */
export const FIREWALL_KEYS = {
  modelled: [...PLUGIN_KEYS, 'backend', 'ingressPolicy', 'iptablesAdminChainName'],
  harmless: PLUGIN_HARMLESS,
  open: { firewalldZone: 'zones of firewalld are not modelled' },
} as const satisfies KeyTable

/** Keys of `portmap`. */
export const PORTMAP_KEYS = {
  modelled: [...PLUGIN_KEYS, 'backend', 'conditionsV4', 'conditionsV6', 'externalSetMarkChain', 'markMasqBit', 'masqAll', 'snat'],
  harmless: PLUGIN_HARMLESS,
  open: {},
} as const satisfies KeyTable

/** Keys of `ipam`; subnet and its kin stand there in older files, in `ranges` today. */
export const IPAM_KEYS = {
  modelled: ['type', 'ranges', 'routes', 'subnet', 'rangeStart', 'rangeEnd', 'gateway', 'addresses'],
  harmless: ['dataDir', 'dns', 'name', 'resolvConf'],
  open: {},
} as const satisfies KeyTable

/** Keys of a range. */
export const RANGE_KEYS = { modelled: ['subnet', 'rangeStart', 'rangeEnd', 'gateway'], harmless: [], open: {} } as const satisfies KeyTable

/** Keys of a route. */
export const ROUTE_KEYS = { modelled: ['dst', 'gw'], harmless: ['mtu', 'advmss', 'priority', 'table', 'scope'], open: {} } as const satisfies KeyTable

/** Keys of a static address. */
export const FIXED_KEYS = { modelled: ['address', 'gateway'], harmless: [], open: {} } as const satisfies KeyTable

/** Keys of a pod. */
export const POD_KEYS = { modelled: ['name', 'id', 'containerId', 'network', 'addresses', 'ips', 'ports', 'portMappings'], harmless: ['namespace', 'labels'], open: {} } as const satisfies KeyTable

/** Keys of a port mapping. */
export const MAPPING_KEYS = { modelled: ['hostPort', 'containerPort', 'protocol', 'hostIP'], harmless: ['name'], open: {} } as const satisfies KeyTable

/** Plugins that leave rules and addresses alone. */
export const SILENT_PLUGINS: Readonly<Record<string, string>> = {
  bandwidth: 'it shapes traffic', loopback: 'every pod has its loopback device', tuning: 'its sysctls and device settings are not read', sbr: 'its routing rules are not read',
  vrf: 'its routing table is not read',
}
