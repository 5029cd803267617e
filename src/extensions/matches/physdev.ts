/** Source: iptables-extensions(8) "physdev"; net/netfilter/xt_physdev.c physdev_mt(), physdev_mt_check(). */

import type { DeviceField } from '../../meaning/fields.ts'
import { all, any, equals, not, onDevice } from '../../meaning/predicate.ts'
import type { Predicate } from '../../meaning/predicate.ts'
import { defineMatch } from '../extension.ts'
import { devicePattern, flag } from '../option-types.ts'

const NO_DEVICE = { name: '', prefix: false }

/** Kernel: where the packet met no bridge an option holds if it has `!`; `! --physdev-out` fails where it came from a bridge and is routed. */
export const physdev = defineMatch({
  name: 'physdev',
  doc: 'matches the ports of a bridge that a packet crosses',
  requiresOneOf: ['physdev-is-in', 'physdev-in', 'physdev-is-out', 'physdev-out', 'physdev-is-bridged'],
  options: {
    'physdev-is-in': { type: flag, invertible: true, doc: 'arrived through a bridge port', means: () => hasDevice('bridge.in') },
    'physdev-in': {
      type: devicePattern, invertible: true, doc: 'bridge port of arrival; a final + stands for any ending',
      means: pattern => all([hasDevice('bridge.in'), onDevice('bridge.in', pattern)]),
    },
    'physdev-is-out': { type: flag, invertible: true, doc: 'leaves through a bridge port', means: () => hasDevice('bridge.out') },
    'physdev-out': {
      type: devicePattern, invertible: true, doc: 'bridge port of departure; a final + stands for any ending',
    },
    'physdev-is-bridged': { type: flag, invertible: true, doc: 'is bridged, not routed', means: () => equals('bridge.forwarded', 1) },
  },
  means(infos) {
    const out = infos['physdev-out']
    if (!out) return all([])
    const isNamed = onDevice('bridge.out', out.value)
    if (!out.inverted) return all([hasDevice('bridge.out'), isNamed])
    return any([all([hasDevice('bridge.out'), not(isNamed)]), all([not(hasDevice('bridge.in')), not(hasDevice('bridge.out'))])])
  },
  check(infos, { hooks }) {
    const bridged = infos['physdev-is-bridged']
    const outOnly = (infos['physdev-out'] || infos['physdev-is-out']) && (!bridged || bridged.inverted)
    return outOnly && hooks.includes('OUTPUT') ? '`--physdev-out` and `--physdev-is-out` cannot be used in OUTPUT without `--physdev-is-bridged`' : undefined
  },
})

function hasDevice(field: DeviceField): Predicate {
  return not(onDevice(field, NO_DEVICE))
}
