/** Source: iptables-extensions(8) "IDLETIMER"; net/netfilter/xt_IDLETIMER.c idletimer_tg(), idletimer_tg_helper(). */

import { defineTarget, refuse } from '../extension.ts'
import type { OptionType } from '../extension.ts'
import { flag, wholeNumber } from '../option-types.ts'
import { text } from '../text-types.ts'

const LONGEST_SECONDS = 2147482

const label: OptionType<string> = {
  ...text(27, 'name'),
  read: (words, family) => (words[0] === '' ? refuse('the label of a timer is empty') : text(27, 'name').read(words, family)),
}

export const idletimerTarget = defineTarget({
  name: 'IDLETIMER',
  doc: 'winds up a timer, which tells user space when no packet came for a while; the next rule follows',
  options: {
    timeout: { type: wholeNumber(1, LONGEST_SECONDS, 'seconds'), required: true, doc: 'seconds without a packet after which it tells' },
    label: { type: label, required: true, print: use => `--label ${use.value}`, doc: 'name of the timer', does: name => [{ kind: 'observe', words: `idle timer \`${name}\` wound up` }] },
    alarm: { type: flag, doc: 'it runs while the machine sleeps too' },
  },
})
