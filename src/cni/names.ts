/** Names of chains and comments of the CNI plugins. Source: containernetworking/plugins pkg/utils/utils.go. */

import { hexDigits } from '../net/sha256.ts'
import { sha512 } from '../net/sha512.ts'
import type { Pod } from './model.ts'

/** iptables takes chain names of 28 bytes. */
const NAME_LIMIT = 28

/** Returns the name of a pod's own chain: the prefix and as many digits of the hash as fit. */
export function podChain(prefix: 'CNI-' | 'CNI-DN-', { joined, containerId }: Pod): string {
  return `${prefix}${hexDigits(sha512(`${joined.name}${containerId}`))}`.slice(0, NAME_LIMIT)
}

/** Returns the comment of a pod's rules. One that is too long is cut by the plugin, and by iptables once more: 255 bytes are left. */
export function podComment(prefix: string, { joined, containerId }: Pod): string {
  const text = `${prefix}name: "${joined.name}" id: "${containerId}"`
  return text.length > 255 ? `${text.slice(0, 253)}..` : text
}

/** Returns how sentences call a pod. */
export function podWords({ name }: Pick<Pod, 'name'>): string {
  return `pod ${name}`
}
