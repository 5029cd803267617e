/** Names of kube-proxy's chains. Source: kubernetes pkg/proxy/iptables/proxier.go portProtoHash(), servicePortEndpointChainName(). */

import { writeAddress } from '../net/address.ts'
import type { Address } from '../net/address.ts'
import { sha256 } from '../net/sha256.ts'
import type { Endpoint, ServicePort } from './model.ts'

/** Chains that every node has. */
export const CHAIN = {
  services: 'KUBE-SERVICES',
  external: 'KUBE-EXTERNAL-SERVICES',
  nodePorts: 'KUBE-NODEPORTS',
  forward: 'KUBE-FORWARD',
  firewall: 'KUBE-FIREWALL',
  sources: 'KUBE-PROXY-FIREWALL',
  postrouting: 'KUBE-POSTROUTING',
  mark: 'KUBE-MARK-MASQ',
  canary: 'KUBE-PROXY-CANARY',
} as const

/** Beginnings of the names of chains that belong to one service or endpoint. */
export const SERVICE_PREFIXES = ['KUBE-SVC-', 'KUBE-SVL-', 'KUBE-EXT-', 'KUBE-FW-', 'KUBE-SEP-'] as const

/** Chains of a service port: endpoints of the cluster, those of this node, who comes from outside, who may use the load balancer. */
export type ServiceChain = 'KUBE-SVC-' | 'KUBE-SVL-' | 'KUBE-EXT-' | 'KUBE-FW-'

/** RFC 4648. */
const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** Returns the name of a service port's chain. */
export function serviceChain(prefix: ServiceChain, { name, protocol }: ServicePort): string {
  return `${prefix}${shortHash(`${name}${protocol}`)}`
}

/** Returns the name of an endpoint's chain. */
export function endpointChain({ name, protocol }: ServicePort, endpoint: Endpoint): string {
  return `KUBE-SEP-${shortHash(`${name}${protocol}${endpointText(endpoint)}`)}`
}

/** Returns `address:port`, an IPv6 address in brackets. */
export function endpointText({ address, port }: { readonly address: Address; readonly port: number }): string {
  const text = writeAddress(address)
  return typeof address === 'number' ? `${text}:${port}` : `[${text}]:${port}`
}

/** The first 16 digits in base 32: 80 bits, ten bytes. */
function shortHash(text: string): string {
  const bits = sha256(text).subarray(0, 10).reduce((all, byte) => (all << 8n) | BigInt(byte), 0n)
  return Array.from({ length: 16 }, (_, index) => DIGITS[Number((bits >> BigInt(75 - index * 5)) & 31n)]).join('')
}
