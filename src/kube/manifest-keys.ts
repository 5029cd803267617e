/** The keys of Kubernetes objects that kube-proxy reads. Source: kubernetes api core/v1 ServiceSpec, discovery/v1 EndpointSlice, kube-proxy.config.k8s.io/v1alpha1 KubeProxyConfiguration. */

import type { KeyTable } from '../draft/fields.ts'

/** Keys of every object. */
const OBJECT_KEYS = ['apiVersion', 'kind', 'metadata']

/** Keys of a list of objects. */
export const LIST_KEYS = { modelled: [...OBJECT_KEYS, 'items'], harmless: [], open: {} } as const satisfies KeyTable

/** Keys of a Service. */
export const SERVICE_KEYS = { modelled: [...OBJECT_KEYS, 'spec', 'status'], harmless: [], open: {} } as const satisfies KeyTable

/** Keys of a Service's `spec`. */
export const SPEC_KEYS = {
  modelled: [
    'type', 'clusterIP', 'clusterIPs', 'ports', 'externalIPs', 'externalTrafficPolicy', 'internalTrafficPolicy', 'healthCheckNodePort', 'loadBalancerSourceRanges',
    'sessionAffinity', 'sessionAffinityConfig',
  ],
  harmless: [
    'allocateLoadBalancerNodePorts', 'externalName', 'ipFamilies', 'ipFamilyPolicy', 'ipFamily', 'loadBalancerClass', 'loadBalancerIP', 'publishNotReadyAddresses', 'selector',
    'topologyKeys', 'trafficDistribution',
  ],
  open: {},
} as const satisfies KeyTable

/** Keys of a port of a Service. */
export const PORT_KEYS = { modelled: ['name', 'port', 'protocol', 'nodePort'], harmless: ['appProtocol', 'targetPort'], open: {} } as const satisfies KeyTable

/** Keys of an entry of a load balancer's `ingress`. */
export const INGRESS_KEYS = { modelled: ['ip', 'ipMode'], harmless: ['hostname', 'ports'], open: {} } as const satisfies KeyTable

/** Keys of an EndpointSlice. */
export const SLICE_KEYS = { modelled: [...OBJECT_KEYS, 'addressType', 'endpoints', 'ports'], harmless: [], open: {} } as const satisfies KeyTable

/** Keys of an endpoint. */
export const ENDPOINT_KEYS = { modelled: ['addresses', 'conditions', 'hints', 'nodeName'], harmless: ['deprecatedTopology', 'hostname', 'targetRef', 'zone'], open: {} } as const satisfies KeyTable

/** Keys of an endpoint's `conditions`. */
export const CONDITION_KEYS = { modelled: ['ready', 'serving', 'terminating'], harmless: [], open: {} } as const satisfies KeyTable

/** Keys of an endpoint's `hints`. */
export const HINT_KEYS = { modelled: ['forZones', 'forNodes'], harmless: [], open: {} } as const satisfies KeyTable

/** Keys of a port of an EndpointSlice. */
export const SLICE_PORT_KEYS = { modelled: ['name', 'port', 'protocol'], harmless: ['appProtocol'], open: {} } as const satisfies KeyTable

/** Keys of kube-proxy's own configuration. */
export const CONFIG_KEYS = {
  modelled: [...OBJECT_KEYS, 'clusterCIDR', 'conntrack', 'detectLocal', 'detectLocalMode', 'hostnameOverride', 'iptables', 'mode', 'nodePortAddresses'],
  harmless: [
    'bindAddress', 'bindAddressHardFail', 'clientConnection', 'configSyncPeriod', 'enableProfiling', 'featureGates', 'healthzBindAddress', 'ipvs', 'logging', 'metricsBindAddress',
    'nftables', 'oomScoreAdj', 'portRange', 'showHiddenMetricsForVersion', 'udpIdleTimeout', 'windowsRunAsService', 'winkernel',
  ],
  open: {},
} as const satisfies KeyTable

/** Keys of `iptables` there. */
export const IPTABLES_KEYS = { modelled: ['localhostNodePorts', 'masqueradeAll', 'masqueradeBit'], harmless: ['minSyncPeriod', 'syncPeriod'], open: {} } as const satisfies KeyTable

/** Keys of a compact description. */
export const COMPACT_KEYS = {
  modelled: [
    'clusterCIDR', 'conntrackTCPBeLiberal', 'localhostNodePorts', 'localEndpoints', 'masqueradeAll', 'masqueradeBit', 'nfacct', 'nodeAddresses', 'nodeIP', 'nodeName', 'nodePortAddresses',
    'randomFully', 'services', 'zone',
  ],
  harmless: [],
  open: {},
} as const satisfies KeyTable

/** Keys of a service of a compact description. */
export const COMPACT_SERVICE_KEYS = {
  modelled: [
    'name', 'type', 'protocol', 'clusterIP', 'clusterIPs', 'port', 'nodePort', 'externalIPs', 'loadBalancerIPs', 'loadBalancerSourceRanges', 'externalTrafficPolicy',
    'internalTrafficPolicy', 'healthCheckNodePort', 'sessionAffinity', 'sessionAffinityTimeout', 'endpoints', 'localEndpoints',
  ],
  harmless: [],
  open: {},
} as const satisfies KeyTable

/** Keys of an endpoint of a compact description, where it is a mapping. */
export const COMPACT_ENDPOINT_KEYS = { modelled: ['address', 'ip', 'port', 'node', 'nodeName', 'local', 'isLocal', 'ready', 'serving', 'terminating', 'zones', 'nodes'], harmless: [], open: {} } as const satisfies KeyTable
