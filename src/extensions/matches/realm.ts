/** Source: iptables-extensions(8) "realm"; net/netfilter/xt_realm.c realm_mt(). */

import { defineMatch } from '../extension.ts'
import { undecided } from '../undecided.ts'
import { namedMask } from '../value-mask.ts'

const realmMask = namedMask('cosmos')

/** Kernel: the route decides, and whoever put a realm on it. */
export const realm = defineMatch({
  name: 'realm',
  doc: 'matches the realm of the route',
  families: ['ipv4'],
  hooks: ['INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  options: {
    realm: { type: realmMask, invertible: true, required: true, doc: 'realm under mask is this', means: value => undecided(`-m realm --realm ${realmMask.write(value, 'ipv4').join('')}`, subject => (subject.routeRealm() & value.mask) >>> 0 === value.mark) },
  },
})
