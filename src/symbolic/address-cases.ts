/** Cuts the address space where a namespace's answer about an address can change, asks once for each piece, and says the answers as predicates. */

import type { NumberField } from '../meaning/fields.ts'
import { any, within } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import type { Address, Family, Prefix } from '../net/address.ts'
import { addressWidth, familyOf, lengthOfMask } from '../net/address.ts'

/** Addresses with the same answer, as ranges of both ends included. */
export interface AddressCase<Answer> {
  readonly answer: Answer
  readonly ranges: readonly { readonly low: Address; readonly high: Address }[]
}

/** Returns the cases of an answer that can only change at the borders of the prefixes. Answers are the same where `keyOf` says so. */
export function casesOfAddress<Answer>(family: Family, prefixes: readonly Prefix[], ask: (address: Address) => Answer, keyOf: (answer: Answer) => string): readonly AddressCase<Answer>[] {
  const most = (1n << BigInt(addressWidth(family))) - 1n
  const starts = startsOf(family, prefixes, most)
  const cases = new Map<string, { answer: Answer; ranges: { low: Address; high: Address }[] }>()
  starts.forEach((start, index) => {
    const low = addressOf(family, start)
    const high = addressOf(family, (starts[index + 1] ?? most + 1n) - 1n)
    const answer = ask(low)
    const key = keyOf(answer)
    const known = cases.get(key)
    const last = known?.ranges.at(-1)
    if (!known) cases.set(key, { answer, ranges: [{ low, high }] })
    else if (last && BigInt(last.high) + 1n === start) known.ranges[known.ranges.length - 1] = { low: last.low, high }
    else known.ranges.push({ low, high })
  })
  return [...cases.values()]
}

/** Returns "the field is one of the case's addresses". */
export function inCase(field: NumberField, { ranges }: Pick<AddressCase<unknown>, 'ranges'>): Predicate {
  return any(ranges.map(({ low, high }) => within(field, low, high)))
}

function startsOf(family: Family, prefixes: readonly Prefix[], most: bigint): readonly bigint[] {
  const starts = new Set([0n])
  for (const { address, mask } of prefixes) {
    if (familyOf(address) !== family || lengthOfMask(mask) === undefined) continue
    const low = BigInt(address)
    const end = low + (most ^ BigInt(mask)) + 1n
    starts.add(low)
    if (end <= most) starts.add(end)
  }
  return [...starts].sort((one, other) => (one < other ? -1 : one > other ? 1 : 0))
}

function addressOf(family: Family, value: bigint): Address {
  return family === 'ipv4' ? Number(value) : value
}
