/** Source: iptables-extensions(8) "state"; net/netfilter/xt_conntrack.c conntrack_mt(), which the kernel runs for it. */

import { hasAnyBit } from '../../meaning/predicate.ts'
import { states } from '../conntrack-states.ts'
import { defineMatch } from '../extension.ts'

export const state = defineMatch({
  name: 'state',
  doc: 'matches the state of the connection; the older form of conntrack --ctstate',
  options: {
    state: { type: states, invertible: true, required: true, doc: 'state of the connection: one of these', means: bits => hasAnyBit('ct.state', bits) },
  },
})
