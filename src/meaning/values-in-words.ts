/** Values of fields as a reader knows them: addresses, ports, protocol names, TCP flags, marks in hex, device patterns. */

import { lengthOfMask, writeAddress, writePrefix } from '../net/address.ts'
import { PROTOCOL, protocolInWords } from '../net/protocol.ts'
import { icmpNameOfType } from '../packet/icmp-names.ts'
import { TCP_FLAG } from '../packet/packet.ts'
import { ADDRESS_TYPE, CT_STATE, CT_STATUS, fieldRow, PACKET_TYPE } from './fields.ts'
import type { FieldRow, FieldValue, NumberField } from './fields.ts'
import type { FieldTerm } from './plain-form.ts'

/** Returns `a`, `a or b`, `a, b or c`. */
export function listInWords(words: readonly string[], conjunction: 'and' | 'or' | 'nor'): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} ${conjunction} ${words.at(-1) ?? ''}`
}

/** Returns the values of a list without the field's name: `80, 443 or 8000-8100`. */
export function valuesInWords(of: readonly FieldTerm[], conjunction: 'and' | 'or'): string {
  return listInWords(of.map(termInWords), conjunction)
}

/** Returns the names of bits: `established`, `related`. */
export function bitNames(field: NumberField, bits: number): readonly string[] {
  const { value } = fieldRow(field)
  const names = value === 'ctState' ? CT_STATE : value === 'ctStatus' ? CT_STATUS : value === 'addressType' ? ADDRESS_TYPE : TCP_FLAG
  const isSpelledOut = value === 'ctState' || value === 'addressType'
  return Object.entries(names).filter(([, bit]) => (bits & bit) !== 0).map(([name]) => (isSpelledOut ? name.toLowerCase() : name))
}

/** Types whose codes have names of their own, by protocol. */
const WHOLE_TYPES: Readonly<Record<number, Readonly<Record<number, string>>>> = {
  [PROTOCOL.icmp]: { 3: 'destination-unreachable', 5: 'redirect', 11: 'time-exceeded', 12: 'parameter-problem' },
  [PROTOCOL.icmpv6]: { 1: 'destination-unreachable', 3: 'time-exceeded', 4: 'parameter-problem' },
}

/** Returns an ICMP type by name or number; with a code where one is given. */
export function icmpInWords(type: FieldTerm, code?: FieldTerm): string {
  const protocol = type.field === 'icmp6.type' ? PROTOCOL.icmpv6 : PROTOCOL.icmp
  const number = type.kind === 'within' ? Number(type.low) : 0
  const whole = WHOLE_TYPES[protocol]?.[number] ?? icmpNameOfType(number, 0, protocol) ?? String(number)
  if (!code) return whole
  const named = code.kind === 'within' && code.low === code.high ? icmpNameOfType(number, Number(code.low), protocol) : undefined
  return named ?? `${whole} with code ${termInWords(code)}`
}

/** Returns `10.0.0.1-10.0.0.9`, `at least 5`, `0x1`. */
function termInWords(term: FieldTerm): string {
  const { value, width } = fieldRow(term.field)
  if (term.kind === 'masked') return maskedInWords(term, value)
  if (term.low === term.high) return valueInWords(term.low, value)
  const isPlain = value === undefined || value === 'seconds'
  if (isPlain && BigInt(term.low) === 0n) return `at most ${valueInWords(term.high, value)}`
  if (isPlain && typeof width === 'number' && BigInt(term.high) === (1n << BigInt(width)) - 1n) return `at least ${valueInWords(term.low, value)}`
  return `${isPlain ? String(term.low) : valueInWords(term.low, value)}-${valueInWords(term.high, value)}`
}

/** Returns a number as its kind is written. */
function valueInWords(value: FieldValue, kind: FieldRow['value']): string {
  switch (kind) {
    case 'address':
      return writeAddress(value)
    case 'protocol':
      return protocolInWords(Number(value))
    case 'hex':
      return `0x${value.toString(16)}`
    case 'mac':
      return value.toString(16).padStart(12, '0').replace(/..(?=.)/g, '$&:')
    case 'seconds':
      return `${value} s`
    case 'ctDirection':
      return Number(value) === 0 ? 'original' : 'reply'
    case 'packetType':
      return Object.entries(PACKET_TYPE).find(([, number]) => number === Number(value))?.[0] ?? String(value)
    default:
      return String(value)
  }
}

function maskedInWords({ mask, value }: Extract<FieldTerm, { kind: 'masked' }>, kind: FieldRow['value']): string {
  if (kind === 'address') return lengthOfMask(mask) === undefined ? `${writeAddress(value)} under mask ${writeAddress(mask)}` : writePrefix({ address: value, mask })
  if (BigInt(mask) === 0xffffffffn) return valueInWords(value, kind)
  return `0x${value.toString(16)} under mask 0x${mask.toString(16)}`
}
