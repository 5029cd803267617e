/** Source: iptables-extensions(8) "TOS"; net/netfilter/xt_DSCP.c tos_tg(), tos_tg6(). */

import { defineTarget, read } from '../extension.ts'
import type { OptionType } from '../extension.ts'
import { readWholeNumber } from '../option-types.ts'
import { tosMask } from '../tos-types.ts'
import type { TosMask } from '../tos-types.ts'

export const tosTarget = defineTarget({
  name: 'TOS',
  doc: 'changes the TOS byte (IPv6: traffic class); the next rule follows',
  tables: ['mangle'],
  options: {
    'set-tos': {
      type: tosMask, required: true,
      spellings: {
        'and-tos': spelling(bits => ({ value: 0, mask: ~bits & 255 })),
        'or-tos': spelling(bits => ({ value: bits, mask: bits })),
        'xor-tos': spelling(bits => ({ value: bits, mask: 0 })),
      },
      doc: 'the bits of the mask are cleared, then those of the value flipped',
      does: ({ value, mask }) => [{ kind: 'assign', field: 'ip.tos', clear: mask, flip: value }],
    },
  },
})

function spelling(toMask: (bits: number) => TosMask): OptionType<TosMask> {
  return {
    ...tosMask, syntax: 'bits',
    read([word = '']) {
      const bits = readWholeNumber(word, 0, 255)
      return bits.ok ? read(toMask(bits.value)) : bits
    },
  }
}
