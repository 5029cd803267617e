/** Which packets begin their way where in a world of several hosts. */

import { all, any, equals, not, onDevice, within } from '../meaning/predicate.ts'
import type { PacketSet } from '../packetset/packet-sets.ts'
import type { FlowState } from './fate.ts'
import { inState } from './reachable-sets.ts'
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
  return sets.setOf(all([onNone, place, equals('socket.exists', start === 'make' ? 1 : 0), inState(state)]))
}
