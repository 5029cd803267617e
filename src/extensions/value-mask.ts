/** Numbers with a mask, or names of a file of iproute2. Source: libxtables xtables_parse_val_mask(), xtables_print_val_mask(). */

import { read, refuse } from './extension.ts'
import type { OptionType } from './extension.ts'
import { bits32, markMask } from './mark-types.ts'
import type { MarkMask } from './mark-types.ts'

/** `value[/mask]`, or the name that every system has for 0: the file may have more. */
export function namedMask(nameOfZero: string): OptionType<MarkMask> {
  return {
    syntax: 'value[/mask]|name', words: 1,
    read([word = ''], family) {
      if (word === nameOfZero) return read({ mark: 0, mask: 0xffffffff })
      const value = markMask.read([word], family)
      return value.ok || /^\d/.test(word) ? value : refuse(`\`${word}\` is not a number, nor a name that every system has`)
    },
    write: (value, family) => (value.mask === 0xffffffff ? (value.mark === 0 ? [nameOfZero] : bits32.write(value.mark, family)) : markMask.write(value, family)),
  }
}
