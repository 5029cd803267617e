/** Device names as numbers: every name that is known, and for each prefix of a pattern "any other name that begins so". */

import { DEVICE_NAME_LIMIT } from '../net/device-name.ts'
import type { DevicePattern } from '../net/device-name.ts'

/** What one number stands for: no device (''), a name, or any other name that begins with `name` (with '': any other name). */
export interface DeviceClass {
  readonly name: string
  readonly isOther: boolean
}

/** The classes in the order of their numbers: those with a common prefix stand together. Spare codes stand for the last. */
export interface DeviceCodes {
  readonly classes: readonly DeviceClass[]
  /** Bits of a number. */
  readonly width: number
  readonly codeOfName: ReadonlyMap<string, number>
  readonly codeOfPrefix: ReadonlyMap<string, number>
}

/** What devices there are: names and prefixes that patterns ask for, names that exist; and others, unless all are known. */
export interface DeviceUniverse {
  readonly names: readonly string[]
  readonly prefixes: readonly string[]
  /** Every device has one of the names. */
  readonly isClosed: boolean
}

/** Returns the numbers of a universe's devices. */
export function makeDeviceCodes({ names, prefixes, isClosed }: DeviceUniverse): DeviceCodes {
  const isWhole = (prefix: string): boolean => prefix.length >= DEVICE_NAME_LIMIT
  const exact = new Set(['', ...names, ...prefixes.filter(prefix => isWhole(prefix) && !isClosed)])
  const open = isClosed ? [] : [...new Set(['', ...prefixes.filter(prefix => !isWhole(prefix))])]
  const classes = [...[...exact].map(name => ({ name, isOther: false })), ...open.map(name => ({ name, isOther: true }))].sort(byName)
  const width = Math.max(1, Math.ceil(Math.log2(classes.length)))
  const codes = classes.map((one, code) => ({ ...one, code }))
  return {
    classes,
    width,
    codeOfName: new Map(codes.filter(one => !one.isOther).map(one => [one.name, one.code])),
    codeOfPrefix: new Map(codes.filter(one => one.isOther).map(one => [one.name, one.code])),
  }
}

/** Returns the number of a device's name: its own, or that of the longest prefix; undefined where there can be no such device. */
export function codeOfDevice(codes: DeviceCodes, name: string): number | undefined {
  const own = codes.codeOfName.get(name)
  if (own !== undefined) return own
  for (let length = Math.min(name.length, DEVICE_NAME_LIMIT); length >= 0; length--) {
    const code = codes.codeOfPrefix.get(name.slice(0, length))
    if (code !== undefined) return code
  }
  return undefined
}

/** Returns for each of the 2^width numbers whether the pattern matches it; exact for patterns that the universe was made for. */
export function codesOfPattern(codes: DeviceCodes, pattern: DevicePattern): readonly boolean[] {
  return Array.from({ length: 1 << codes.width }, (_, code) => {
    const one = codes.classes[Math.min(code, codes.classes.length - 1)]
    if (!one) return false
    return pattern.prefix ? one.name.startsWith(pattern.name) : one.name === pattern.name && !one.isOther
  })
}

/** Returns a name of a class: for "any other" one that is not taken. */
export function nameOfDevice(codes: DeviceCodes, code: number): string {
  const one = codes.classes[Math.min(code, codes.classes.length - 1)]
  if (!one) return ''
  if (!one.isOther) return one.name
  const endings = one.name === '' ? ['eth0', 'eth1', 'other0'] : ['0', '1', 'x', 'x0']
  const free = [...endings, ...Array.from({ length: 1000 }, (_, index) => String(index))].map(ending => one.name + ending)
  return free.find(name => name.length <= DEVICE_NAME_LIMIT && codeOfDevice(codes, name) === code) ?? one.name
}

/** Names before the names that begin with them; "other" after them all, so that the last code is a wide class. */
function byName(one: DeviceClass, other: DeviceClass): number {
  const [a, b] = [sortKey(one), sortKey(other)]
  return a < b ? -1 : a > b ? 1 : 0
}

function sortKey({ name, isOther }: DeviceClass): string {
  return isOther ? `${name}\uffff` : name
}
