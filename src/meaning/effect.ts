/** What a target means, as data. A target does its effects in order and then gives its verdict, `continue` where it has none. */

import type { Prefix } from '../net/address.ts'
import type { AddressRange, NumberRange } from '../net/ranges.ts'
import type { IpsetDirection } from './predicate.ts'

/** What a target says about the packet's further way. `stolen` = taken away silently, `queue` = handed to user space. */
export type Verdict = 'accept' | 'drop' | 'return' | 'continue' | 'stolen' | 'queue'

/** A field that a target writes. */
export type AssignedField = 'mark' | 'ct.mark' | 'ip.ttl' | 'ip.tos' | 'tcp.flags' | 'priority'

/** Where nat takes addresses from: given ranges, the old address under another prefix, the address of the outgoing device, or that of the device of arrival. */
export type NatAddresses =
  | { readonly kind: 'ranges'; readonly ranges: readonly AddressRange[] }
  | { readonly kind: 'prefix'; readonly prefix: Prefix }
  | { readonly kind: 'keep' }
  | { readonly kind: 'outDevice' }
  | { readonly kind: 'inDevice' }

/** One effect of a target. */
export type Effect =
  | { readonly kind: 'verdict'; readonly verdict: Verdict }
  /** field = (field & ~clear) ^ flip, after `from` (if given) replaced flip by (other field & fromMask). */
  | {
      readonly kind: 'assign'
      readonly field: AssignedField
      readonly clear: number
      readonly flip: number
      readonly from?: { readonly field: AssignedField; readonly mask: number }
      /** Bits to the left (negative: right, without sign): of what `from` took, or without it of the result. */
      readonly shift?: number
    }
  /** TTL or hop limit: plus `by`, at least 0, at most 255. */
  | { readonly kind: 'adjust'; readonly field: 'ip.ttl'; readonly by: number }
  | {
      readonly kind: 'nat'
      /** 'ofHook': the destination in PREROUTING and OUTPUT, the source in INPUT and POSTROUTING. */
      readonly side: 'source' | 'destination' | 'ofHook'
      readonly addresses: NatAddresses
      /** `base` shifts ports: new port = low + (old - base). */
      readonly ports?: NumberRange & { readonly base?: number }
      readonly random?: boolean
      readonly persistent?: boolean
    }
  | { readonly kind: 'reject'; readonly with: RejectAnswer }
  | { readonly kind: 'untrack' }
  /** The connection template that CT sets; zones are conntrack's. */
  | { readonly kind: 'track'; readonly zone?: number; readonly zoneDirection?: 'original' | 'reply'; readonly zoneFromMark?: boolean; readonly helper?: string }
  /** TCP MSS option: lowered to `limit`, or to the path MTU minus headers. */
  | { readonly kind: 'clampMss'; readonly limit: number | 'pathMtu' }
  /** TCP options of these kinds are overwritten with padding. */
  | { readonly kind: 'stripOptions'; readonly kinds: readonly number[] }
  /** An address gets the prefix `to`, and 16 bits of it change so that checksums stay right, as if its prefix were `from` (RFC 6296). */
  | { readonly kind: 'translatePrefix'; readonly side: 'source' | 'destination'; readonly from: Prefix; readonly to: Prefix }
  /** What the packet says is put into an ipset or taken out of it. */
  | { readonly kind: 'ipset'; readonly change: 'add' | 'delete'; readonly name: string; readonly directions: readonly IpsetDirection[] }
  /** Seen by somebody, changed by nobody: LOG, CHECKSUM, ... */
  | { readonly kind: 'observe'; readonly words: string }
  /** It does something that is not described here; said so that nobody trusts what follows blindly. */
  | { readonly kind: 'notModelled'; readonly words: string }

/** What REJECT sends: an ICMP(v6) error by type and code, or a TCP reset. */
export type RejectAnswer = { readonly kind: 'icmp'; readonly type: number; readonly code: number; readonly name: string } | { readonly kind: 'tcpReset' }

/** Returns what an assign effect makes of a field's value; `taken` is the value of the field that it copies from, where it does. */
export function assignedValue({ clear, flip, from, shift = 0 }: Extract<Effect, { kind: 'assign' }>, value: number, taken = 0): number {
  if (from) return ((value & ~clear) ^ shiftBits(taken & from.mask, shift)) >>> 0
  return shiftBits((value & ~clear) ^ flip, shift)
}

/** Shifts 32 bits: to the left, or for a negative number to the right; fewer than 32. */
function shiftBits(value: number, shift: number): number {
  return shift >= 0 ? (value << shift) >>> 0 : (value >>> 0) >>> -shift
}
