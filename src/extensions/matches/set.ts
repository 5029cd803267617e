/** Source: iptables-extensions(8) "set"; net/netfilter/xt_set.c set_match_v4(). */

import { all, not, opaque } from '../../meaning/predicate.ts'
import type { Predicate } from '../../meaning/predicate.ts'
import { defineMatch } from '../extension.ts'
import type { InfosOf } from '../extension.ts'
import { counter, ipsetReference } from '../ipset-types.ts'
import type { IpsetReference } from '../ipset-types.ts'
import { flag } from '../option-types.ts'

/** Kernel: `!` before --match-set negates membership, the counters are compared after it. */
export const set = defineMatch({
  name: 'set',
  doc: 'matches addresses, ports and marks that are in an ipset',
  requiresOneOf: ['match-set'],
  options: {
    'match-set': {
      type: ipsetReference, invertible: true, spellings: { set: ipsetReference },
      doc: 'ipset and, for each of its parts, whether it is looked up as source or destination',
    },
    'return-nomatch': { type: flag, doc: 'a nomatch entry counts as a match, the others do not' },
    'update-counters': { type: flag, invertible: true, omitted: use => !use.inverted, doc: 'with `!` the counters of entries stay as they are' },
    'update-subcounters': { type: flag, invertible: true, omitted: use => !use.inverted, doc: 'with `!` the counters of entries of member sets stay as they are' },
    'packets-eq': { type: counter, invertible: true, excludes: ['packets-lt', 'packets-gt'], doc: "the entry's packet counter is this" },
    'packets-lt': { type: counter, excludes: ['packets-eq', 'packets-gt'], doc: "the entry's packet counter is below this" },
    'packets-gt': { type: counter, excludes: ['packets-eq', 'packets-lt'], doc: "the entry's packet counter is above this" },
    'bytes-eq': { type: counter, invertible: true, excludes: ['bytes-lt', 'bytes-gt'], doc: "the entry's byte counter is this" },
    'bytes-lt': { type: counter, excludes: ['bytes-eq', 'bytes-gt'], doc: "the entry's byte counter is below this" },
    'bytes-gt': { type: counter, excludes: ['bytes-eq', 'bytes-lt'], doc: "the entry's byte counter is above this" },
  },
  means(infos) {
    const reference = infos['match-set']
    if (!reference) return all([])
    const { name, directions } = reference.value
    const isMember: Predicate = { kind: 'ipset', name, directions, flags: infos['return-nomatch'] ? ['return-nomatch'] : [] }
    return all([reference.inverted ? not(isMember) : isMember, ...counterTerms(infos, reference.value)])
  },
})

const COUNTERS = ['packets-eq', 'packets-lt', 'packets-gt', 'bytes-eq', 'bytes-lt', 'bytes-gt'] as const

/** What entries have counted depends on all earlier packets: a free variable for each comparison. */
function counterTerms(infos: InfosOf<Record<(typeof COUNTERS)[number], bigint>>, { name }: IpsetReference): Predicate[] {
  return COUNTERS.flatMap(option => {
    const use = infos[option]
    if (!use) return []
    const words = `--${option} ${use.value} in ipset ${name}`
    return [use.inverted ? not(opaque(words, words)) : opaque(words, words)]
  })
}
