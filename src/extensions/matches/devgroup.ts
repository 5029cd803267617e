/** Source: iptables-extensions(8) "devgroup"; net/netfilter/xt_devgroup.c devgroup_mt(), devgroup_mt_checkentry(). */

import { defineMatch } from '../extension.ts'
import type { MarkMask } from '../mark-types.ts'
import { undecided } from '../undecided.ts'
import { namedMask } from '../value-mask.ts'

const group = namedMask('default')

export const devgroup = defineMatch({
  name: 'devgroup',
  doc: 'matches the group of the devices of arrival and departure',
  requiresOneOf: ['src-group', 'dst-group'],
  options: {
    'src-group': { type: group, invertible: true, doc: 'group of the device of arrival', means: value => undecided(`-m devgroup --src-group ${group.write(value, 'ipv4').join('')}`, subject => isGroup(value, subject.deviceGroup(subject.inDevice))) },
    'dst-group': { type: group, invertible: true, doc: 'group of the device of departure', means: value => undecided(`-m devgroup --dst-group ${group.write(value, 'ipv4').join('')}`, subject => isGroup(value, subject.deviceGroup(subject.outDevice))) },
  },
  check(infos, { hooks }) {
    if (infos['src-group'] && hooks.some(hook => hook === 'OUTPUT' || hook === 'POSTROUTING')) return '`--src-group` cannot be used in OUTPUT and POSTROUTING: the packet did not arrive on a device there'
    if (infos['dst-group'] && hooks.some(hook => hook === 'PREROUTING' || hook === 'INPUT')) return '`--dst-group` cannot be used in PREROUTING and INPUT: no device of departure is known there'
    return undefined
  },
})

function isGroup({ mark, mask }: MarkMask, group: number): boolean {
  return (group & mask) >>> 0 === mark
}
