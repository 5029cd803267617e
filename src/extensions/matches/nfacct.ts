/** Source: iptables-extensions(8) "nfacct"; net/netfilter/xt_nfacct.c nfacct_mt(). */

import { undecided } from '../undecided.ts'
import { defineMatch } from '../extension.ts'
import { printQuoted, text } from '../text-types.ts'

/** Kernel: counts the packet, and matches every one unless the object has a quota. An object that does not exist is refused. The save has two blanks before the name. */
export const nfacct = defineMatch({
  name: 'nfacct',
  doc: 'counts packets in an accounting object',
  options: {
    'nfacct-name': { type: text(31, 'name'), required: true, print: printQuoted('--nfacct-name '), doc: 'name of the object', means: name => undecided(`-m nfacct --nfacct-name ${name}`) },
  },
  check: infos => (infos['nfacct-name']?.value === '' ? '`--nfacct-name` is empty' : undefined),
})
