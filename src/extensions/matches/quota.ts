/** Source: iptables-extensions(8) "quota"; net/netfilter/xt_quota.c quota_mt(). */

import { defineMatch } from '../extension.ts'
import { counter } from '../ipset-types.ts'

/** Kernel: the first packet that is bigger than what is left takes all of it, so that no smaller one matches after it. */
export const quota = defineMatch({
  name: 'quota',
  doc: 'matches until so many bytes have passed the rule',
  options: {
    quota: { type: counter, invertible: true, required: true, doc: 'bytes' },
  },
  memory: {
    start: ({ quota: use }) => ({ left: use?.value ?? 0n }),
    step(state, { quota: use }, { packet }) {
      const purse = state as { left: bigint }
      const length = BigInt(packet.length)
      const isEnough = purse.left >= length
      purse.left = isEnough ? purse.left - length : 0n
      return isEnough !== (use?.inverted ?? false)
    },
  },
})
