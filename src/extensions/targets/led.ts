/** Source: iptables-extensions(8) "LED"; net/netfilter/xt_LED.c led_tg(); extensions/libxt_LED.c LED_save(). */

import { defineTarget, read } from '../extension.ts'
import type { OptionType } from '../extension.ts'
import { flag, readWholeNumber } from '../option-types.ts'
import { name } from '../text-types.ts'

const FOREVER = 0xffffffff

/** Kernel: the delay is printed with a sign, `inf` as -1. */
const delay: OptionType<number> = {
  syntax: 'milliseconds|inf', words: 1,
  read: ([word = '']) => (word.toLowerCase().startsWith('inf') ? read(FOREVER) : readWholeNumber(word, 0, FOREVER)),
  write: value => [String(value | 0)],
}

/** Kernel: it is refused where the kernel has no LED triggers. */
export const ledTarget = defineTarget({
  name: 'LED',
  doc: 'lets a light blink; the next rule follows',
  options: {
    'led-trigger-id': {
      type: name(16, 'name'), required: true, print: use => `--led-trigger-id "${use.value.replace(/["\\]/g, '\\$&')}"`,
      doc: 'name of the trigger', does: trigger => [{ kind: 'observe', words: `light \`${trigger}\` blinks` }],
    },
    'led-delay': { type: delay, omitted: use => use.value === 0, doc: 'so long it stays on; inf: for ever' },
    'led-always-blink': { type: flag, doc: 'it goes off and on again for every packet' },
  },
})
