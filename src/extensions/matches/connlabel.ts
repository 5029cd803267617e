/** Source: iptables-extensions(8) "connlabel"; net/netfilter/xt_connlabel.c connlabel_mt(). */

import { defineMatch } from '../extension.ts'
import { flag, wholeNumber } from '../option-types.ts'
import { undecided } from '../undecided.ts'

/** Kernel: with --set the label is set first, so that it matches wherever that worked. Names come from a file that no system has at first. */
export const connlabel = defineMatch({
  name: 'connlabel',
  doc: 'matches a label of the connection, and may set it',
  options: {
    label: { type: wholeNumber(0, 127), invertible: true, required: true, print: use => `--label "${use.value}"`, doc: 'number of the label', means: label => undecided(`-m connlabel --label ${label}`) },
    set: { type: flag, doc: 'sets the label' },
  },
})
