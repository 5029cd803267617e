/** Source: iptables-extensions(8) "limit"; net/netfilter/xt_limit.c limit_mt(), user2credits(). */

import { defineMatch } from '../extension.ts'
import type { InfosOf } from '../extension.ts'
import { wholeNumber } from '../option-types.ts'
import { rate, RATE_SCALE } from '../rate-type.ts'

const DEFAULT_PERIOD = RATE_SCALE * 1200
const DEFAULT_BURST = 5

/** 32 credits a millisecond, as a kernel with 1000 jiffies a second has. */
const CREDITS_PER_SECOND = 32_000

interface Bucket {
  credit: number
  readonly cap: number
  readonly cost: number
  last: number | undefined
}

/** Kernel: the bucket is full at the start; a packet that finds too little credit takes none. iptables-nft turns a burst of 0 into 5. */
export const limit = defineMatch({
  name: 'limit',
  doc: 'matches at a limited rate: a token bucket of its own for each rule',
  options: {
    limit: { type: rate, default: DEFAULT_PERIOD, doc: 'average rate; 3/hour where it is not given' },
    'limit-burst': {
      type: wholeNumber(0, 10000), omitted: use => use.value === DEFAULT_BURST,
      doc: 'packets that match at once after a pause; 5 where it is not given',
    },
  },
  check: (infos, { backend }) => (backend === 'nft' ? undefined : burstOf(infos) === 0 ? '`--limit-burst 0` would never match' : overflow(infos)),
  savedBy: (backend, infos) => (backend === 'nft' && burstOf(infos) === 0 ? { ...infos, 'limit-burst': { value: DEFAULT_BURST, inverted: false } } : infos),
  memory: {
    start(infos): Bucket {
      const cost = credits(periodOf(infos))
      const cap = credits(periodOf(infos) * burstOf(infos))
      return { credit: cap, cap, cost, last: undefined }
    },
    step(state, _infos, _subject, now) {
      const bucket = state as Bucket
      bucket.credit = Math.min(bucket.cap, bucket.credit + ((now - (bucket.last ?? now)) * CREDITS_PER_SECOND) / 1000)
      bucket.last = now
      if (bucket.credit < bucket.cost) return false
      bucket.credit -= bucket.cost
      return true
    },
  },
})

type Infos = InfosOf<{ limit: number; 'limit-burst': number }>

function periodOf(infos: Infos): number {
  return infos.limit?.value ?? DEFAULT_PERIOD
}

function burstOf(infos: Infos): number {
  return infos['limit-burst']?.value ?? DEFAULT_BURST
}

/** The kernel's 32-bit arithmetic: it divides first where the product would overflow. */
function credits(period: number): number {
  const scaled = period % 2 ** 32
  if (scaled > Math.floor(0xffffffff / CREDITS_PER_SECOND)) return (Math.floor(scaled / RATE_SCALE) * CREDITS_PER_SECOND) % 2 ** 32
  return Math.floor((scaled * CREDITS_PER_SECOND) / RATE_SCALE)
}

function overflow(infos: Infos): string | undefined {
  const tooBig = credits(periodOf(infos) * burstOf(infos)) < credits(periodOf(infos))
  return tooBig ? 'the burst is too big for so slow a rate: the product overflows 32 bits' : undefined
}
