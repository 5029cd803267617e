/** Which subnets networks get that ask for none. Source: daemon/libnetwork/ipams/defaultipam/address_space.go, ipamutils/utils.go. */

import { familyOf } from '../net/address.ts'
import type { Family, Prefix } from '../net/address.ts'
import { addressAt, lengthOf, overlap, prefixAround, sizeOf } from '../net/prefix-math.ts'
import type { AddressPool } from './daemon-options.ts'

/** The pools of an engine that nobody configured: 172.17/16 to 172.31/16, then 192.168/16 in pieces of 4096 addresses. */
const IPV4_POOLS: readonly AddressPool[] = [
  { base: prefixAround(0xac110000, 16), size: 16 },
  { base: prefixAround(0xac120000, 16), size: 16 },
  { base: prefixAround(0xac130000, 16), size: 16 },
  { base: prefixAround(0xac140000, 14), size: 16 },
  { base: prefixAround(0xac180000, 14), size: 16 },
  { base: prefixAround(0xac1c0000, 14), size: 16 },
  { base: prefixAround(0xc0a80000, 16), size: 20 },
]

/** Every engine has a prefix of its own here, made from the host's identity; this one stands for all. */
const IPV6_POOL: AddressPool = { base: prefixAround(0xfd4a5b3c2d1en << 80n, 48), size: 64 }

/** Subnets that are taken, and pools to take more from. */
export interface SubnetPools {
  readonly pools: readonly AddressPool[]
  readonly taken: Prefix[]
}

/** Returns the pools of an engine; a family without a configured pool has the built-in ones. */
export function openPools(configured: readonly AddressPool[]): SubnetPools {
  const of = (family: Family): readonly AddressPool[] => configured.filter(pool => familyOf(pool.base.address) === family)
  const [ipv4, ipv6] = [of('ipv4'), of('ipv6')]
  return { pools: [...(ipv4.length > 0 ? ipv4 : IPV4_POOLS), ...(ipv6.length > 0 ? ipv6 : [IPV6_POOL])], taken: [] }
}

/** Takes the first subnet of a family that overlaps no other; undefined where the pools are used up. */
export function takeSubnet({ pools, taken }: SubnetPools, family: Family): Prefix | undefined {
  for (const { base, size } of pools) {
    if (familyOf(base.address) !== family || size < lengthOf(base)) continue
    const step = sizeOf(prefixAround(base.address, size))
    for (let offset = 0n; offset < sizeOf(base); offset += step) {
      const prefix = prefixAround(addressAt(base, offset), size)
      if (taken.some(other => overlap(other, prefix))) continue
      taken.push(prefix)
      return prefix
    }
  }
  return undefined
}

/** Takes a subnet that was asked for; returns the one that it overlaps, where it does. */
export function claimSubnet({ taken }: SubnetPools, prefix: Prefix): Prefix | undefined {
  const other = taken.find(one => overlap(one, prefix))
  if (!other) taken.push(prefix)
  return other
}
