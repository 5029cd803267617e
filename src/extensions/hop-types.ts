/** What TTL and HL share: the number of hops that are left is set, lowered or raised. Source: net/netfilter/xt_HL.c ttl_tg(), hl_tg6(). */

import type { Effect } from '../meaning/effect.ts'
import type { OptionRow } from './extension.ts'
import { wholeNumber } from './option-types.ts'

/** The options of TTL (`ttl-set`, `ttl-dec`, `ttl-inc`) or HL (`hl-set`, ...). */
export type HopOptions<P extends 'ttl' | 'hl'> = Readonly<Record<`${P}-${'set' | 'dec' | 'inc'}`, OptionRow<number>>>

/** Returns the three options, of which one can be given. */
export function hopOptions<P extends 'ttl' | 'hl'>(prefix: P): HopOptions<P> {
  const names = [`${prefix}-set`, `${prefix}-dec`, `${prefix}-inc`]
  const row = (name: string, low: number, doc: string, does: (hops: number) => Effect): OptionRow<number> => ({
    type: wholeNumber(low, 255), excludes: names.filter(other => other !== name), doc, does: hops => [does(hops)],
  })
  return {
    [`${prefix}-set`]: row(`${prefix}-set`, 0, 'it becomes this', hops => ({ kind: 'assign', field: 'ip.ttl', clear: 255, flip: hops })),
    [`${prefix}-dec`]: row(`${prefix}-dec`, 1, 'it becomes so much less, at least 0', hops => ({ kind: 'adjust', field: 'ip.ttl', by: -hops })),
    [`${prefix}-inc`]: row(`${prefix}-inc`, 1, 'it becomes so much more, at most 255', hops => ({ kind: 'adjust', field: 'ip.ttl', by: hops })),
  } as HopOptions<P>
}
