/** Compares the sets of a symbolic run with what the simulator makes of single packets. */

import { CT_STATE, fieldRow, PACKET_TYPE } from '../../src/meaning/fields.ts'
import type { NumberField } from '../../src/meaning/fields.ts'
import { all, always, equals, not, onDevice, opaque } from '../../src/meaning/predicate.ts'
import type { Predicate } from '../../src/meaning/predicate.ts'
import type { Subject } from '../../src/meaning/subject.ts'
import type { Packet } from '../../src/packet/packet.ts'
import type { Probe } from '../../src/packet/probe.ts'
import type { PacketSet } from '../../src/packetset/packet-sets.ts'
import type { Outcome } from '../../src/simulate/trace-events.ts'
import type { Fate } from '../../src/symbolic/fate.ts'
import type { Space } from '../../src/symbolic/reachable-sets.ts'
import type { Value } from '../../src/symbolic/value.ts'
import { endOf } from './small-universe.ts'

/** The set of one packet where it begins its way. `decisions` are the values of free variables. */
export function setOfProbe(space: Pick<Space, 'sets'>, { packet, inDevice }: Probe, decisions: ReadonlyMap<string, boolean>): PacketSet {
  const { sets } = space
  const fields: readonly NumberField[] = ['ip.src', 'ip.dst', 'ip.protocol', 'ip.ttl', 'ip.tos', 'ip.length', 'ip.fragmentOffset', 'ip.moreFragments', 'l4.sport', 'l4.dport', 'tcp.flags', 'tcp.options', 'icmp.type', 'icmp.code', 'icmp6.type', 'icmp6.code', 'mark', 'mac.src', 'socket.uid', 'socket.gid', 'socket.exists']
  const subject = { packet } as unknown as Subject
  const known = fields.map((field): Predicate => {
    const value = fieldRow(field).read(subject)
    return value === undefined ? always : equals(field, value)
  })
  const free = [...decisions].map(([key, value]) => (value ? opaque(key, key) : not(opaque(key, key))))
  return sets.setOf(all([...known, ...free, equals('packetType', PACKET_TYPE.unicast), equals('ct.state', CT_STATE.NEW), onDevice('device.in', { name: inDevice ?? '', prefix: false })]))
}

/** Returns what is wrong with the fates of a packet, undefined where they are as the simulator says. */
export function differenceOf(space: Space, fates: readonly Fate[], probe: Probe, set: PacketSet, outcome: Outcome): string | undefined {
  const found = fates.filter(fate => space.sets.meets(fate.set, set))
  const wanted = outcomeText(outcome)
  const texts = [...new Set(found.map(fate => fateText(space, fate, set, probe.packet)))]
  return texts.length === 1 && texts[0] === wanted ? undefined : `simulator: ${wanted}\nsets:      ${texts.join(' | ') || 'nothing'}`
}

function outcomeText(outcome: Outcome): string {
  const { packet } = outcome
  const kind = outcome.kind === 'reject' || outcome.kind === 'drop' ? 'ended' : outcome.kind
  const device = 'device' in outcome && outcome.kind !== 'local' ? ` by ${outcome.device}` : ''
  return `${kind}${device} ${endOf(outcome)} ${packet.src} ${packet.dst} ${packet.sport ?? ''} ${packet.dport ?? ''} ttl ${packet.ttl} tos ${packet.tos} mark ${packet.mark}`
}

function fateText(space: Space, fate: Fate, set: PacketSet, packet: Packet): string {
  const { by, kind } = fate
  const end = !by ? '' : by.kind === 'rule' ? `rule ${by.rule.id} in ${by.hook} of ${by.table}` : by.kind === 'policy' ? `policy of ${by.chain.name} in ${by.table}` : by.reason
  const now = (field: NumberField): number | undefined => valueOf(space.rewritings.valueOf(fate.rewriting, field), packet)
  const isOut = kind === 'forward' || kind === 'sent'
  return `${kind === 'drop' || kind === 'reject' ? 'ended' : kind}${isOut ? ` by ${deviceOf(space, fate, set)}` : ''} ${end} ${now('ip.src')} ${now('ip.dst')} ${now('l4.sport') ?? ''} ${now('l4.dport') ?? ''} ttl ${now('ip.ttl')} tos ${now('ip.tos')} mark ${now('mark')}`
}

function deviceOf({ sets }: Space, fate: Fate, set: PacketSet): string {
  const bound = fate.rewriting.devices['device.out']
  if (bound !== undefined) return bound
  return ['eth0', 'eth1', 'lo'].filter(name => sets.meets(sets.intersect(fate.set, set), sets.setOfDevice('device.out', { name, prefix: false }))).join('+')
}

/** Returns what a value is for one packet; undefined where the packet has no such field. */
export function valueOf(value: Value, packet: Packet): number | undefined {
  let result = value.flip
  for (const { field, mask, shift } of value.slices) {
    const from = fieldRow(field).read({ packet } as unknown as Subject)
    if (from === undefined) return undefined
    const bits = BigInt(from) & mask
    result ^= shift >= 0 ? bits << BigInt(shift) : bits >> BigInt(-shift)
  }
  return value.adjusts.reduce((sum, by) => Math.max(0, Math.min(255, sum + by)), Number(result))
}
