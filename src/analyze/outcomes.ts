/** Fates as a user counts them: what becomes of packets and with which headers, whichever rule saw to it. */

import type { NumberField } from '../meaning/fields.ts'
import type { PacketSet, PacketSets } from '../packetset/packet-sets.ts'
import { unionOf } from '../symbolic/packet-class.ts'
import type { Fate, FateKind } from '../symbolic/fate.ts'
import { leavesBy } from '../symbolic/drawn-way.ts'
import type { DrawnWay } from '../symbolic/drawn-way.ts'
import type { Space } from '../symbolic/reachable-sets.ts'
import { keyOfValue } from '../symbolic/value.ts'
import type { Value } from '../symbolic/value.ts'

/** The headers that others see. */
export const SEEN_FIELDS = ['ip.src', 'ip.dst', 'l4.sport', 'l4.dport', 'ip.tos', 'ip.ttl', 'tcp.flags'] as const satisfies readonly NumberField[]

/** Packets that fare alike. */
export interface OutcomeClass {
  readonly kind: FateKind
  /** What the seen fields are in the end, in the order of `SEEN_FIELDS`; empty where the packet ended. */
  readonly values: readonly Value[]
  /** The device by which they leave where it is not that of the first route, or how it is drawn. */
  readonly device: string | DrawnWay | undefined
  readonly set: PacketSet
}

/** Returns fates joined by what can be seen of them. */
export function outcomeClasses({ sets, rewritings, surroundings, devices }: Space, fates: readonly Fate[]): ReadonlyMap<string, OutcomeClass> {
  const found = new Map<string, Omit<OutcomeClass, 'set'> & { readonly parts: PacketSet[] }>()
  for (const { kind, rewriting, set } of fates) {
    const values = gotThrough(kind) ? SEEN_FIELDS.map(field => rewritings.valueOf(rewriting, field)) : []
    const bound = gotThrough(kind) ? rewriting.devices['device.out'] : undefined
    const parts = surroundings.kind === 'free' ? [{ device: bound ?? (gotThrough(kind) ? rewriting.drawnWay : undefined), set }] : byDevice(sets, devices, { device: bound, set, isOut: gotThrough(kind) && kind !== 'local' })
    for (const { device, set: part } of parts) {
      const key = `${kind} ${typeof device === 'object' ? `by ${device.to}` : (device ?? '')} ${values.map(keyOfValue).join(' ')}`
      const known = found.get(key)
      if (known) known.parts.push(part)
      else found.set(key, { kind, values, device, parts: [part] })
    }
  }
  return new Map([...found].map(([key, { parts, ...one }]) => [key, { ...one, set: unionOf(sets, parts) }]))
}

/** Where routes are known a packet has one way out: it is no field of the packet, but a part of the outcome. */
function byDevice(sets: PacketSets, devices: readonly string[], { device, set, isOut }: { readonly device: string | undefined; readonly set: PacketSet; readonly isOut: boolean }): readonly { readonly device: string | undefined; readonly set: PacketSet }[] {
  if (!isOut || device !== undefined) return [{ device, set: sets.exists(set, 'device.out') }]
  return devices.flatMap(name => {
    const here = sets.intersect(set, sets.setOfDevice('device.out', { name, prefix: false }))
    return here === sets.none ? [] : [{ device: name, set: sets.exists(here, 'device.out') }]
  })
}

/** Tells whether packets of a fate arrive somewhere. */
export function gotThrough(kind: FateKind): kind is 'local' | 'forward' | 'sent' {
  return kind === 'local' || kind === 'forward' || kind === 'sent'
}

/** Returns the packets that leave by a device, for what a rewriting or an outcome says of it: undefined where it is that of the first route. */
export function leavingBy(sets: PacketSets, device: OutcomeClass['device'], name: string): PacketSet {
  if (typeof device === 'string') return device === name ? sets.every : sets.none
  return device === undefined ? sets.setOfLikeDevice('device.out', name) : sets.setOf(leavesBy(device, { name, prefix: false }))
}

/** Returns the packets of a fate that leave by a device. */
export function partLeavingBy(sets: PacketSets, { rewriting, set }: Pick<Fate, 'rewriting' | 'set'>, name: string): PacketSet {
  return sets.intersect(set, leavingBy(sets, rewriting.devices['device.out'] ?? rewriting.drawnWay, name))
}
