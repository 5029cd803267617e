/**
 * Plain spellings of values: those in which iptables-save prints them, recognised character by character without making anything of
 * them. A rule that differs from one already read only in such values is refused or taken as that one was: the reader need not read
 * it again until someone asks for its values.
 */

import type { PlainForm } from './extension.ts'

const BANG = 33
const QUOTE = 34
const PLUS = 43
const COMMA = 44
const DASH = 45
const DOT = 46
const SLASH = 47
const ZERO = 48
const NINE = 57
const COLON = 58
const BACKSLASH = 92
const SPACE = 32

/** What the last number read by `scanNumber` was, and the last address by `scanIpv4`. */
let number = 0
let address = 0

/** `10.0.0.0/8` without host bits; at least one bit of mask, since `/0` is not printed. */
const ipv4Prefix: PlainForm = {
  scan(text, at, end) {
    const slash = scanIpv4(text, at, end)
    if (slash === -1 || text.charCodeAt(slash) !== SLASH) return -1
    const stop = scanNumber(text, slash + 1, end, 32)
    return stop !== -1 && number > 0 && (number === 32 || ((address << number) | 0) === 0) ? stop : -1
  },
}

/** `10.0.0.1`, which is printed as `10.0.0.1/32`. */
const ipv4Host: PlainForm = { suffix: '/32', scan: (text, at, end) => scanIpv4(text, at, end) }

/** Canonical IPv6 text with a prefix length of 1 to 128 and no host bits. */
const ipv6Prefix: PlainForm = {
  scan(text, at, end) {
    const slash = scanIpv6(text, at, end)
    if (slash === -1 || text.charCodeAt(slash) !== SLASH) return -1
    const stop = scanNumber(text, slash + 1, end, 128)
    return stop !== -1 && number > 0 && !hasHostBits(number) ? stop : -1
  },
}

const ipv6Host: PlainForm = { suffix: '/128', scan: (text, at, end) => scanIpv6(text, at, end) }

/** Prefixes as `-s` and `-d` take them, by family. */
export const PLAIN_PREFIXES = { ipv4: [ipv4Prefix, ipv4Host], ipv6: [ipv6Prefix, ipv6Host] } as const

/** `80` or `1024:2048`, not all ports. */
export const PLAIN_PORTS: readonly PlainForm[] = [{ scan: scanPorts }]

/** Up to 15 ports, a range counts as two. */
export const PLAIN_PORT_LIST: readonly PlainForm[] = [
  {
    scan(text, from, end) {
      let at = from
      for (let room = 15; room > 0; ) {
        const stop = scanPorts(text, at, end)
        if (stop === -1) return -1
        for (let between = at; between < stop && room > 0; between++) if (text.charCodeAt(between) === COLON) room--
        room--
        if (stop === end || text.charCodeAt(stop) !== COMMA) return room >= 0 ? stop : -1
        at = stop + 1
      }
      return -1
    },
  },
]

/** A device name of letters, digits and `_-.@:`, at most 15 characters; a final `+` after one at least. */
export const PLAIN_DEVICE: readonly PlainForm[] = [
  {
    scan(text, at, end) {
      let stop = at
      while (stop < end && isDeviceCharacter(text.charCodeAt(stop))) stop++
      if (stop === at || text.charCodeAt(at) === DASH) return -1
      if (stop < end && text.charCodeAt(stop) === PLUS) stop++
      return stop - at > 15 ? -1 : stop
    },
  },
]

/** Printable ASCII of at most 255 characters: a word, or quoted without escapes. */
export const PLAIN_TEXT: readonly PlainForm[] = [
  {
    scan(text, at, end) {
      const isQuoted = text.charCodeAt(at) === QUOTE
      if (text.charCodeAt(at) === BANG || text.charCodeAt(at) === DASH) return -1
      for (let stop = isQuoted ? at + 1 : at; stop < end && stop - at < 255; stop++) {
        const char = text.charCodeAt(stop)
        if (char === QUOTE) return isQuoted ? stop + 1 : -1
        if (char === SPACE && !isQuoted) return stop
        if (char < SPACE || char > 126 || char === BACKSLASH) return -1
        if (stop + 1 === end && !isQuoted) return end
      }
      return -1
    },
  },
]

/** IPv4: `10.0.0.1` or `10.0.0.1:80`, as nat's targets take them; two forms, since a port needs `-p`. */
export const PLAIN_NAT_ADDRESS: readonly PlainForm[] = [
  {
    scan(text, at, end) {
      const colon = scanIpv4(text, at, end)
      return colon === -1 || text.charCodeAt(colon) !== COLON ? -1 : scanNumber(text, colon + 1, end, 65535)
    },
  },
  { scan: (text, at, end) => scanIpv4(text, at, end) },
]

/** `10.0.0.1-10.0.0.9`. */
export const PLAIN_IPV4_RANGE: readonly PlainForm[] = [
  {
    scan(text, at, end) {
      const dash = scanIpv4(text, at, end)
      const low = address >>> 0
      const stop = dash === -1 || text.charCodeAt(dash) !== DASH ? -1 : scanIpv4(text, dash + 1, end)
      return stop !== -1 && low <= address >>> 0 ? stop : -1
    },
  },
]

/** Six bytes of two hex digits. */
export const PLAIN_MAC: readonly PlainForm[] = [
  {
    ignoresCase: true,
    scan(text, at, end) {
      if (at + 17 > end) return -1
      for (let index = 0; index < 17; index++) {
        const char = text.charCodeAt(at + index)
        if (index % 3 === 2 ? char !== COLON : hexDigit(char | 32) === -1) return -1
      }
      return at + 17
    },
  },
]

/** A decimal number up to `limit` without leading zeros; sets `number`. */
function scanNumber(text: string, at: number, end: number, limit: number): number {
  let value = 0
  let stop = at
  for (; stop < end; stop++) {
    const char = text.charCodeAt(stop)
    if (char < ZERO || char > NINE) break
    value = value * 10 + char - ZERO
    if (value > limit) return -1
  }
  if (stop === at || (stop > at + 1 && text.charCodeAt(at) === ZERO)) return -1
  number = value
  return stop
}

/** Four decimal bytes; sets `address`. */
function scanIpv4(text: string, at: number, end: number): number {
  let value = 0
  let stop = at
  for (let part = 0; part < 4; part++) {
    if (part > 0 && (stop >= end || text.charCodeAt(stop++) !== DOT)) return -1
    stop = scanNumber(text, stop, end, 255)
    if (stop === -1) return -1
    value = (value << 8) | number
  }
  address = value
  return stop
}

function scanPorts(text: string, at: number, end: number): number {
  const stop = scanNumber(text, at, end, 65535)
  if (stop === -1 || stop === end || text.charCodeAt(stop) !== COLON) return stop
  const low = number
  const last = scanNumber(text, stop + 1, end, 65535)
  return last === -1 || low >= number || (low === 0 && number === 65535) ? -1 : last
}

/** The groups of the last IPv6 address. */
const groups = new Uint16Array(8)

/** Eight groups as inet_ntop(3) writes them: small letters, no leading zeros, the first longest run of zeros as `::`; sets `groups`. */
function scanIpv6(text: string, from: number, end: number): number {
  let at = from
  let count = 0
  let gap = -1
  groups.fill(0)
  for (; count < 8; count++) {
    if (at + 1 < end && text.charCodeAt(at) === COLON && text.charCodeAt(at + 1) === COLON) {
      if (gap !== -1) return -1
      gap = count
      at += 2
    } else if (count > 0 && gap !== count) {
      if (text.charCodeAt(at) !== COLON) break
      at++
    }
    const stop = scanGroup(text, at, end)
    if (stop === at) break
    if (stop === -1) return -1
    groups[count] = number
    at = stop
  }
  if (count < 8 && gap === -1) return -1
  if (gap === 8 || text.charCodeAt(at) === COLON || text.charCodeAt(at) === DOT || (at === from)) return -1
  if (gap !== -1) spreadGroups(gap, count)
  return isCanonicalGap(gap, 8 - count) ? at : -1
}

/** Up to four small hex digits without leading zeros: where they end, `at` where there is none; sets `number`. */
function scanGroup(text: string, at: number, end: number): number {
  let value = 0
  let stop = at
  for (; stop < end; stop++) {
    const digit = hexDigit(text.charCodeAt(stop))
    if (digit === -1) break
    value = value * 16 + digit
  }
  if (stop - at > 4 || (stop - at > 1 && text.charCodeAt(at) === ZERO)) return -1
  number = value
  return stop
}

/** Moves the groups after the gap to the end. */
function spreadGroups(gap: number, count: number): void {
  const after = count - gap
  for (let index = 1; index <= after; index++) {
    const value = groups[count - index] ?? 0
    groups[count - index] = 0
    groups[8 - index] = value
  }
}

/** Whether `::` stands where inet_ntop(3) puts it; addresses that it writes with dots are not for us. */
function isCanonicalGap(gap: number, width: number): boolean {
  let best = 0
  let place = -1
  for (let start = 0; start < 8; start++) {
    let run = 0
    while (start + run < 8 && groups[start + run] === 0) run++
    if (run > best) {
      best = run
      place = start
    }
    start += run
  }
  if (place === 0 && best >= 5 && (best > 5 || groups[5] === 0xffff)) return false
  return best < 2 ? gap === -1 : gap === place && width === best
}

function hasHostBits(length: number): boolean {
  for (let index = 0; index < 8; index++) {
    const kept = Math.min(16, Math.max(0, length - index * 16))
    if (((groups[index] ?? 0) & (0xffff >> kept)) !== 0) return true
  }
  return false
}

/** The value of a small hex digit, -1 of another character. */
function hexDigit(char: number): number {
  if (char >= ZERO && char <= NINE) return char - ZERO
  return char >= 97 && char <= 102 ? char - 87 : -1
}

function isDeviceCharacter(char: number): boolean {
  const small = char | 32
  return (small >= 97 && small <= 122) || (char >= ZERO && char <= COLON) || char === DASH || char === DOT || char === 95 || char === 64
}
