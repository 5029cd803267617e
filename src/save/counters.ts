/** Packet and byte counters as text. */

import type { Counters } from '../ir/ruleset.ts'

const HIGHEST = (1n << 64n) - 1n

/** Returns a counter from decimal digits; beyond 64 bits it is the highest, as strtoull(3) has it. */
export function readCounter(digits: string): bigint {
  const value = BigInt(digits)
  return value > HIGHEST ? HIGHEST : value
}

/** Reads `[packets:bytes]`, undefined where the text is none. */
export function readBracketCounters(text: string): Counters | undefined {
  const match = /^\[\s*(\d+):(\d+)\s*\]$/.exec(text)
  return match?.[1] !== undefined && match[2] !== undefined ? { packets: readCounter(match[1]), bytes: readCounter(match[2]) } : undefined
}

/** Returns counters as `[packets:bytes]`; absent ones are zero. */
export function writeCounters(counters: Counters | undefined): string {
  return `[${counters?.packets ?? 0}:${counters?.bytes ?? 0}]`
}
