/**
 * Which packets the sentences of a way decide by their ends alone, whatever their traffic: a later sentence about the same ends is never asked.
 * Every pair of alternatives is found by its devices and addresses, so that a long policy is not compared with itself.
 */

import { addressWidth, familyOf, lengthOfMask, maskOfLength } from '../net/address.ts'
import type { Prefix } from '../net/address.ts'
import type { Origin } from './resolved.ts'
import type { Side } from './sides.ts'

/** The alternatives of both ends of an entry. */
export interface EntryEnds {
  readonly from: readonly Side[]
  readonly to: readonly Side[]
}

/** What is decided so far: by devices, then by addresses. */
export type DecidedEnds = Map<string, OfDevices>

/** `lengths` are those of the prefixes at both ends, of all that is in `byAddresses`. */
interface OfDevices {
  readonly lengths: { readonly from: number; readonly to: number }[]
  readonly byAddresses: Map<string, Origin>
}

/** A length that no prefix has: an alternative that asks for no addresses, or for those of an ipset. */
const NO_PREFIX = -1

/** Remembers that a sentence decides all packets between these ends. */
export function decideEnds(decided: DecidedEnds, { from, to }: EntryEnds, origin: Origin): void {
  for (const one of from) for (const other of to) {
    const devices = devicesKey(one, other)
    const known = decided.get(devices) ?? { lengths: [], byAddresses: new Map<string, Origin>() }
    decided.set(devices, known)
    const length = { from: lengthOf(one), to: lengthOf(other) }
    if (!known.lengths.some(pair => pair.from === length.from && pair.to === length.to)) known.lengths.push(length)
    const addresses = `${addressKey(one, length.from)} ${addressKey(other, length.to)}`
    if (!known.byAddresses.has(addresses)) known.byAddresses.set(addresses, origin)
  }
}

/** Returns the first of the sentences that leave nothing to decide between these ends; undefined where something is left. */
export function decidedBy(decided: DecidedEnds, { from, to }: EntryEnds): Origin | undefined {
  if (decided.size === 0) return undefined
  let first: Origin | undefined
  for (const one of from) for (const other of to) {
    const by = pairDecidedBy(decided, one, other)
    if (!by) return undefined
    first ??= by
  }
  return first
}

function pairDecidedBy(decided: DecidedEnds, from: Side, to: Side): Origin | undefined {
  for (const one of from.device ? [from, ANYWHERE] : [ANYWHERE]) for (const other of to.device ? [to, ANYWHERE] : [ANYWHERE]) {
    const known = decided.get(devicesKey(one, other))
    const by = known && addressesDecidedBy(known, from, to)
    if (by) return by
  }
  return undefined
}

const ANYWHERE: Side = {}

function addressesDecidedBy({ lengths, byAddresses }: OfDevices, from: Side, to: Side): Origin | undefined {
  for (const length of lengths) {
    if (length.from > lengthOf(from) || length.to > lengthOf(to)) continue
    const keys = (side: Side, wanted: number): readonly string[] => (wanted === NO_PREFIX && side.set !== undefined ? [addressKey(side, wanted), ''] : [addressKey(side, wanted)])
    for (const one of keys(from, length.from)) for (const other of keys(to, length.to)) {
      const by = byAddresses.get(`${one} ${other}`)
      if (by) return by
    }
  }
  return undefined
}

function devicesKey(from: Side, to: Side): string {
  return `${deviceKey(from)}>${deviceKey(to)}`
}

function deviceKey({ device }: Side): string {
  return device ? `${device.name}${device.prefix ? '+' : ''}` : ''
}

function lengthOf({ prefix }: Side): number {
  return prefix ? (lengthOfMask(prefix.mask) ?? addressWidth(familyOf(prefix.address))) : NO_PREFIX
}

/** Returns what names the addresses of an alternative, cut to a length of prefix. */
function addressKey({ prefix, set }: Side, length: number): string {
  if (length === NO_PREFIX || !prefix) return length === NO_PREFIX && set !== undefined ? set : ''
  return `${String(cut(prefix, length))}/${length}`
}

function cut({ address }: Prefix, length: number): number | bigint {
  const mask = maskOfLength(familyOf(address), length)
  return typeof address === 'number' ? (address & Number(mask)) >>> 0 : address & BigInt(mask)
}
