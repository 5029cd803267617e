/** Which packets begin their way where in a world of several hosts. */

import { CT_STATE } from '../meaning/fields.ts'
import { all, any, equals, hasAnyBit, not, onDevice, within } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import type { PacketSet } from '../packetset/packet-sets.ts'
import type { FlowState } from './fate.ts'
import type { SymbolicWorld } from './world.ts'

/** Packets that a namespace makes, or that arrive there by one of these devices. */
export interface StartIn {
  readonly start: 'arrive' | 'make'
  readonly state: FlowState
  readonly devices: readonly string[]
}

/** Returns the packets that may begin so. */
export function startIn({ sets }: SymbolicWorld, { start, state, devices }: StartIn): PacketSet {
  const onNone = all((['bridge.in', 'bridge.out'] as const).map(field => onDevice(field, { name: '', prefix: false })))
  const isMade = all([onDevice('device.in', { name: '', prefix: false }), not(within('mac.src', 0n, (1n << 48n) - 1n))])
  const place = start === 'make' ? isMade : any(devices.map(name => onDevice('device.in', { name, prefix: false })))
  const ofState: Readonly<Record<FlowState, Predicate>> = {
    new: equals('ct.state', CT_STATE.NEW),
    established: all([equals('ct.state', CT_STATE.ESTABLISHED), equals('ct.direction', 0)]),
    reply: all([equals('ct.state', CT_STATE.ESTABLISHED), equals('ct.direction', 1)]),
    related: equals('ct.state', CT_STATE.RELATED),
    known: hasAnyBit('ct.state', CT_STATE.ESTABLISHED | CT_STATE.RELATED),
  }
  return sets.setOf(all([onNone, place, equals('socket.exists', start === 'make' ? 1 : 0), ofState[state]]))
}
