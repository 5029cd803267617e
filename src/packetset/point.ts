/** One packet and a set: whether the set has it, by one walk from the top of its diagram. */

import { DEVICE_FIELDS, fieldRow } from '../meaning/fields.ts'
import type { Subject } from '../meaning/subject.ts'
import { highOf, levelOf, lowOf, ONE, ZERO } from './bdd.ts'
import type { Edge } from './bdd.ts'
import { codeOfDevice } from './device-codes.ts'
import { codingOf, isDeviceField, isNumberField } from './layout.ts'
import type { LaidField } from './layout.ts'
import type { Space } from './space.ts'

/** Tells whether a set has the packet; free variables are as the subject decides, false where nobody said (as the simulator assumes). */
export function includesSubject(space: Space, edge: Edge, subject: Subject): boolean {
  const codes = new Map<LaidField, bigint>()
  let at = edge
  while (at >> 1 !== 0) {
    const level = levelOf(space.bdd, at)
    at = bitAt(space, level, subject, codes) ? highOf(space.bdd, at) : lowOf(space.bdd, at)
  }
  return at === ONE
}

/** Returns the values of all variables of some member, 0 where the set leaves the choice; undefined of the empty set. */
export function pointOf(space: Space, edge: Edge): Uint8Array | undefined {
  if (edge === ZERO) return undefined
  const point = new Uint8Array(space.nextLevel)
  for (let at = edge; at !== ONE; ) {
    const isHigh = lowOf(space.bdd, at) === ZERO
    if (isHigh) point[levelOf(space.bdd, at)] = 1
    at = isHigh ? highOf(space.bdd, at) : lowOf(space.bdd, at)
  }
  return point
}

/** Tells whether a set has the packet of a point. */
export function includesPoint(space: Space, edge: Edge, point: Uint8Array): boolean {
  let at = edge
  while (at >> 1 !== 0) at = point[levelOf(space.bdd, at)] === 1 ? highOf(space.bdd, at) : lowOf(space.bdd, at)
  return at === ONE
}

function bitAt(space: Space, level: number, subject: Subject, codes: Map<LaidField, bigint>): boolean {
  const free = space.freeKeys.get(level)
  if (free) return subject.decide(free.key) ?? false
  const field = space.layout.owners[level]
  if (field === undefined) return false
  let code = codes.get(field)
  if (code === undefined) {
    code = codeOfField(space, field, subject)
    codes.set(field, code)
  }
  const { bits } = codingOf(space.layout, field)
  return ((code >> BigInt(bits.first + bits.width - 1 - level)) & 1n) === 1n
}

/** Returns the code of a subject's field; 0 where it lacks the field: no set depends on it there. */
function codeOfField(space: Space, field: LaidField, subject: Subject): bigint {
  const coding = codingOf(space.layout, field)
  if (field === 'mac.present') return subject.packet.macSource === undefined ? 0n : 1n
  if (field === 'socket.owned') return subject.packet.socket?.uid === undefined ? 0n : 1n
  if (isDeviceField(field) && coding.kind === 'device') return BigInt(codeOfDevice(coding.devices, DEVICE_FIELDS[field].read(subject)) ?? 0)
  if (!isNumberField(field)) return 0n
  const value = fieldRow(field).read(subject)
  if (value === undefined) return 0n
  if (coding.kind === 'table') return BigInt(Math.max(0, coding.values.findIndex(one => BigInt(one) === BigInt(value))))
  return coding.kind === 'offset' ? (value === 0 ? 0n : 8192n + BigInt(value) / 8n) : BigInt(value)
}
