/** Work on sets that may grow too big. */

import { isTooBig } from '../packetset/packet-sets.ts'

/** Returns what the work returns; where its sets grow too big, `otherwise`, and `note` is called. */
export function unlessTooBig<T>(work: () => T, otherwise: T, note: () => unknown): T {
  try {
    return work()
  } catch (error) {
    if (!isTooBig(error)) throw error
    note()
    return otherwise
  }
}
