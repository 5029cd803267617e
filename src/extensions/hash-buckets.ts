/** The token buckets of hashlimit, one for each group of packets. Source: net/netfilter/xt_hashlimit.c hashlimit_mt(), user2credits(). */

/** 2^37 credits a millisecond, as a 64-bit kernel with 1000 jiffies a second has. */
const CREDITS_PER_MS = 1n << 37n
const CREDITS_PER_TICK = (CREDITS_PER_MS * 1000n) / 1_000_000n

interface Bucket {
  credit: bigint
  last: number
}

/** The table of all rules with one name; the first of them says how it works. */
export interface BucketTable {
  readonly buckets: Map<string, Bucket>
  readonly cost: bigint
  readonly cap: bigint
  /** Milliseconds after which an idle bucket is forgotten, at the latest. */
  readonly forgottenAfter: number
}

/** Returns an empty table; `period` is in 1/1000000 s, times in milliseconds. */
export function makeBucketTable(period: bigint, burst: bigint, forgottenAfter: number): BucketTable {
  return { buckets: new Map(), cost: creditsOf(period), cap: creditsOf(period * burst), forgottenAfter }
}

/** Returns the kernel's 64-bit credits of a period in 1/1000000 s. */
export function creditsOf(period: bigint): bigint {
  return BigInt.asUintN(64, period * CREDITS_PER_TICK)
}

/** Takes one packet of a group out of its bucket and returns whether there was enough in it. */
export function takeFromBucket(table: BucketTable, group: string, now: number): boolean {
  const known = table.buckets.get(group)
  const bucket = known && now - known.last < table.forgottenAfter ? known : { credit: table.cap, last: now }
  table.buckets.set(group, bucket)
  const filled = bucket.credit + BigInt(Math.round(now - bucket.last)) * CREDITS_PER_MS
  bucket.credit = filled > table.cap ? table.cap : filled
  bucket.last = now
  if (bucket.credit < table.cost) return false
  bucket.credit -= table.cost
  return true
}
