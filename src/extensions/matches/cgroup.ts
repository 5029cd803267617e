/** Source: iptables-extensions(8) "cgroup"; net/netfilter/xt_cgroup.c cgroup_mt_v2(), cgroup_mt_check_v2(). */

import { defineMatch } from '../extension.ts'
import { wholeNumber } from '../option-types.ts'
import { printQuoted, text } from '../text-types.ts'
import { undecided } from '../undecided.ts'

/** Kernel: a path that does not exist when the file is loaded is refused. */
export const cgroup = defineMatch({
  name: 'cgroup',
  doc: 'matches the control group of the socket',
  hooks: ['INPUT', 'OUTPUT', 'POSTROUTING'],
  requiresOneOf: ['path', 'cgroup'],
  options: {
    path: { type: text(511, 'path'), invertible: true, excludes: ['cgroup'], print: printQuoted('--path'), doc: 'path of the group or one above it', means: path => undecided(`-m cgroup --path ${path}`) },
    cgroup: { type: wholeNumber(0, 0xffffffff), invertible: true, excludes: ['path'], doc: 'class of the group', means: id => undecided(`-m cgroup --cgroup ${id}`) },
  },
})
