/** The targets that are only a verdict. Source: iptables(8) "targets"; net/ipv4/netfilter/ip_tables.c ipt_do_table(). */

import { defineTarget } from '../extension.ts'

export const acceptTarget = defineTarget({
  name: 'ACCEPT',
  doc: 'lets the packet through this table',
  options: {},
  does: () => [{ kind: 'verdict', verdict: 'accept' }],
})

export const dropTarget = defineTarget({
  name: 'DROP',
  doc: 'drops the packet silently',
  tables: ['raw', 'mangle', 'filter', 'security'],
  options: {},
  does: () => [{ kind: 'verdict', verdict: 'drop' }],
})

export const returnTarget = defineTarget({
  name: 'RETURN',
  doc: 'goes back to the calling chain; in a built-in chain the chain policy decides',
  options: {},
  does: () => [{ kind: 'verdict', verdict: 'return' }],
})

export const queueTarget = defineTarget({
  name: 'QUEUE',
  doc: 'hands the packet to user space queue 0; without a listener it is dropped',
  options: {},
  does: () => [{ kind: 'verdict', verdict: 'queue' }],
  check: (_infos, { backend }) => (backend === 'nft' ? 'target `QUEUE` is unknown to nf_tables: use `NFQUEUE`' : undefined),
})
