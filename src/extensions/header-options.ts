/** What the matches hbh and dst share: an IPv6 extension header with options. Source: net/ipv6/netfilter/ip6t_hbh.c hbh_mt6(); extensions/libip6t_hbh.c parse_options(). */

import { read, refuse } from './extension.ts'
import type { OptionRow, OptionType, Reading } from './extension.ts'
import { readWholeNumber, wholeNumber } from './option-types.ts'
import { undecided } from './undecided.ts'

const LIMIT = 16
const ANY_LENGTH = 255

/** An option of a header; of any length where it is not given. */
interface HeaderOption {
  readonly type: number
  readonly length: number
}

/** The rows of `hbh` or `dst` by name. */
export interface HeaderOptionRows {
  readonly length: OptionRow<number>
  readonly options: OptionRow<readonly HeaderOption[]>
}

/** Returns both rows. Kernel: headers of this kind are not part of a packet here. */
export function headerOptionRows(match: 'hbh' | 'dst'): HeaderOptionRows {
  return {
    length: {
      type: wholeNumber(0, 0xffffffff), invertible: true, doc: 'length of the header in bytes', means: length => undecided(`-m ${match} --${match}-len ${length}`),
    },
    options: { type: optionList, doc: 'options in this order, each with a length or of any', means: list => undecided(`-m ${match} --${match}-opts ${optionList.write(list, 'ipv6').join('')}`) },
  }
}

/** Kernel: of each number only the lower eight bits count; length 255 is any. */
const optionList: OptionType<readonly HeaderOption[]> = {
  syntax: 'type[:length][,...]', words: 1,
  read([word = '']) {
    const parts = word.split(',')
    if (parts.length > LIMIT || parts[LIMIT - 1]?.includes(':')) return refuse(`\`${word}\` has more than ${LIMIT} options`)
    const list: HeaderOption[] = []
    for (const part of parts) {
      const option = readOption(part)
      if (!option.ok) return option
      list.push(option.value)
    }
    return read(list)
  },
  write: list => [list.map(({ type, length }) => (length === ANY_LENGTH ? String(type) : `${type}:${length}`)).join(',')],
}

function readOption(part: string): Reading<HeaderOption> {
  const colon = part.indexOf(':')
  const type = readWholeNumber(colon === -1 ? part : part.slice(0, colon), 0, Number.MAX_SAFE_INTEGER)
  const length = colon === -1 ? read(ANY_LENGTH) : readWholeNumber(part.slice(colon + 1), 0, Number.MAX_SAFE_INTEGER)
  if (!type.ok) return type
  if (!length.ok) return length
  if (colon !== -1 && type.value % 256 === 0) return refuse('option 0 has no length')
  return read({ type: type.value % 256, length: length.value % 256 })
}
