/** Source: iptables-extensions(8) "AUDIT"; net/netfilter/xt_AUDIT.c audit_tg(). */

import { didYouMean } from '../did-you-mean.ts'
import { defineTarget, read, refuse } from '../extension.ts'
import type { OptionType } from '../extension.ts'

const TYPES = ['accept', 'drop', 'reject']

const auditType: OptionType<string> = {
  syntax: TYPES.join('|'), words: 1,
  read([word = '']) {
    const known = word.toLowerCase()
    return TYPES.includes(known) ? read(known) : refuse(`there is no audit type \`${word}\``, didYouMean(word, TYPES))
  },
  write: type => [type],
}

export const auditTarget = defineTarget({
  name: 'AUDIT',
  doc: 'writes an audit record about the packet; the next rule follows',
  options: {
    type: { type: auditType, required: true, doc: 'what the record says becomes of the packet', does: type => [{ kind: 'observe', words: `audited as ${type}` }] },
  },
})
