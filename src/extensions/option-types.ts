/** The types of option values that several extensions share: how words are read and written. */

import { DEVICE_NAME_LIMIT, readDevicePattern, writeDevicePattern } from '../net/device-name.ts'
import type { DevicePattern } from '../net/device-name.ts'
import { familyOf, prefixOf, readAddress, maskOfLength, addressWidth, writePrefix } from '../net/address.ts'
import type { Address, Family, Prefix } from '../net/address.ts'
import { protocolNames, protocolNumber, savedProtocolName } from '../net/protocol.ts'
import type { NumberRange } from '../net/ranges.ts'
import { servicePort } from '../net/services.ts'
import { read, refuse } from './extension.ts'
import type { OptionType, Reading } from './extension.ts'
import { didYouMean } from './did-you-mean.ts'
import { PLAIN_DEVICE, PLAIN_PORTS, PLAIN_PREFIXES } from './plain-values.ts'

/** An option without words. */
export const flag: OptionType<true> = {
  syntax: '', words: 0,
  read: () => read(true as const),
  write: () => [],
}

/** A whole number from `low` to `high` in decimal, octal (0...) or hex (0x...). Source: libxtables xtables_strtoui(). */
export function wholeNumber(low: number, high: number, syntax = 'number'): OptionType<number> {
  return {
    syntax, words: 1,
    read: ([word = '']) => readWholeNumber(word, low, high),
    write: value => [String(value)],
  }
}

/** `low:high`, either end may be left out, or one number. */
export function numberRange(low: number, high: number, syntax = 'number[:number]'): OptionType<NumberRange> {
  return {
    syntax, words: 1,
    read: ([word = '']) => readRange(word, low, high, part => readWholeNumber(part, low, high)),
    write: range => [writeRange(range, ':')],
  }
}

/** The same, but the range may end before it begins: it then has no number. */
export function looseNumberRange(low: number, high: number, syntax: string): OptionType<NumberRange> {
  return {
    syntax, words: 1,
    read([word = '']) {
      const [first = '', last, ...more] = word.split(':')
      if (more.length > 0) return refuse(`\`${word}\` has more than two numbers`)
      const start = first === '' ? read(low) : readWholeNumber(first, low, high)
      const end = last === undefined ? start : last === '' ? read(high) : readWholeNumber(last, low, high)
      if (!start.ok) return start
      return end.ok ? read({ low: start.value, high: end.value }) : end
    },
    write: range => [writeRange(range, ':')],
  }
}

/** The same again, but a range that ends before it begins is refused. */
export function orderedNumberRange(low: number, high: number, syntax: string): OptionType<NumberRange> {
  const loose = looseNumberRange(low, high, syntax)
  return {
    ...loose,
    read(words, family) {
      const range = loose.read(words, family)
      return range.ok && range.value.low > range.value.high ? refuse(`the range \`${words[0] ?? ''}\` ends before it begins`) : range
    },
  }
}

/** Tells whether a range of 32-bit numbers has them all: some extensions leave such an option out of the save, with its `!` too. */
export function isEveryNumber32({ value }: { readonly value: NumberRange }): boolean {
  return value.low === 0 && value.high === 0xffffffff
}

/** A port or range of ports by number or the name of a service of the protocol. Source: libxtables xtables_parse_port(). */
export function portRangeOf(protocol: 'tcp' | 'udp' | 'sctp' | 'dccp'): OptionType<NumberRange> {
  return {
    syntax: 'port[:port]', words: 1,
    read: ([word = '']) => readRange(word, 0, 65535, end => readPort(end, protocol)),
    write: range => [writeRange(range, ':')],
    plain: () => PLAIN_PORTS,
  }
}

/** A protocol by name or number. */
export const protocol: OptionType<number> = {
  syntax: 'protocol', words: 1,
  read([word = '']) {
    const number = protocolNumber(word.toLowerCase())
    if (number !== undefined) return read(number)
    if (/^(0x[0-9a-f]+|\d+)$/i.test(word)) return readWholeNumber(word, 0, 255)
    return refuse(`there is no protocol \`${word}\``, didYouMean(word, protocolNames()))
  },
  write: number => [savedProtocolName(number) ?? String(number)],
}

/** A device name or pattern. */
export const devicePattern: OptionType<DevicePattern> = {
  syntax: 'device[+]', words: 1,
  read([word = '']) {
    if (word === '') return refuse('a device name is empty')
    if (word.length > DEVICE_NAME_LIMIT) return refuse(`device name \`${word}\` is longer than ${DEVICE_NAME_LIMIT} characters`)
    return read(readDevicePattern(word))
  },
  write: pattern => [writeDevicePattern(pattern)],
  plain: () => PLAIN_DEVICE,
}

/** An address or prefix; host bits are cleared and said so. */
export const prefixType: OptionType<Prefix> = {
  syntax: 'address[/mask]', words: 1,
  read: ([word = ''], family) => readOnePrefix(word, family),
  write: prefix => [writePrefix(prefix)],
  plain: family => PLAIN_PREFIXES[family],
}

/** Reads a whole number in decimal, octal or hex within bounds. */
export function readWholeNumber(word: string, low: number, high: number): Reading<number> {
  const plain = plainDecimal(word)
  if (plain !== undefined && plain >= low && plain <= high) return read(plain)
  const given = word.replace(/^[ \t]*\+?/, '')
  const digits = /^0x[0-9a-f]+$/i.test(given) ? given : /^0[0-7]+$/.test(given) ? `0o${given.slice(1)}` : /^(0|[1-9]\d*)$/.test(given) ? given : undefined
  if (digits === undefined) return refuse(`\`${word}\` is not a number`)
  const value = Number(digits)
  if (value > high) return refuse(`\`${word}\` is above ${high}`)
  return value < low ? refuse(`\`${word}\` is below ${low}`) : read(value)
}

/** The value of up to nine decimal digits without a leading zero: the usual case, read without a regular expression. */
function plainDecimal(word: string): number | undefined {
  if (word.length === 0 || word.length > 9 || (word.length > 1 && word.charCodeAt(0) === 48)) return undefined
  let value = 0
  for (let at = 0; at < word.length; at++) {
    const digit = word.charCodeAt(at) - 48
    if (digit < 0 || digit > 9) return undefined
    value = value * 10 + digit
  }
  return value
}

/** Reads a port by number or service name; of any protocol where none is given. */
export function readPort(word: string, protocol?: string): Reading<number> {
  const plain = plainDecimal(word)
  if (plain !== undefined && plain <= 65535) return read(plain)
  const named = servicePort(word, protocol)
  if (named !== undefined) return read(named)
  const number = readWholeNumber(word, 0, 65535)
  if (number.ok || /^\d/.test(word)) return number.ok ? number : refuse(number.problem.replace('`', 'port `'))
  return refuse(`there is no ${protocol === undefined ? '' : `${protocol} `}service \`${word}\``)
}

/** Returns `low:high`, or one number where they are equal. */
export function writeRange(range: NumberRange, separator: string): string {
  return range.low === range.high ? String(range.low) : `${range.low}${separator}${range.high}`
}

/** Reads `a:b`, `a:`, `:b` or `a`. */
export function readRange(word: string, low: number, high: number, readEnd: (word: string) => Reading<number>): Reading<NumberRange> {
  const colon = word.indexOf(':')
  if (colon === -1) {
    const both = readEnd(word)
    return both.ok ? read({ low: both.value, high: both.value }) : both
  }
  const first = colon === 0 ? read(low) : readEnd(word.slice(0, colon))
  const last = colon === word.length - 1 ? read(high) : readEnd(word.slice(colon + 1))
  if (!first.ok) return first
  if (!last.ok) return last
  if (first.value > last.value) return refuse(`the range \`${word}\` ends before it begins`)
  return read({ low: first.value, high: last.value })
}

/**
 * Reads an address with optional mask as iptables does: `10` is 10.0.0.0, `10/8` a prefix. Kernel: before an empty mask anything
 * may stand. Source: libxtables xtables_ipparse_any().
 */
export function readOnePrefix(word: string, family: Family): Reading<Prefix> {
  const slash = word.indexOf('/')
  const head = slash === -1 ? word : word.slice(0, slash)
  const mask = slash === -1 ? maskOfLength(family, addressWidth(family)) : readPrefixMask(word.slice(slash + 1), family)
  if (mask === undefined) return refuse(`\`${word.slice(slash + 1)}\` is not a mask: give a length from 0 to ${addressWidth(family)} or a mask written as an address`)
  const address = isAnyMask(mask) ? mask : (readFamilyAddress(head, family) ?? readHost(head, family) ?? hostAddress(head, family))
  if (address === undefined) return refuse(...addressProblem(head, family))
  const prefix = prefixOf(address, mask)
  return read(prefix, prefix.address === address ? undefined : `the host bits of \`${word}\` are dropped: ${writePrefix(prefix)}`)
}

function isAnyMask(mask: Address): boolean {
  return mask === 0 || mask === 0n
}

/** Reads an address as iptables does: parts that are missing are 0 (`10.1` is 10.1.0.0), parts may be octal or hex. Source: libxtables numeric_to_ipaddr(). */
export function readFamilyAddress(word: string, family: Family): Address | undefined {
  const address = readAddress(word)
  if (address !== undefined) return familyOf(address) === family ? address : undefined
  if (family === 'ipv6' || word === '') return undefined
  const parts = word.split('.').map(part => readWholeNumber(part, 0, 255))
  if (parts.length > 4 || !parts.every(part => part.ok)) return undefined
  return [0, 1, 2, 3].reduce((value, index) => value * 256 + (parts[index]?.value ?? 0), 0)
}

/** Reads an address as inet_aton(3) does: `10.1` is 10.0.0.1, parts may be octal or hex. */
export function readHost(word: string, family: Family): Address | undefined {
  const plain = readAddress(word)
  if (plain !== undefined) return familyOf(plain) === family ? plain : undefined
  const parts = family === 'ipv4' && word !== '' ? word.split('.') : []
  const last = parts.pop()
  if (last === undefined || parts.length > 3) return undefined
  const rest = readWholeNumber(last, 0, 2 ** (8 * (4 - parts.length)) - 1)
  let value = 0
  for (const part of parts) {
    const byte = readWholeNumber(part, 0, 255)
    if (!byte.ok) return undefined
    value = value * 256 + byte.value
  }
  return rest.ok ? value * 2 ** (8 * (4 - parts.length)) + rest.value : undefined
}

/** The only host name that every system knows. IPv6 systems differ about it. */
export function hostAddress(name: string, family: Family): Address | undefined {
  return family === 'ipv4' && name.toLowerCase() === 'localhost' ? 0x7f000001 : undefined
}

/** A length in decimal, octal or hex, or a mask written as a whole address. */
function readPrefixMask(word: string, family: Family): Address | undefined {
  const length = readWholeNumber(word, 0, addressWidth(family))
  if (length.ok) return maskOfLength(family, length.value)
  return /[.:]/.test(word) && (family === 'ipv6' || word.split('.').length === 4) ? readFamilyAddress(word, family) : undefined
}

function addressProblem(word: string, family: Family): [string, string?] {
  const other = readAddress(word)
  if (other !== undefined) return [`\`${word}\` is an ${familyOf(other) === 'ipv4' ? 'IPv4' : 'IPv6'} address in an ${family === 'ipv4' ? 'IPv4' : 'IPv6'} ruleset`]
  if (/^[a-z][-.a-z0-9]*$/i.test(word)) return [`\`${word}\` is a host name`, 'iptables asks the name server once, when the file is loaded; write the address']
  return [`\`${word}\` is not an ${family === 'ipv4' ? 'IPv4' : 'IPv6'} address`]
}
