/** Source: iptables-extensions(8) "u32"; extensions/libxt_u32.c u32_parse(); net/netfilter/xt_u32.c u32_mt(). */

import { holdsU32 } from '../byte-tests.ts'
import { defineMatch, read, refuse } from '../extension.ts'
import type { OptionType, Reading } from '../extension.ts'
import { readWholeNumber } from '../option-types.ts'
import { undecided } from '../undecided.ts'

/** The most tests, and in each the most numbers and ranges. */
const LIMIT = 10

/** Tests in canonical form. */
const tests: OptionType<string> = {
  syntax: 'location=range[,...][&&...]', words: 1,
  read([word = '']) {
    const parts = word.split(/&&/)
    if (parts.length > LIMIT) return refuse(`\`${word}\` has more than ${LIMIT} tests`)
    const written: string[] = []
    for (const part of parts) {
      const test = readTest(part)
      if (!test.ok) return test
      written.push(test.value)
    }
    return read(written.join('&&'))
  },
  write: value => [value],
}

export const u32 = defineMatch({
  name: 'u32',
  doc: 'compares numbers of up to four bytes anywhere in the packet',
  options: {
    u32: { type: tests, invertible: true, required: true, print: use => `--u32 "${use.value}"`, doc: 'where a number stands, and the ranges in which it lies', means: value => undecided(`-m u32 --u32 "${value}"`, ({ packet }) => holdsU32(packet, value)) },
  },
})

function readTest(text: string): Reading<string> {
  const equal = text.indexOf('=')
  if (equal === -1) return refuse(`\`${text.trim()}\` has no \`=\` and no values`)
  const location = readAll(text.slice(0, equal), /\s*(&|<<|>>|@)\s*/)
  const values = readAll(text.slice(equal + 1), /\s*([,:])\s*/)
  if (!location.ok) return location
  if (!values.ok) return values
  const ranges = values.value.split(',').map(range => range.split(':'))
  if (ranges.some(ends => ends.length > 2)) return refuse(`\`${text.trim()}\` has a range of more than two numbers`)
  if (ranges.length > LIMIT || location.value.split(/[&@]|<<|>>/).length > LIMIT) return refuse(`\`${text.trim()}\` has more than ${LIMIT} numbers or ranges`)
  return read(`${location.value}=${ranges.map(([low, high]) => (high === undefined || low === high ? low : `${low}:${high}`)).join(',')}`)
}

/** Reads numbers with something between them and writes the numbers in hex. */
function readAll(text: string, separator: RegExp): Reading<string> {
  const parts = text.trim().split(separator)
  for (const [index, part] of parts.entries()) {
    if (index % 2 === 1) continue
    const number = readWholeNumber(part, 0, 0xffffffff)
    if (!number.ok) return number
    parts[index] = `0x${number.value.toString(16)}`
  }
  return read(parts.join(''))
}
