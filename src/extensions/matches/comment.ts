/** Source: iptables-extensions(8) "comment"; net/netfilter/xt_comment.c comment_mt(). */

import { always } from '../../meaning/predicate.ts'
import { defineMatch } from '../extension.ts'
import { commentText, printQuoted } from '../text-types.ts'

export const comment = defineMatch({
  name: 'comment',
  doc: 'carries a comment; matches every packet',
  options: {
    comment: { type: commentText, required: true, doc: 'text of at most 255 bytes', print: printQuoted('--comment'), means: () => always },
  },
})
