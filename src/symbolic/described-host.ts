/** A namespace as the symbolic run asks about it. */

import { any, equals } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import type { Family } from '../net/address.ts'
import type { Fib } from '../topology/fib.ts'
import { sysctlNumber } from '../topology/topology.ts'
import type { Device, Namespace } from '../topology/topology.ts'

/** What the questions of one namespace are answered from. */
export interface DescribedHost {
  readonly namespace: Namespace
  readonly family: Family
  readonly fib: Fib
  readonly devices: readonly Device[]
}

/** Returns a per-device sysctl of ipv4: the larger of `all` and the device's (or `default`'s) own. */
export function deviceSysctl(namespace: Namespace, device: string, name: string): number {
  const read = (scope: string, otherwise: number): number => sysctlNumber(namespace, `net.ipv4.conf.${scope}.${name}`, otherwise)
  return Math.max(read('all', 0), read(device, read('default', 0)))
}

/** Returns "the address is an own one of the namespace". */
export function isOwn(namespace: Namespace, field: 'ip.src' | 'ip.dst', family: Family): Predicate {
  return any(namespace.devices.flatMap(device => device.addresses.flatMap(({ address }) => (typeof address === (family === 'ipv4' ? 'number' : 'bigint') ? [equals(field, address)] : []))))
}
