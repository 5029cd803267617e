/** What u32 and string see of one packet. Source: net/netfilter/xt_u32.c u32_match_it(); net/core/skbuff.c skb_find_text(). */

import type { Ternary } from '../meaning/subject.ts'
import { packetBytes } from '../packet/packet-bytes.ts'
import type { PacketBytes } from '../packet/packet-bytes.ts'
import type { Packet } from '../packet/packet.ts'

/** Where text is searched: bytes from the IP header on; `to` is where it must have ended. */
export interface TextSearch {
  readonly pattern: readonly number[]
  readonly from: number
  readonly to: number
  readonly ignoresCase: boolean
}

/** Returns whether the packet has the pattern; undefined where bytes that are not known decide it. */
export function hasText(packet: Packet, { pattern, from, to, ignoresCase }: TextSearch): Ternary {
  const { bytes, isOpen } = packetBytes(packet)
  const fold = (byte: number | undefined): number | undefined => (ignoresCase && byte !== undefined && byte >= 97 && byte <= 122 ? byte - 32 : byte)
  const wanted = pattern.map(fold)
  const end = Math.min(bytes.length, to)
  let isPossible = isOpen && to > bytes.length
  for (let at = from; at + wanted.length <= end; at++) {
    if (wanted.some((byte, index) => bytes[at + index] !== undefined && fold(bytes[at + index]) !== byte)) continue
    if (wanted.every((_, index) => bytes[at + index] !== undefined)) return true
    isPossible = true
  }
  return isPossible ? undefined : false
}

/** A number of which some bits are not known. */
interface PartNumber {
  readonly value: number
  readonly unknown: number
}

/** Returns whether tests in the canonical form of `--u32` hold; undefined where bytes that are not known decide it. */
export function holdsU32(packet: Packet, tests: string): Ternary {
  const bytes = packetBytes(packet)
  let result: Ternary = true
  for (const test of tests.split('&&')) {
    const holds = holdsTest(bytes, test)
    if (holds === false) return false
    if (holds === undefined) result = undefined
  }
  return result
}

function holdsTest(bytes: PacketBytes, test: string): Ternary {
  const [location = '', values = ''] = test.split('=')
  const [first, ...steps] = location.split(/(?=&|<<|>>|@)/)
  let base = 0
  let number = numberAt(bytes, Number(first))
  for (const step of steps) {
    if (number === false || number === undefined) return number
    const operand = Number(step.replace(/^[&<>@]+/, ''))
    if (step.startsWith('@')) {
      if (number.unknown !== 0) return undefined
      base += number.value
      number = numberAt(bytes, base + operand)
    } else {
      const change = changeBy(step, operand)
      number = { value: change(number.value), unknown: change(number.unknown) }
    }
  }
  if (number === false || number === undefined) return number
  if (number.unknown !== 0) return undefined
  const { value } = number
  return values.split(',').some(range => {
    const [low, high = low] = range.split(':').map(Number)
    return low !== undefined && high !== undefined && low <= value && value <= high
  })
}

/** Kernel: shifts of 32 and more are those of the processor, by the lowest five bits. */
function changeBy(step: string, operand: number): (value: number) => number {
  if (step.startsWith('&')) return value => (value & operand) >>> 0
  return step.startsWith('<<') ? value => (value << operand) >>> 0 : value => value >>> operand
}

/** Four bytes in network order; false beyond the packet's end. */
function numberAt({ bytes, isOpen }: PacketBytes, at: number): PartNumber | false | undefined {
  if (at + 4 > bytes.length) return isOpen ? undefined : false
  let [value, unknown] = [0, 0]
  for (const byte of bytes.slice(at, at + 4)) {
    value = ((value << 8) | (byte ?? 0)) >>> 0
    unknown = ((unknown << 8) | (byte === undefined ? 255 : 0)) >>> 0
  }
  return { value, unknown }
}
