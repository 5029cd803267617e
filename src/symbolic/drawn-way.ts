/** Ways of rewritten packets where nothing is known of routes: another destination may have another way, which variables of its own draw. */

import { all, any, not, opaque } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import { deviceMatches } from '../net/device-name.ts'
import type { DevicePattern } from '../net/device-name.ts'

/** A way that is drawn: equal ones lead out of the same device. */
export interface DrawnWay {
  /** What the route hangs on, as a text that is equal for equal values only. */
  readonly to: string
  /** One name for each device that can be told from the others; never lo. */
  readonly devices: readonly string[]
}

/** Returns "packets of this way leave by a device that matches". */
export function leavesBy({ to, devices }: DrawnWay, pattern: DevicePattern): Predicate {
  return any(devices.flatMap((device, index) => (deviceMatches(pattern, device) ? [all([...devices.slice(0, index).map(one => not(choice(to, one))), ...(index === devices.length - 1 ? [] : [choice(to, device)])])] : [])))
}

/** Returns the device of a way once its variables are decided. */
export function drawnDevice({ to, devices }: DrawnWay, decisions: ReadonlyMap<string, boolean>): string {
  return devices.find(device => decisions.get(keyOf(to, device)) === true) ?? devices.at(-1) ?? ''
}

/** Each device is asked in turn; the last is what is left. */
function choice(to: string, device: string): Predicate {
  return opaque(keyOf(to, device), `they leave by ${device} after translation`)
}

function keyOf(to: string, device: string): string {
  return `the way of ${to} by ${device}`
}
