/** Source: iptables-extensions(8) "helper"; net/netfilter/xt_helper.c helper_mt(). */

import { defineMatch } from '../extension.ts'
import { printQuoted, text } from '../text-types.ts'
import { undecided } from '../undecided.ts'

/** Kernel: an empty name stands for any helper. A connection that no helper expected never has one. */
export const helper = defineMatch({
  name: 'helper',
  doc: 'matches connections that a helper of connection tracking expected',
  options: {
    helper: {
      type: text(29, 'name'), invertible: true, required: true, print: printQuoted('--helper'),
      doc: 'name of the helper, such as ftp', means: name => undecided(`-m helper --helper ${name}`),
    },
  },
})
