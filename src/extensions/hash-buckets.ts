/** The token buckets of hashlimit, one for each group of packets. Source: net/netfilter/xt_hashlimit.c hashlimit_mt(), user2credits(). */

import type { Ternary } from '../meaning/subject.ts'

/** 2^37 credits a millisecond, as a 64-bit kernel with 1000 jiffies a second has. */
const CREDITS_PER_MS = 1n << 37n
const CREDITS_PER_TICK = (CREDITS_PER_MS * 1000n) / 1_000_000n

/** What is in a bucket lies between two bounds: when an idle one is forgotten, and so full again, the clean-up decides. */
interface Bucket {
  low: bigint
  high: bigint
  last: number
}

/** The table of all rules with one name; the first of them says how it works. */
export interface BucketTable {
  readonly buckets: Map<string, Bucket>
  readonly cost: bigint
  readonly cap: bigint
  /** Milliseconds after which an idle bucket may be forgotten, and after which it is. */
  readonly expire: number
  readonly forgottenAfter: number
}

/** Returns an empty table; `period` is in 1/1000000 s, times in milliseconds. */
export function makeBucketTable(period: bigint, burst: bigint, expire: number, cleanUp: number): BucketTable {
  return { buckets: new Map(), cost: creditsOf(period), cap: creditsOf(period * burst), expire, forgottenAfter: expire + cleanUp }
}

/** Returns the kernel's 64-bit credits of a period in 1/1000000 s. */
export function creditsOf(period: bigint): bigint {
  return BigInt.asUintN(64, period * CREDITS_PER_TICK)
}

/** Takes one packet of a group out of its bucket and returns whether there was enough in it; undefined where that depends on the clean-up. */
export function takeFromBucket(table: BucketTable, group: string, now: number): Ternary {
  const { cost } = table
  const bucket = fillBucket(table, group, now)
  if (bucket.low >= cost) {
    bucket.low -= cost
    bucket.high -= cost
    return true
  }
  if (bucket.high < cost) return false
  bucket.low = 0n
  bucket.high = larger(bucket.high - cost, cost - 1n)
  return undefined
}

function fillBucket({ buckets, cap, expire, forgottenAfter }: BucketTable, group: string, now: number): Bucket {
  const known = buckets.get(group)
  const idle = known ? now - known.last : Infinity
  const bucket = known && idle < forgottenAfter ? known : { low: cap, high: cap, last: now }
  const more = BigInt(Math.round(now - bucket.last)) * CREDITS_PER_MS
  bucket.low = smaller(bucket.low + more, cap)
  bucket.high = idle > expire ? cap : smaller(bucket.high + more, cap)
  bucket.last = now
  buckets.set(group, bucket)
  return bucket
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
